/// Where a log is not what its checkpoint says.
package struct Difference: Error, Sendable, Equatable, CustomStringConvertible {
    /// The first position that is touched; `nil` when it cannot be told.
    package let position: Int64?
    /// For people.
    package let description: String

    package init(position: Int64?, _ description: String) {
        self.position = position
        self.description = description
    }
}

/// Builds the tree again from the leaves and holds it against the tiles, one after the other, and at last against the
/// checkpoint.
struct TreeCheck<Tiles: TileReader> {
    private var edge = TreeEdge()
    private let tiles: Tiles

    init(_ tiles: Tiles) {
        self.tiles = tiles
    }

    /// How many leaves it has.
    var size: Int64 { edge.size }

    /// Adds the next leaf.
    ///
    /// - Returns: The first difference to the tiles that are full now.
    /// - Throws: ``AuditError/unavailable(_:)``.
    mutating func take(_ leaf: Hash) async throws(AuditError) -> Difference? {
        for made in edge.append(leaf) {
            if let difference = try await compare(made) { return difference }
        }
        return nil
    }

    /// Ends with what the checkpoint says.
    ///
    /// - Returns: The first difference to the tiles that are not full, or to the root.
    /// - Throws: ``AuditError/unavailable(_:)``.
    func finish(_ checkpoint: Checkpoint) async throws(AuditError) -> Difference? {
        guard edge.size == checkpoint.size else {
            return Difference(
                position: min(edge.size, checkpoint.size) + 1,
                "there are \(edge.size) events, and the checkpoint covers \(checkpoint.size)"
            )
        }
        for made in edge.partials {
            if let difference = try await compare(made) { return difference }
        }
        guard edge.root == checkpoint.root else {
            return Difference(position: nil, "the root of the tree is not that of the checkpoint")
        }
        return nil
    }

    private func compare(_ made: StoredTile) async throws(AuditError) -> Difference? {
        let first = { (offset: Int) -> Int64 in
            ((made.tile.index * 256 + Int64(offset)) << Int64(8 * made.tile.level)) + 1
        }
        let found: [Hash]
        do throws(TileError) {
            found = try await tiles.hashes(of: made.tile)
        } catch {
            if case .unavailable(let reason) = error { throw .unavailable(reason) }
            return Difference(position: first(0), error.description)
        }
        guard let offset = zip(found, made.hashes).enumerated().first(where: { $1.0 != $1.1 })?.offset else {
            return nil
        }
        return Difference(position: first(offset), "\(made.tile.path) does not have the hash of what the log has there")
    }
}
