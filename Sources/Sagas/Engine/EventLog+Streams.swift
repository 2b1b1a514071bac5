internal import EventStore

extension EventLog {
    /// The whole of a stream, or what is new in it.
    func readAll(_ stream: StreamName, after version: Int64 = 0) async throws(LogError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        while true {
            let page = try await read(stream, after: events.last?.version ?? version, limit: 500)
            events += page
            guard page.count == 500 else { return events }
        }
    }
}
