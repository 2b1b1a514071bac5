/// A log that does one thing otherwise than the log behind it, and everything else as that does.
package protocol EventLogWrapper: EventLog {
    /// The log behind it.
    var log: any EventLog { get }
}

extension EventLogWrapper {
    package func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        try await log.append(request)
    }

    package func read(
        _ stream: StreamName,
        after version: Int64,
        limit: Int
    ) async throws(LogError) -> [RecordedEvent] {
        try await log.read(stream, after: version, limit: limit)
    }

    package func read(
        after position: Int64,
        through: Int64?,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage {
        try await log.read(after: position, through: through, matching: filter, limit: limit)
    }

    package func frontier() async throws(LogError) -> Int64 {
        try await log.frontier()
    }
}
