package import EventStore
internal import Kernel

/// Extends the tree over the durable events and signs what it has become.
///
/// A root is committed before it is signed, and a signed checkpoint is kept outside of the database before anybody gets
/// it; whoever takes over after a crash goes on where the last one stopped, and no size ever gets two signed roots.
package struct Sealer: Sendable {
    /// How much is sealed in one go.
    package static let stride: Int64 = 65_536

    let store: AuditStore
    let log: any EventLog
    let folder: CheckpointFolder
    let origin: Origin
    private let keys: [SigningKey]
    private let probe: @Sendable (SealStep) async throws(AuditError) -> Void

    /// - Parameters:
    ///   - store: Where the tree is, as `signalbox_append`.
    ///   - log: Says how far the log is durable.
    ///   - folder: Where the newest checkpoint is kept.
    ///   - origin: What the log is called.
    ///   - keys: All of them sign; their names do not matter here.
    ///   - probe: Called after each step, so that a test can end it there.
    package init(
        store: AuditStore,
        log: any EventLog,
        folder: CheckpointFolder,
        origin: Origin,
        keys: [SigningKey],
        probe: @escaping @Sendable (SealStep) async throws(AuditError) -> Void = { _ in }
    ) {
        self.store = store
        self.log = log
        self.folder = folder
        self.origin = origin
        self.keys = keys
        self.probe = probe
    }

    /// Seals and signs what is durable, as much as there is up to ``stride``, and finishes what a crash left undone.
    ///
    /// - Parameter lease: That of the sealer's work.
    /// - Returns: Where the tree ends now.
    /// - Throws: ``AuditError``.
    @discardableResult
    package func turn(_ lease: WorkItem) async throws(AuditError) -> TreeHead {
        let head = try await store.head()
        var edge = try await edge(of: head)
        try await compare(head)
        let signers = try signers(epoch: head.epoch)
        if head.size > 0, !isSigned(head, by: signers) { try await sign(head, by: signers) }
        let frontier: Int64
        do throws(LogError) { frontier = try await log.frontier() } catch { throw AuditError(error) }
        let end = min(frontier, head.size + Self.stride)
        guard end > head.size else { return head }
        let full = edge.append(contentsOf: try await store.leaves(after: head.size, through: end))
        try await store.seal(head, edge, full: full, stream: lease.stream.text, fence: lease.fence)
        try await probe(.sealed)
        let next = TreeHead(epoch: head.epoch, size: edge.size, root: edge.root)
        try await sign(next, by: signers)
        return next
    }

    /// The right edge of the tree, once it makes the root of the last checkpoint.
    private func edge(of head: TreeHead) async throws(AuditError) -> TreeEdge {
        let edge: TreeEdge
        do throws(TileError) {
            edge = try await TreeEdge(size: head.size, reading: store.tiles)
        } catch {
            guard case .unavailable(let reason) = error else { throw .refused(.tilesChanged(size: head.size)) }
            throw .unavailable(reason)
        }
        guard edge.root == head.root else { throw .refused(.tilesChanged(size: head.size)) }
        return edge
    }

    /// Holds the tree against the newest checkpoint outside of the database.
    ///
    /// - Parameter head: Where the tree ends.
    /// - Throws: ``AuditError``; `refused` when that one is not the beginning of this tree.
    package func compare(_ head: TreeHead) async throws(AuditError) {
        guard let outside = try folder.newest() else { return }
        guard let epoch = origin.epoch(of: outside.origin) else { throw .refused(.otherLog(outside.origin)) }
        guard epoch <= head.epoch else { throw .refused(.laterEpoch(outside: epoch, here: head.epoch)) }
        // An operator has ended that epoch.
        guard epoch == head.epoch else { return }
        guard outside.size <= head.size else {
            throw .refused(.ahead(outside: outside.size, here: head.size))
        }
        let root: Hash
        do throws(TileError) {
            root =
                outside.size == head.size
                ? head.root : try await MerkleTree(size: outside.size, reading: store.tiles).root()
        } catch {
            throw AuditError(error)
        }
        guard root == outside.root else { throw .refused(.forked(size: outside.size)) }
    }

    private func sign(_ head: TreeHead, by signers: [SigningKey]) async throws(AuditError) {
        try await compare(head)
        let note: SignedNote
        do throws(NoteError) {
            note = try Checkpoint(origin: origin.name(epoch: head.epoch), size: head.size, root: head.root)
                .signed(by: signers)
        } catch {
            throw .violated("the checkpoint cannot be signed: \(error)")
        }
        try await probe(.signed)
        try folder.keep(note, of: head, origin: origin)
        try await probe(.kept)
        try await store.publish(head, note: note.encoded, vkeys: signers.map(\.verifier.description))
        try await probe(.published)
    }

    /// The keys under the name that the log has in an epoch: a verifier that trusts one epoch trusts no other by it.
    private func signers(epoch: Int) throws(AuditError) -> [SigningKey] {
        var signers: [SigningKey] = []
        for key in keys {
            do throws(NoteError) {
                signers.append(try key.renamed(origin.name(epoch: epoch)))
            } catch {
                throw .violated("\(error)")
            }
        }
        return signers
    }

    private func isSigned(_ head: TreeHead, by signers: [SigningKey]) -> Bool {
        guard let text = head.note, let note = try? SignedNote(text.utf8),
            let found = try? note.signers(among: signers.map(\.verifier))
        else { return false }
        return found.count == signers.count
    }
}
