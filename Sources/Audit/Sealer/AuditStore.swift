internal import Kernel
package import Postgres

/// The tree as Postgres keeps it: tiles, checkpoints, and who signed.
package struct AuditStore: Sendable {
    private let pool: Pool

    /// - Parameter pool: As a role that may read the log; sealing takes `signalbox_append`.
    package init(pool: Pool) {
        self.pool = pool
    }

    /// The hashes of the tree.
    package var tiles: PostgresTiles { PostgresTiles(pool: pool) }

    /// The newest checkpoint of the present epoch.
    ///
    /// - Parameter signed: Whether only one that is signed will do.
    /// - Returns: Of size 0 when there is none.
    /// - Throws: ``AuditError``.
    package func head(signed: Bool = false) async throws(AuditError) -> TreeHead {
        let (epoch, size, root, note, sealedAt) = try await AuditError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT h.incarnation, c.size, c.root, c.note, c.sealed_at
                      FROM log.head AS h
                      LEFT JOIN LATERAL (
                        SELECT c.size, c.root, c.note, c.sealed_at
                          FROM log.checkpoint AS c
                         WHERE c.epoch = h.incarnation
                           AND (c.note IS NOT NULL OR NOT \(signed))
                         ORDER BY c.size DESC
                         LIMIT 1
                      ) AS c ON true
                    """,
                    prepared: true
                ).decode(0, Int.self, Int64?.self, [UInt8]?.self, String?.self, Timestamp?.self)
            }
        }
        guard let size, let bytes = root, let root = Hash(bytes) else { return TreeHead(epoch: epoch) }
        return TreeHead(epoch: epoch, size: size, root: root, note: note, sealedAt: sealedAt)
    }

    /// The right edge of the tree, once it makes the root of the last checkpoint.
    ///
    /// - Parameter head: The last checkpoint.
    /// - Returns: What leaves are added to.
    /// - Throws: ``AuditError``; `refused` when the tiles make another root.
    package func edge(of head: TreeHead) async throws(AuditError) -> TreeEdge {
        let edge: TreeEdge
        do throws(TileError) {
            edge = try await TreeEdge(size: head.size, reading: tiles)
        } catch {
            guard case .unavailable(let reason) = error else { throw .refused(.tilesChanged(size: head.size)) }
            throw .unavailable(reason)
        }
        guard edge.root == head.root else { throw .refused(.tilesChanged(size: head.size)) }
        return edge
    }

    /// The leaf hashes after a position, in order.
    ///
    /// - Throws: ``AuditError``; `violated` when one is missing.
    func leaves(after position: Int64, through end: Int64) async throws(AuditError) -> [Hash] {
        let rows = try await AuditError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT leaf
                      FROM log.event
                     WHERE position > \(position)
                       AND position <= \(end)
                     ORDER BY position
                    """
                ).column([UInt8].self)
            }
        }
        let leaves = rows.compactMap { Hash($0) }
        guard leaves.count == end - position else {
            throw .violated("an event after position \(position) has no leaf")
        }
        return leaves
    }

    /// Extends the tree, for the holder of the sealer's lease; when this returns it is on disk.
    ///
    /// - Parameters:
    ///   - old: Where the tree ends now.
    ///   - edge: The longer tree.
    ///   - full: The tiles that became full meanwhile.
    ///   - stream: Names the lease.
    ///   - fence: Proves it.
    /// - Throws: ``AuditError``; `fenced` when the lease is gone or the tree does not end there any more.
    func seal(
        _ old: TreeHead,
        _ edge: TreeEdge,
        full: [StoredTile],
        stream: String,
        fence: Int64
    ) async throws(AuditError) {
        // A level whose last tile has no more hashes than before is as it was, and a tile is only written to grow.
        let grown = edge.partials.filter { tile in
            let shift = Int64(8 * tile.tile.level)
            return old.size >> shift != edge.size >> shift
        }
        let tiles = full + grown
        let levels = tiles.map { Int16($0.tile.level) }
        let numbers = tiles.map(\.tile.index)
        let hashes = tiles.map(\.bytes)
        let (size, root) = (edge.size, edge.root.bytes)
        let sealed = try await AuditError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT log.seal(\(stream), \(fence), \(Int32(old.epoch)), \(old.size), \(old.root.bytes), \(size),
                           \(root), \(array: levels), \(array: numbers), \(array: hashes))
                    """,
                    prepared: true
                ).decode(0, Bool.self)
            }
        }
        guard sealed else { throw .fenced }
    }

    /// Makes a checkpoint public.
    ///
    /// - Throws: ``AuditError``; `violated` when there is no such checkpoint.
    func publish(_ head: TreeHead, note: String, vkeys: [String]) async throws(AuditError) {
        let known = try await AuditError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT log.publish_checkpoint(\(Int32(head.epoch)), \(head.size), \(head.root.bytes), \(note),
                           \(array: vkeys))
                    """,
                    prepared: true
                ).decode(0, Bool.self)
            }
        }
        guard known else { throw .violated("the checkpoint of \(head.size) events is gone") }
    }

    /// Every key that has signed, in the order they began.
    package func signers() async throws(AuditError) -> [SignerRecord] {
        let head = try await head(signed: true)
        let rows = try await AuditError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT vkey, epoch, first_size, last_size
                      FROM log.audit_key
                     ORDER BY epoch, first_size, vkey
                    """
                ).all(String.self, Int.self, Int64.self, Int64.self)
            }
        }
        return rows.map { vkey, epoch, first, last in
            SignerRecord(
                vkey: vkey,
                epoch: epoch,
                firstSize: first,
                lastSize: last,
                isCurrent: epoch == head.epoch && last == head.size
            )
        }
    }
}

/// The tiles in `log.tile`.
package struct PostgresTiles: TileReader {
    let pool: Pool

    package func read(_ tile: Tile) async throws(TileError) -> [UInt8] {
        let (level, index, count) = (Int16(tile.level), tile.index, Int32(tile.width * Hash.size))
        let found: [UInt8]?
        do throws(PostgresError) {
            found = try await pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT substring(hashes FOR \(count))
                      FROM log.tile
                     WHERE level = \(level)
                       AND number = \(index)
                    """,
                    prepared: true
                ).column([UInt8].self).first
            }
        } catch {
            throw .unavailable("the tiles cannot be read now")
        }
        guard let found else { throw .missing(tile) }
        return found
    }
}
