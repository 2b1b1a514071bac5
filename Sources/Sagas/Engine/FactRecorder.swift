internal import Domain
internal import EventStore
internal import Kernel

/// Turns facts into writes of the streams they are about.
///
/// What such a stream says already is not said again, so a step that is done twice is recorded once.
struct FactRecorder: Sendable {
    let log: any EventLog
    let ids: IDSource

    /// Why facts cannot be recorded.
    enum Failure: Error {
        case log(LogError)
        /// A rule of the thing itself forbids it.
        case refused(String)
    }

    func writes(_ facts: [DomainFact], for organization: OrganizationID?) async throws(Failure) -> [StreamWrite] {
        var writes: [StreamWrite] = []
        for (stream, facts) in grouped(facts) {
            let history = try await read(stream)
            var known = Set(history.map { "\($0.type) \(String(decoding: $0.payload ?? [], as: UTF8.self))" })
            var events: [NewEvent] = []
            for fact in facts {
                let event = try encoded(fact)
                guard known.insert("\(event.type) \(String(decoding: event.payload, as: UTF8.self))").inserted else {
                    continue
                }
                events.append(event)
            }
            guard !events.isEmpty else { continue }
            writes.append(
                StreamWrite(
                    stream,
                    organization: history.first?.organization ?? organization,
                    expecting: .version(history.last?.version ?? 0),
                    events: events
                )
            )
        }
        return writes
    }

    private func grouped(_ facts: [DomainFact]) -> [(StreamName, [DomainFact])] {
        var groups: [(StreamName, [DomainFact])] = []
        for fact in facts {
            if let index = groups.firstIndex(where: { $0.0 == fact.stream }) {
                groups[index].1.append(fact)
            } else {
                groups.append((fact.stream, [fact]))
            }
        }
        return groups
    }

    private func read(_ stream: StreamName) async throws(Failure) -> [RecordedEvent] {
        do throws(LogError) {
            return try await log.readAll(stream)
        } catch { throw .log(error) }
    }

    private func encoded(_ fact: DomainFact) throws(Failure) -> NewEvent {
        let (type, version, payload): (String, Int16, any Fact) =
            switch fact {
            case .organization(_, let event): (event.name.rawValue, event.schemaVersion, event.fact)
            case .subscription(_, let event): (event.name.rawValue, event.schemaVersion, event.fact)
            case .instance(_, let event): (event.name.rawValue, event.schemaVersion, event.fact)
            }
        do {
            return NewEvent(id: ids.unique(), type: type, schemaVersion: version, payload: try JSON.encode(payload))
        } catch { throw .refused("\(type) cannot be written as JSON") }
    }
}

extension DomainFact {
    var stream: StreamName {
        switch self {
        case .organization(let id, _): StreamName(category: OrganizationEvent.category, id: id)
        case .subscription(let id, _): StreamName(category: SubscriptionEvent.category, id: id)
        case .instance(let id, _): StreamName(category: InstanceEvent.category, id: id)
        }
    }
}

extension EventLog {
    /// The whole of a stream.
    func readAll(_ stream: StreamName, after version: Int64 = 0) async throws(LogError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        while true {
            let page = try await read(stream, after: events.last?.version ?? version, limit: 500)
            events += page
            guard page.count == 500 else { return events }
        }
    }
}
