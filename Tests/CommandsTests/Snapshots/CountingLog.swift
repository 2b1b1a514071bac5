import Domain
import EventStore
import Kernel
import Synchronization

/// A log that counts the events of streams that were read from it.
final class CountingLog: EventLogWrapper {
    let log: any EventLog
    private let count = Mutex(0)

    init(_ log: any EventLog) { self.log = log }

    /// How many events were read since this was asked last.
    func reads() -> Int {
        count.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    func read(_ stream: StreamName, after version: Int64, limit: Int) async throws(LogError) -> [RecordedEvent] {
        let events = try await log.read(stream, after: version, limit: limit)
        count.withLock { $0 += events.count }
        return events
    }
}

extension EventLog {
    /// Writes events past every decider, some at a time.
    func write<Event: EventFamily>(_ events: [Event], to stream: StreamName, after version: Int64 = 0) async throws {
        for start in Swift.stride(from: 0, to: events.count, by: 100) {
            let chunk = try events[start..<min(start + 100, events.count)].map { event in
                NewEvent(
                    id: IDSource.system.unique(),
                    type: event.name.rawValue,
                    schemaVersion: event.schemaVersion,
                    payload: try event.payload()
                )
            }
            let write = StreamWrite(stream, expecting: .version(version + Int64(start)), events: chunk)
            let causation = Causation(actor: "system", command: IDSource.system.unique())
            _ = try await append(AppendRequest(causation: causation, writes: [write]))
        }
    }
}

extension SnapshotKeeper {
    /// Ends the keeper when everything offered is kept.
    func settle() async {
        close()
        await run()
    }
}
