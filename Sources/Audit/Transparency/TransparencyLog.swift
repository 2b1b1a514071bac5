package import EventStore
internal import Kernel

/// The sealed log as others check it: checkpoints, tiles, entries, keys and proofs.
package struct TransparencyLog: Sendable {
    private let store: AuditStore
    private let log: PostgresLog

    /// - Parameters:
    ///   - store: Where the tree is.
    ///   - log: Where the events are.
    package init(store: AuditStore, log: PostgresLog) {
        self.store = store
        self.log = log
    }

    /// The newest signed checkpoint; `nil` before the first.
    ///
    /// - Throws: ``AuditError``.
    package func checkpoint() async throws(AuditError) -> String? {
        try await store.head(signed: true).note
    }

    /// The bytes of a tile; `nil` when the tree has none that is as wide.
    ///
    /// - Throws: ``AuditError``.
    package func tile(_ tile: Tile) async throws(AuditError) -> [UInt8]? {
        do throws(TileError) {
            let bytes = try await store.tiles.read(tile)
            return bytes.count == tile.width * Hash.size ? bytes : nil
        } catch {
            if case .missing = error { return nil }
            throw AuditError(error)
        }
    }

    /// The entries of a bundle, none of which has a payload; `nil` when not all of them are sealed.
    ///
    /// - Throws: ``AuditError``.
    package func entries(_ bundle: EntryTile) async throws(AuditError) -> [UInt8]? {
        let sealed = try await store.head(signed: true).size
        guard bundle.indices.upperBound <= sealed else { return nil }
        var events: [StoredEvent] = []
        do throws(LogError) {
            // A page ends where a file of the archive ends.
            while events.count < bundle.width {
                let after = bundle.indices.lowerBound + Int64(events.count)
                let page = try await log.stored(after: after, limit: bundle.width - events.count)
                guard !page.isEmpty else { return nil }
                events += page
            }
        } catch {
            throw AuditError(error)
        }
        return EntryBundle.bytes(events.map { Leaf($0.event, payloadHash: $0.payloadHash).entry })
    }

    /// Every key that has signed, in the order they began.
    ///
    /// - Throws: ``AuditError``.
    package func signers() async throws(AuditError) -> [SignerRecord] {
        try await store.signers()
    }

    /// Proves, to anybody who has the log's key, that an event is in the log; discloses its entry and nothing of others.
    ///
    /// - Parameter position: Of the event.
    /// - Returns: A proof with the entry in `extra`; `nil` when no signed checkpoint covers the position yet.
    /// - Throws: ``AuditError``; `violated` when the event is not the one that was sealed.
    package func proof(at position: Int64) async throws(AuditError) -> LogProof? {
        guard position > 0, let event = try await stored(at: position) else { return nil }
        return try await proof(of: event)
    }

    /// The event at a position as it is kept, with what makes the hash of its payload; `nil` when there is none.
    ///
    /// - Throws: ``AuditError``.
    package func stored(at position: Int64) async throws(AuditError) -> StoredEvent? {
        do throws(LogError) {
            return try await log.stored(after: position - 1, limit: 1).first
        } catch {
            throw AuditError(error)
        }
    }

    /// The same as ``proof(at:)``, of an event that is at hand.
    ///
    /// - Throws: ``AuditError``; `violated` when the event is not the one that was sealed.
    package func proof(of event: StoredEvent) async throws(AuditError) -> LogProof? {
        let position = event.event.position
        let head = try await store.head(signed: true)
        guard let text = head.note, position <= head.size else { return nil }
        let leaf = Leaf(event.event, payloadHash: event.payloadHash)
        let inclusion: InclusionProof
        do throws(TileError) {
            inclusion = try await MerkleTree(size: head.size, reading: store.tiles).inclusion(of: position - 1)
        } catch {
            throw AuditError(error)
        }
        guard inclusion.proves(.leaf(leaf.entry), in: head.root) else {
            throw .violated("the event at position \(position) is not the one that was sealed")
        }
        do throws(NoteError) {
            return LogProof(inclusion, in: try SignedNote(text.utf8), extra: leaf.entry)
        } catch {
            throw .violated("the checkpoint of \(head.size) events is damaged: \(error)")
        }
    }

    /// Proves, to whoever kept an older checkpoint, that the log only grew since.
    ///
    /// - Parameter size: Of the tree in that checkpoint.
    /// - Returns: A proof for the newest checkpoint; `nil` when that one does not cover as many events.
    /// - Throws: ``AuditError``.
    package func growth(since size: Int64) async throws(AuditError) -> GrowthProof? {
        let head = try await store.head(signed: true)
        guard let text = head.note, (1...max(1, head.size)).contains(size), head.size > 0 else { return nil }
        let consistency: ConsistencyProof
        do throws(TileError) {
            consistency = try await MerkleTree(size: head.size, reading: store.tiles).consistency(from: size)
        } catch {
            throw AuditError(error)
        }
        do throws(NoteError) {
            return GrowthProof(consistency, in: try SignedNote(text.utf8))
        } catch {
            throw .violated("the checkpoint of \(head.size) events is damaged: \(error)")
        }
    }
}
