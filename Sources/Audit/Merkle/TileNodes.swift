internal import Synchronization

/// Every node of a tree by way of its tiles, with the nodes inside of the tiles that were read last.
final class TileNodes<Tiles: TileReader>: Sendable {
    /// How many tiles are kept, some 16 KB each.
    private static var kept: Int { 64 }

    private let tiles: Tiles
    private let rows = Mutex<[Tile: [[Hash]]]>([:])

    init(_ tiles: Tiles) {
        self.tiles = tiles
    }

    /// The root of the complete subtree with 2^height leaves at an index among those.
    func hash(height: Int, index: Int64, in size: Int64) async throws(TileError) -> Hash {
        let (level, row) = height.quotientAndRemainder(dividingBy: 8)
        let perTile = Int64(Tile.fullWidth >> row)
        guard let tile = Tile(level: level, index: index / perTile, in: size) else { throw .outside(size: size) }
        let rows = try await rows(of: tile)
        return rows[row][Int(index % perTile)]
    }

    /// The hashes of a tile, those of each two of them, and so on, as far as there are two.
    private func rows(of tile: Tile) async throws(TileError) -> [[Hash]] {
        if let known = rows.withLock({ $0[tile] }) { return known }
        var found = [try await tiles.hashes(of: tile)]
        while let last = found.last, last.count > 1, found.count < 8 {
            found.append(stride(from: 0, to: last.count - 1, by: 2).map { .node(last[$0], last[$0 + 1]) })
        }
        rows.withLock { rows in
            if rows.count >= Self.kept { rows = [:] }
            rows[tile] = found
        }
        return found
    }
}
