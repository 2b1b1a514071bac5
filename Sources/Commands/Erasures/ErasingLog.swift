internal import EventStore
internal import Kernel

/// A log whose next decision is the record of an erasure: what it appends is carried out in the same transaction.
struct ErasingLog: EventLogWrapper {
    let log: any EventLog
    let eraser: any Eraser
    let erasure: Erasure

    func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        try await eraser.erase(erasure, recording: request)
    }
}
