import EventStore
import Kernel

/// One event with this payload.
func event(_ payload: String = #"{"n":1}"#) -> NewEvent {
    NewEvent(id: IDSource.system.unique(), type: "lane.counted", payload: Array(payload.utf8))
}

func stream(_ name: String) -> StreamName {
    guard let stream = StreamName(name) else { preconditionFailure("not a stream name: \(name)") }
    return stream
}

/// A decision about these streams.
func request(
    _ writes: [StreamWrite],
    command: CommandRecord? = nil,
    claims: [ClaimChange] = [],
    work: [WorkUpdate] = []
) -> AppendRequest {
    AppendRequest(
        causation: Causation(actor: "system", command: command?.id ?? IDSource.system.unique()),
        command: command,
        writes: writes,
        claims: claims,
        work: work
    )
}

/// One event on one stream.
func request(_ name: String, _ expected: ExpectedVersion = .any) -> AppendRequest {
    request([StreamWrite(stream(name), expecting: expected, events: [event()])])
}

/// A command that nobody gave before.
func command() -> CommandRecord {
    CommandRecord(
        id: IDSource.system.unique(),
        principal: "user-1",
        requestHash: [UInt8](repeating: 1, count: 32),
        answer: Array("{}".utf8)
    )
}

extension EventLog {
    /// Every event there is; it throws when one is missing.
    func everything() async throws(LogError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        while true {
            let page = try await read(after: Int64(events.count), through: nil, matching: .everything, limit: 1000)
            if page.events.isEmpty { return events }
            events += page.events
        }
    }
}
