internal import Audit
internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Postgres
internal import Sagas
internal import Server

/// The log as it may be shown: sealed fields closed, and those of erased subjects marked so.
struct LogWindow: Sendable {
    let history: EventHistory
    private let past: Past
    private let erased: any ErasedSubjects

    /// Looks into a log.
    ///
    /// - Parameters:
    ///   - log: What is read, up to its frontier.
    ///   - bell: Rings when an event was written.
    ///   - erased: Knows whose fields nobody can open.
    init(log: any EventLog & LeafDirectory, bell: Bell, erased: any ErasedSubjects) {
        history = EventHistory(log: log, bell: bell)
        past = Past(log: log, folds: [SagaEvent.category: Past.Fold(SagaState()) { try $0.evolve($1) }])
        self.erased = erased
    }

    /// The events as they are shown.
    func views(_ events: [RecordedEvent]) async throws(LogError) -> [EventView] {
        // Writers append nothing but JSON; what cannot be read is shown as nothing.
        let payloads = events.map { event in
            event.payload.map { (try? JSON.decode(JSONValue.self, from: $0)) ?? .object([:]) }
        }
        let subjects = payloads.reduce(into: Set<String>()) { subjects, payload in
            if let payload { subjects.formUnion(Disclosure.subjects(in: payload)) }
        }
        let gone = try await erased.erased(among: subjects)
        return zip(events, payloads).map { EventView($0, data: $1, erased: gone) }
    }

    /// The event as it is shown.
    func view(_ event: RecordedEvent) async throws(LogError) -> EventView {
        let views = try await views([event])
        guard let view = views.first else { throw .violated("an event has no view") }
        return view
    }

    /// What a stream's thing was at a moment, as it is shown.
    func state(of stream: StreamName, at moment: Moment) async throws(PastError) -> PastState? {
        guard var found = try await past.state(of: stream, at: moment) else { return nil }
        do throws(LogError) {
            let gone = try await erased.erased(among: Disclosure.subjects(in: found.state))
            found.state = Disclosure.closed(found.state, erased: gone)
            return found
        } catch {
            throw .log(error)
        }
    }
}

extension EventView {
    /// One event of the log; `data` is its payload, `nil` when that was erased.
    fileprivate init(_ event: RecordedEvent, data: JSONValue?, erased: Set<String>) {
        self.init(
            position: event.position,
            id: event.id,
            stream: event.stream.text,
            version: event.version,
            type: event.type,
            schemaVersion: Int(event.schemaVersion),
            recordedAt: event.recordedAt,
            organization: event.organization,
            actor: event.actor,
            command: event.command,
            cause: event.cause,
            correlation: event.correlation,
            data: data,
            metadata: (try? JSON.decode(JSONValue.self, from: Array(event.metadata.utf8))) ?? .object([:]),
            erased: erased
        )
    }
}
