internal import Domain
internal import EventStore
internal import Kernel
internal import Postgres

/// Each deed is in the log before it is done, and what it is about is settled by then.
///
/// So the same command again does to its end what a process left that died on the way; once that is done, it is answered as
/// the first one was.
extension ProjectionDesk {
    /// Writes the event of a deed, unless the same command did.
    ///
    /// - Parameters:
    ///   - deed: Who, and why.
    ///   - work: Leased work that comes with it.
    ///   - settle: Finds what it is about; not asked when the same command settled it.
    /// - Returns: What it is about, and whether the same command came before.
    /// - Throws: What `settle` throws, or ``AppendError``.
    func noted(
        _ deed: ProjectionDeed,
        work: WorkUpdate? = nil,
        _ settle: () async throws -> PlatformEvent.ProjectionOperated
    ) async throws -> (fact: PlatformEvent.ProjectionOperated, isRepeated: Bool) {
        if let earlier = deed.earlier { return (earlier, true) }
        let fact = try await settle()
        let event = PlatformEvent.projectionOperated(fact)
        let record = NewEvent(
            id: runner.ids.unique(),
            type: event.name.rawValue,
            schemaVersion: event.schemaVersion,
            payload: try event.payload()
        )
        let appended = try await runner.log.append(
            AppendRequest(
                causation: deed.causation,
                command: deed.record(answer: try JSON.encode(fact)),
                writes: [StreamWrite(try Self.stream, expecting: .any, events: [record])],
                work: work.map { [$0] } ?? []
            )
        )
        // The same command may have come twice at once.
        return (try Self.fact(repeating: appended) ?? fact, appended.repeated != nil)
    }

    /// What the same command settled; `nil` when it comes for the first time.
    func recalled(_ deed: ProjectionDeed) async throws -> PlatformEvent.ProjectionOperated? {
        guard let record = deed.record(answer: []) else { return nil }
        let appended = try await runner.log.recall(record, deed.causation, on: try Self.stream)
        return try appended.flatMap { try Self.fact(repeating: $0) }
    }

    /// What the same command was answered; `nil` when nobody got so far.
    func answered(_ deed: ProjectionDeed) async throws -> ProjectionReceipt? {
        let command = deed.command
        let answers = try await runner.pool.with { connection throws(PostgresError) in
            try connection.run("SELECT answer FROM rm.deed WHERE command = \(command)").column([UInt8].self)
        }
        return try answers.first.map { try JSON.decode(ProjectionReceipt.self, from: $0) }
    }

    /// Keeps an answer for when the same command comes again.
    ///
    /// - Returns: The answer; the one that is there already when another process answered the same command.
    func remember(_ receipt: ProjectionReceipt, _ deed: ProjectionDeed) async throws -> ProjectionReceipt {
        guard deed.requestHash != nil else { return receipt }
        let (command, answer) = (deed.command, try JSON.encode(receipt))
        let kept = try await runner.pool.transaction { tx throws(PostgresError) in
            // The log forgets commands after seven days: whoever comes later with the same id asks for something new.
            try tx.run(
                "DELETE FROM rm.deed WHERE done_at < clock_timestamp() - interval '7 days' AND command = \(command)"
            )
            try tx.run("DELETE FROM rm.deed WHERE done_at < clock_timestamp() - interval '14 days'")
            try tx.run(
                "INSERT INTO rm.deed (command, answer) VALUES (\(command), \(answer)) ON CONFLICT (command) DO NOTHING"
            )
            return try tx.run("SELECT answer FROM rm.deed WHERE command = \(command)").decode(0, [UInt8].self)
        }
        return try JSON.decode(ProjectionReceipt.self, from: kept)
    }

    private static var stream: StreamName {
        get throws {
            guard let stream = StreamName(PlatformEvent.projectionStream) else { throw RebuildError.unavailable }
            return stream
        }
    }

    private static func fact(repeating appended: Appended) throws -> PlatformEvent.ProjectionOperated? {
        try appended.repeated.map { try JSON.decode(PlatformEvent.ProjectionOperated.self, from: $0) }
    }
}

extension ProjectionDeed {
    fileprivate var causation: Causation {
        Causation(actor: actor, command: command, traceparent: traceparent)
    }

    /// What the log remembers of it; `nil` for one that comes once.
    fileprivate func record(answer: [UInt8]) -> CommandRecord? {
        requestHash.map { CommandRecord(id: command, principal: actor, requestHash: $0, answer: answer) }
    }
}
