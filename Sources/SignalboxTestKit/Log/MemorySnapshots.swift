package import EventStore
internal import Synchronization

/// Snapshots in memory; the same contract suite runs against those in Postgres.
package final class MemorySnapshots: SnapshotStore {
    private let log: any EventLog
    private let kept = Mutex<[StreamName: Snapshot]>([:])

    package init(log: any EventLog) {
        self.log = log
    }

    package func snapshot(of stream: StreamName) async throws(LogError) -> Snapshot? {
        guard let snapshot = kept.withLock({ $0[stream] }), try await reaches(snapshot, stream) else { return nil }
        return snapshot
    }

    @discardableResult
    package func keep(_ snapshot: Snapshot, of stream: StreamName) async throws(LogError) -> Bool {
        guard try await reaches(snapshot, stream) else { return false }
        return kept.withLock { kept in
            if let known = kept[stream],
                (known.version, known.schemaVersion) >= (snapshot.version, snapshot.schemaVersion)
            {
                return false
            }
            kept[stream] = snapshot
            return true
        }
    }

    package func discard(_ snapshot: Snapshot, of stream: StreamName) async throws(LogError) {
        kept.withLock { kept in
            if kept[stream]?.version == snapshot.version { kept[stream] = nil }
        }
    }

    /// Whether the stream is that long, and whole.
    private func reaches(_ snapshot: Snapshot, _ stream: StreamName) async throws(LogError) -> Bool {
        let events = try await log.read(stream, after: 0, limit: .max)
        return events.count >= snapshot.version && events.allSatisfy { $0.payload != nil }
    }
}
