package import EventStore
internal import Kernel

/// Computes every leaf again from the row of its event, and the tree from the leaves, and holds them against what was
/// sealed and signed.
package struct LogAudit: Sendable {
    private static let page = 2000

    private let store: AuditStore
    private let log: PostgresLog
    private let folder: CheckpointFolder?

    /// - Parameters:
    ///   - store: Where the tree is.
    ///   - log: Where the events are.
    ///   - folder: Where the newest checkpoint is kept outside of the database; `nil` leaves that out.
    package init(store: AuditStore, log: PostgresLog, folder: CheckpointFolder? = nil) {
        self.store = store
        self.log = log
        self.folder = folder
    }

    /// Looks at everything.
    ///
    /// - Parameters:
    ///   - pinned: Keys that the auditor trusts; `nil` takes those that are in the database.
    ///   - progress: Is told how many events were looked at, and how many there are.
    /// - Returns: What was found.
    /// - Throws: ``AuditError`` when the log cannot be read.
    package func run(
        trusting pinned: [VerifierKey]? = nil,
        progress: (Int64, Int64) -> Void = { _, _ in }
    ) async throws(AuditError) -> AuditReport {
        var report = AuditReport(trust: .unsigned)
        do throws(Stop) {
            let end = try await frontier()
            let checkpoint = try await checkpoint(trusting: pinned, report: &report)
            var check = TreeCheck(store.tiles)
            var position: Int64 = 0
            while position < end {
                let events = try await events(after: position, through: end)
                for event in events {
                    let leaf = try Self.leaf(of: event)
                    if event.event.payload == nil { report.erased += 1 }
                    if event.event.position <= report.size {
                        if let difference = try await wrap({ () throws(AuditError) in try await check.take(leaf) }) {
                            throw Stop.found(difference)
                        }
                    } else {
                        report.unsealed += 1
                    }
                }
                guard let last = events.last else { break }
                position = last.event.position
                progress(position, end)
            }
            if let checkpoint {
                let end = check
                if let difference = try await wrap({ () throws(AuditError) in try await end.finish(checkpoint) }) {
                    throw Stop.found(difference)
                }
                try await compare(checkpoint)
            }
        } catch {
            switch error {
            case .found(let difference): report.found(difference)
            case .failed(let failure): throw failure
            }
        }
        return report
    }

    /// The newest signed checkpoint, once it is accepted and goes with the one that is kept outside.
    private func checkpoint(
        trusting pinned: [VerifierKey]?,
        report: inout AuditReport
    ) async throws(Stop) -> Checkpoint? {
        let head = try await wrap { () throws(AuditError) in try await store.head(signed: true) }
        let outside = try await wrap { () throws(AuditError) in try folder?.newest() }
        guard let note = head.note else {
            if let outside { throw .found(.lost(outside)) }
            return nil
        }
        let signers = try await wrap { () throws(AuditError) in try await store.signers() }
        let own = signers.filter { $0.epoch == head.epoch }.compactMap { try? VerifierKey($0.vkey) }
        let checkpoint = try report.read(note, pinned: pinned, own: own)
        if let outside, outside.origin == checkpoint.origin, outside.size > checkpoint.size {
            throw .found(.lost(outside))
        }
        return checkpoint
    }

    /// Holds the tree, once it is known to be that of the checkpoint, against the one that is kept outside.
    private func compare(_ checkpoint: Checkpoint) async throws(Stop) {
        let kept = try await wrap { () throws(AuditError) in try folder?.newest() }
        guard let kept, kept.origin == checkpoint.origin else { return }
        let root = try await wrap { () throws(AuditError) in
            do throws(TileError) {
                return try await MerkleTree(size: kept.size, reading: store.tiles).root()
            } catch {
                throw AuditError(error)
            }
        }
        guard root == kept.root else {
            let words = "the checkpoint of \(kept.size) events outside of the database is another"
            throw .found(Difference(position: nil, words))
        }
    }

    /// The leaf as the row makes it.
    private static func leaf(of stored: StoredEvent) throws(Stop) -> Hash {
        let position = stored.event.position
        if let payload = stored.event.payload {
            guard let salt = stored.salt, Leaf.payloadHash(salt: salt, payload: payload) == stored.payloadHash else {
                throw .found(Difference(position: position, "the payload at position \(position) was changed"))
            }
        }
        let entry = Leaf(stored.event, payloadHash: stored.payloadHash).entry
        let leaf = Hash.leaf(entry)
        guard leaf.bytes == stored.leaf else {
            throw .found(Difference(position: position, "the event at position \(position) was changed"))
        }
        return leaf
    }

    private func frontier() async throws(Stop) -> Int64 {
        try await wrap { () throws(AuditError) in
            do throws(LogError) { return try await log.frontier() } catch { throw AuditError(error) }
        }
    }

    private func events(after position: Int64, through end: Int64) async throws(Stop) -> [StoredEvent] {
        try await wrap { () throws(AuditError) in
            do throws(LogError) {
                return try await log.stored(after: position, through: end, limit: Self.page)
            } catch {
                throw AuditError(error)
            }
        }
    }

    /// A broken promise is a finding; anything else ends the audit.
    private func wrap<Value>(_ body: () async throws(AuditError) -> Value) async throws(Stop) -> Value {
        do throws(AuditError) {
            return try await body()
        } catch {
            switch error {
            case .violated(let promise): throw .found(Difference(position: nil, promise))
            case .refused(let refusal): throw .found(Difference(position: nil, refusal.description))
            case .unavailable, .fenced: throw .failed(error)
            }
        }
    }
}
