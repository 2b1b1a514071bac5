internal import Domain
package import EventStore
package import Kernel

/// Where erasures are ordered: checks who may and what, and lets record and effect happen together.
package struct Erasures: Sendable {
    /// Why nothing is erased.
    package enum Refusal: Error, Equatable, Sendable {
        /// Nothing was ever sealed for the subject, and there is no such person.
        case unknownSubject(String)
        /// The log has no event there.
        case unknownPosition(Int64)
        /// What is there records an erasure, and stays.
        case recordOfErasure(Int64)
        /// None, or more than 1000.
        case positionsMalformed
        /// Not 1 to 500 characters, or with control characters in it.
        case reasonMalformed
    }

    private let log: any EventLog
    private let eraser: any Eraser
    private let subjects: any SubjectKeys
    private let ids: IDSource

    package init(log: any EventLog, eraser: any Eraser, subjects: any SubjectKeys, ids: IDSource = .system) {
        self.log = log
        self.eraser = eraser
        self.subjects = subjects
        self.ids = ids
    }

    /// Makes everything that was sealed for a subject unreadable, and a person's keys worthless.
    ///
    /// - Parameters:
    ///   - subject: Such as `user-42`.
    ///   - reason: Stands in the log; it should not say what is to be forgotten.
    ///   - envelope: Who orders it; only those may who run the plane.
    /// - Returns: What was erased, now or before.
    /// - Throws: ``CommandError``; nothing was erased then.
    package func erase(
        subject: String,
        reason: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Erased> {
        try Self.check(reason, envelope)
        guard let record = Streams.erasure(of: subject), let name = StreamName(subject) else {
            throw .erasure(.unknownSubject(subject))
        }
        let handler = handler(for: Erasure(subjects: [subject]))
        return try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
            let known = try await last(of: record)
            guard known == nil else {
                return Self.nothing(record, known, answer: Erased(erased: [], before: [subject]))
            }
            let person = try await person(name, handler)
            if person == nil, try await isStranger(subject) { throw .erasure(.unknownSubject(subject)) }
            let fact = ErasureEvent.subjectErased(.init(subject: subject, reason: reason))
            var decision = Decision(
                writes: [try write(fact, to: record, of: nil)],
                answer: Erased(erased: [subject], before: []),
                position: 0
            )
            guard let person else { return decision }
            let events: [UserEvent]
            do throws(User.Refusal) { events = try person.decide(.erase(reason: reason)) } catch { throw .user(error) }
            decision.writes.append(try person.write(events, ids: ids))
            if let hash = person.model.registered?.subjectHash {
                // The hash names the person to whoever knows the identity; and who comes back is somebody new.
                let identity = Claim(kind: ClaimKind.identity, key: hash)
                decision.claims = [.release(identity, by: person.stream)]
            }
            return decision
        }
    }

    /// Takes payload and salt from events that should never have said what they say.
    ///
    /// - Parameters:
    ///   - positions: Where they are; 1 to 1000 of them.
    ///   - reason: Stands in the log; it should not say what is to be forgotten.
    ///   - envelope: Who orders it; only those may who run the plane.
    /// - Returns: What was erased, now or before.
    /// - Throws: ``CommandError``; nothing was erased then.
    package func erase(
        positions: [Int64],
        reason: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Erased> {
        try Self.check(reason, envelope)
        let positions = Set(positions).sorted()
        guard (1...1000).contains(positions.count) else { throw .erasure(.positionsMalformed) }
        var events: [RecordedEvent] = []
        for position in positions { events.append(try await event(at: position)) }
        let handler = handler(for: Erasure(positions: positions))
        return try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
            var decision = Decision(writes: [], answer: Erased(erased: [], before: []), position: 0)
            for event in events {
                let record = Streams.erasure(of: event.position)
                if let known = try await last(of: record) {
                    decision.answer.before.append(String(event.position))
                    decision.writes.append(StreamWrite(record, expecting: .version(known.version)))
                    decision.position = max(decision.position, known.position)
                } else {
                    decision.answer.erased.append(String(event.position))
                    let fact = ErasureEvent.PayloadErased(
                        position: event.position,
                        event: event.id,
                        stream: event.stream.text,
                        version: event.version,
                        type: event.type,
                        reason: reason
                    )
                    decision.writes.append(try write(.payloadErased(fact), to: record, of: event.organization))
                }
            }
            return decision
        }
    }
}

/// What an erasure did.
package struct Erased: Codable, Sendable, Equatable {
    /// Positions or the subject, as they were given.
    package var erased: [String]
    /// What had been erased before, and needed nothing.
    package var before: [String]

    package init(erased: [String], before: [String]) {
        self.erased = erased
        self.before = before
    }
}

extension Erasures {
    private func handler(for erasure: Erasure) -> CommandHandler {
        CommandHandler(log: ErasingLog(log: log, eraser: eraser, erasure: erasure), ids: ids)
    }

    private static func check(_ reason: String, _ envelope: CommandEnvelope) throws(CommandError) {
        try CommandDesk.requireOperator(envelope.principal)
        let isText = reason.unicodeScalars.allSatisfy { $0.value >= 32 && !(127..<160).contains($0.value) }
        guard (1...500).contains(reason.count), isText, reason.contains(where: { !$0.isWhitespace }) else {
            throw .erasure(.reasonMalformed)
        }
    }

    private static func nothing(
        _ record: StreamName,
        _ known: RecordedEvent?,
        answer: Erased
    ) -> Decision<Erased> {
        let write = StreamWrite(record, expecting: .version(known?.version ?? 0))
        return Decision(writes: [write], answer: answer, position: known?.position ?? 0)
    }

    /// The person of that name, if it is one who was registered.
    private func person(
        _ name: StreamName,
        _ handler: CommandHandler
    ) async throws(CommandError) -> Aggregate<User>? {
        guard name.category == UserEvent.category else { return nil }
        let person = try await handler.aggregates.load(User.self, from: name)
        return person.exists ? person : nil
    }

    private func isStranger(_ subject: String) async throws(CommandError) -> Bool {
        do { return try await subjects.wrappedKey(of: subject) == .none } catch { throw .unavailable }
    }

    private func event(at position: Int64) async throws(CommandError) -> RecordedEvent {
        guard position > 0 else { throw .erasure(.unknownPosition(position)) }
        let found: RecordedEvent?
        do throws(LogError) {
            found = try await log.read(after: position - 1, through: position, matching: .everything, limit: 1)
                .events.first
        } catch {
            throw .because(error)
        }
        guard let found else { throw .erasure(.unknownPosition(position)) }
        guard found.stream.category != ErasureEvent.category else { throw .erasure(.recordOfErasure(position)) }
        return found
    }

    /// The last event of a stream that has few.
    private func last(of stream: StreamName) async throws(CommandError) -> RecordedEvent? {
        do throws(LogError) {
            return try await log.read(stream, after: 0, limit: 10).last
        } catch {
            throw .because(error)
        }
    }

    private func write(
        _ event: ErasureEvent,
        to record: StreamName,
        of organization: OrganizationID?
    ) throws(CommandError) -> StreamWrite {
        do {
            let payload = try event.payload()
            let new = NewEvent(
                id: ids.unique(),
                type: event.name.rawValue,
                schemaVersion: event.schemaVersion,
                payload: payload
            )
            return StreamWrite(record, organization: organization, expecting: .none, events: [new])
        } catch {
            throw .broken("\(event.name.rawValue) cannot be encoded: \(error)")
        }
    }
}

extension CommandError {
    fileprivate static func because(_ error: LogError) -> Self {
        switch error {
        case .unavailable: .unavailable
        case .violated(let what): .broken(what)
        }
    }
}
