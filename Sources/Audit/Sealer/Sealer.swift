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
    private let archive: PostgresLog?
    private let keys: [SigningKey]
    private let probe: @Sendable (SealStep) async throws(AuditError) -> Void

    /// - Parameters:
    ///   - store: Where the tree is, as `signalbox_append`.
    ///   - log: Says how far the log is durable.
    ///   - folder: Where the newest checkpoint is kept.
    ///   - origin: What the log is called.
    ///   - archive: Has the events that are not in the database any more; `nil` when all are.
    ///   - keys: All of them sign; their names do not matter here.
    ///   - probe: Called after each step, so that a test can end it there.
    package init(
        store: AuditStore,
        log: any EventLog,
        folder: CheckpointFolder,
        origin: Origin,
        archive: PostgresLog? = nil,
        keys: [SigningKey],
        probe: @escaping @Sendable (SealStep) async throws(AuditError) -> Void = { _ in }
    ) {
        self.store = store
        self.log = log
        self.folder = folder
        self.origin = origin
        self.archive = archive
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
        var edge = try await store.edge(of: head)
        // The database first: what it has published was in the folder before.
        let signed = try await store.head(signed: true)
        try await folder.compare(head, of: store.tiles, origin: origin)
        if signed.epoch == head.epoch { try folder.requireKept(signed, origin: origin) }
        let signers = try signers(epoch: head.epoch)
        if head.size > 0, !isSigned(head, by: signers) { try await sign(head, by: signers) }
        let frontier: Int64
        do throws(LogError) { frontier = try await log.frontier() } catch { throw AuditError(error) }
        let end = min(frontier, head.size + Self.stride)
        guard end > head.size else { return head }
        let full = edge.append(contentsOf: try await leaves(after: head.size, through: end))
        try await store.seal(head, edge, full: full, stream: lease.stream.text, fence: lease.fence)
        try await probe(.sealed)
        let next = TreeHead(epoch: head.epoch, size: edge.size, root: edge.root)
        try await sign(next, by: signers)
        return next
    }

    /// The leaves of some events; in a new epoch also of those that were archived.
    private func leaves(after position: Int64, through end: Int64) async throws(AuditError) -> [Hash] {
        do throws(AuditError) {
            return try await store.leaves(after: position, through: end)
        } catch {
            guard case .violated = error, let archive else { throw error }
            return try await Self.leaves(after: position, through: end, in: archive)
        }
    }

    private static func leaves(
        after position: Int64,
        through end: Int64,
        in archive: PostgresLog
    ) async throws(AuditError) -> [Hash] {
        var leaves: [Hash] = []
        do throws(LogError) {
            while Int64(leaves.count) < end - position {
                let next = position + Int64(leaves.count)
                let events = try await archive.stored(after: next, through: end, limit: 2000)
                guard !events.isEmpty else { throw .violated("position \(next + 1) is missing") }
                leaves += events.compactMap { Hash($0.leaf) }
            }
        } catch {
            throw AuditError(error)
        }
        return leaves
    }

    private func sign(_ head: TreeHead, by signers: [SigningKey]) async throws(AuditError) {
        try await folder.compare(head, of: store.tiles, origin: origin)
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
