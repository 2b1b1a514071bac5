internal import EventStore
internal import Kernel

/// What a command comes to: everything to be written at once, and what the client is told.
struct Decision<Answer: Codable & Sendable>: Sendable {
    /// The stream that the command was for comes first.
    var writes: [StreamWrite]
    var claims: [ClaimChange] = []
    var answer: Answer
    /// The position of the main stream before the command, told when there was nothing to write.
    var position: Int64

    /// The version of the main stream after the command.
    var version: Int64 {
        guard let main = writes.first, case .version(let before) = main.expected else { return 0 }
        return before + Int64(main.events.count)
    }
}

extension CommandDesk {
    /// What one command to one aggregate comes to.
    func decision<Model: Decider, Answer>(
        _ aggregate: Aggregate<Model>,
        _ command: Model.Command,
        answer: Answer,
        _ envelope: CommandEnvelope,
        refused: (Model.Refusal) -> CommandError
    ) throws(CommandError) -> Decision<Answer> {
        try decision(aggregate, [command], answer: answer, envelope, refused: refused)
    }

    /// What some commands to one aggregate come to together.
    func decision<Model: Decider, Answer>(
        _ aggregate: Aggregate<Model>,
        _ commands: [Model.Command],
        answer: Answer,
        _ envelope: CommandEnvelope,
        first: UniqueID? = nil,
        refused: (Model.Refusal) -> CommandError
    ) throws(CommandError) -> Decision<Answer> {
        if let expected = envelope.expectedVersion, expected != aggregate.version {
            throw .conflict(actual: aggregate.version)
        }
        let events: [Model.Event]
        do { events = try aggregate.decide(commands) } catch { throw refused(error) }
        return Decision(
            writes: [try aggregate.write(events, ids: handler.ids, first: first)],
            answer: answer,
            position: aggregate.position
        )
    }
}

/// What the log remembers of an accepted command.
private struct Remembered<Answer: Codable & Sendable>: Codable {
    var answer: Answer
    var version: Int64
    /// The position of its stream before it, which is told when it had nothing to write.
    var position: Int64
}

/// Turns decisions into appends: the same for every command.
struct CommandHandler: Sendable {
    let log: any EventLog
    let ids: IDSource
    let aggregates: Aggregates

    init(log: any EventLog, ids: IDSource, snapshots: SnapshotKeeper? = nil) {
        self.log = log
        self.ids = ids
        self.aggregates = Aggregates(log: log, snapshots: snapshots)
    }

    /// Decides, writes, and decides again when somebody else wrote first.
    ///
    /// The closure reads and decides; it is called again after a conflict, so it has no effect of its own. A refused
    /// command that may be a repeat is looked up on the stream given, which exists.
    func commit<Answer: Codable & Sendable>(
        _ envelope: CommandEnvelope,
        knownBy known: StreamName?,
        _ decide: () async throws(CommandError) -> Decision<Answer>
    ) async throws(CommandError) -> Receipt<Answer> {
        for attempt in 1...Self.attempts {
            if attempt > 4 {
                // Many write to one stream: a moment of its own for each lets all of them through. Only a cancelled pause
                // throws, and then the append says what came of it.
                try? await Task.sleep(for: .milliseconds(Int.random(in: 1...min(50, 2 * attempt))))
            }
            let decision: Decision<Answer>
            do throws(CommandError) {
                decision = try await decide()
            } catch {
                switch error {
                case .notFound, .forbidden, .unavailable, .broken: throw error
                default: break
                }
                // The first of two may have been accepted before the rules turned against the second.
                guard let known, let receipt: Receipt<Answer> = try await recall(envelope, on: known)
                else { throw error }
                return receipt
            }
            do throws(AppendError) {
                return try await append(decision, envelope)
            } catch {
                switch error {
                case .conflict: continue
                case .claimed(let claim): throw Self.error(of: claim)
                case .commandReused: throw .commandReused
                case .unavailable, .fenced: throw .unavailable
                case .invalid(let what): throw .broken(what)
                }
            }
        }
        throw .unavailable
    }

    private func append<Answer>(
        _ decision: Decision<Answer>,
        _ envelope: CommandEnvelope
    ) async throws(AppendError) -> Receipt<Answer> {
        let remembered: [UInt8]
        do {
            remembered = try JSON.encode(
                Remembered(answer: decision.answer, version: decision.version, position: decision.position)
            )
        } catch {
            throw .invalid("the answer cannot be encoded: \(error)")
        }
        let appended = try await log.append(
            AppendRequest(
                causation: Self.causation(envelope),
                command: Self.record(envelope, answer: remembered),
                writes: decision.writes,
                claims: decision.claims
            )
        )
        if let earlier: Receipt<Answer> = try Self.receipt(repeating: appended) {
            return earlier
        }
        return Receipt(
            answer: decision.answer,
            position: appended.firstPosition > 0 ? appended.lastPosition : decision.position,
            version: decision.version,
            repeated: false
        )
    }

    private func recall<Answer: Codable & Sendable>(
        _ envelope: CommandEnvelope,
        on stream: StreamName
    ) async throws(CommandError) -> Receipt<Answer>? {
        guard envelope.repeatable else { return nil }
        do throws(AppendError) {
            let record = Self.record(envelope, answer: [])
            guard let appended = try await log.recall(record, Self.causation(envelope), on: stream) else { return nil }
            return try Self.receipt(repeating: appended)
        } catch {
            switch error {
            case .conflict, .claimed, .fenced: return nil
            case .commandReused: throw .commandReused
            case .unavailable: throw .unavailable
            case .invalid(let what): throw .broken(what)
            }
        }
    }

    private static func receipt<Answer: Codable & Sendable>(
        repeating appended: Appended
    ) throws(AppendError) -> Receipt<Answer>? {
        guard let bytes = appended.repeated else { return nil }
        do {
            let remembered = try JSON.decode(Remembered<Answer>.self, from: bytes)
            return Receipt(
                answer: remembered.answer,
                position: appended.firstPosition > 0 ? appended.lastPosition : remembered.position,
                version: remembered.version,
                repeated: true
            )
        } catch {
            throw .invalid("a remembered answer is not that of this command")
        }
    }

    private static func causation(_ envelope: CommandEnvelope) -> Causation {
        Causation(
            actor: envelope.principal.actor,
            command: envelope.id,
            correlation: envelope.correlation,
            traceparent: envelope.traceparent
        )
    }

    private static func record(_ envelope: CommandEnvelope, answer: [UInt8]) -> CommandRecord {
        CommandRecord(
            id: envelope.id,
            principal: envelope.principal.actor,
            requestHash: envelope.requestHash,
            answer: answer
        )
    }

    private static func error(of claim: Claim) -> CommandError {
        switch claim.kind {
        case ClaimKind.slug: .slugTaken
        case ClaimKind.host: .hostTaken
        case ClaimKind.identity: .identityTaken
        case ClaimKind.rollout: .rollout(.anotherRuns)
        default: .broken("nobody expects a refused claim of a \(claim.kind)")
        }
    }

    /// How often somebody else may write first before the client is asked to try later.
    private static let attempts = 64
}

/// The kinds of names that are claimed.
///
/// Add to the list; never rename or reuse an entry.
enum ClaimKind {
    static let slug = "slug"
    static let host = "host"
    static let identity = "identity"
    static let rollout = "rollout"
}
