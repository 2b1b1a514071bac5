internal import EventStore
internal import Kernel

/// A log whose next decision is the record of an erasure: what it appends is carried out in the same transaction.
struct ErasingLog: EventLog {
    let log: any EventLog
    let eraser: any Eraser
    let erasure: Erasure

    func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        try await eraser.erase(erasure, recording: request)
    }

    func read(_ stream: StreamName, after version: Int64, limit: Int) async throws(LogError) -> [RecordedEvent] {
        try await log.read(stream, after: version, limit: limit)
    }

    func read(
        after position: Int64,
        through: Int64?,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage {
        try await log.read(after: position, through: through, matching: filter, limit: limit)
    }

    func frontier() async throws(LogError) -> Int64 {
        try await log.frontier()
    }
}
