internal import Audit
internal import EventStore
internal import Kernel

/// What `audit status` tells.
struct StatusReport: Encodable, Sendable {
    struct Key: Encodable, Sendable {
        var vkey: String
        var epoch: Int
        var firstSize: Int64
        var lastSize: Int64
        var current: Bool
    }

    var epoch: Int
    var origin: String?
    var sealed: Int64
    var frontier: Int64
    var root: String?
    var sealedAt: Timestamp?
    var keys: [Key]
    /// How many events the checkpoint outside of the database covers.
    var kept: Int64?
    /// Why nothing would be signed now; `nil` when nothing is wrong.
    var problem: String?

    /// Asks the database, and the folder of the newest checkpoint when it is known.
    init(_ store: AuditStore, _ log: PostgresLog, _ folder: CheckpointFolder?) async throws {
        let head = try await store.head(signed: true)
        frontier = try await log.frontier()
        let checkpoint = try head.note.map { try Checkpoint(unverified: SignedNote($0.utf8)) }
        epoch = head.epoch
        origin = checkpoint?.origin
        sealed = head.size
        root = checkpoint?.root.description
        sealedAt = head.sealedAt
        keys = try await store.signers().map {
            Key(
                vkey: $0.vkey,
                epoch: $0.epoch,
                firstSize: $0.firstSize,
                lastSize: $0.lastSize,
                current: $0.isCurrent
            )
        }
        do throws(AuditError) {
            let kept = try folder?.newest()
            self.kept = kept?.size
            // A checkpoint that was made and not yet signed counts: it is what would be signed.
            let newest = try await store.head()
            _ = try await store.edge(of: newest)
            if let folder, let name = origin ?? kept?.origin {
                try await folder.compare(newest, of: store.tiles, origin: Origin(named: name))
                try folder.requireKept(head, origin: Origin(named: name))
            }
        } catch {
            guard case .refused(let refusal) = error else { throw error }
            problem = refusal.description
        }
    }

    /// For people.
    var rows: [(String, String)] {
        var rows = [
            ("log", origin ?? "–"), ("epoch", "\(epoch)"), ("sealed", "\(sealed) of \(frontier) events"),
            ("root", root ?? "–"), ("sealed at", sealedAt.map { "\($0)" } ?? "–"),
            ("kept outside", kept.map { "\($0) events" } ?? "–"), ("problem", problem ?? "none"),
        ]
        for key in keys {
            rows.append((key.current ? "key" : "old key", "\(key.vkey) (sizes \(key.firstSize) to \(key.lastSize))"))
        }
        return rows
    }
}
