/// Where the tiles of a tree are: a table, a folder, a server, memory.
package protocol TileReader: Sendable {
    /// The bytes of a tile: 32 for each hash.
    ///
    /// A wider tile at the same place will do: the hashes that are asked for are its first ones.
    func read(_ tile: Tile) async throws(TileError) -> [UInt8]
}

/// Why there are no hashes of a tile.
package enum TileError: Error, Equatable, Sendable {
    /// There is no such tile, or it is not wide enough.
    case missing(Tile)
    /// Its bytes are not a sequence of hashes.
    case damaged(Tile)
    /// They cannot be had at the moment; the text may be shown to anyone.
    case unavailable(String)
    /// The question makes no sense for a tree of this size.
    case outside(size: Int64)
}

extension TileError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let tile): "\(tile.path) is missing"
        case .damaged(let tile): "\(tile.path) is not a sequence of hashes"
        case .unavailable(let reason): reason
        case .outside(let size): "the tree of \(size) leaves has no such place"
        }
    }
}

extension TileReader {
    /// The hashes of a tile, exactly as many as it is wide.
    ///
    /// - Throws: ``TileError``.
    package func hashes(of tile: Tile) async throws(TileError) -> [Hash] {
        let bytes = try await read(tile)
        guard bytes.count.isMultiple(of: Hash.size), bytes.count <= Tile.fullWidth * Hash.size else {
            throw .damaged(tile)
        }
        guard bytes.count >= tile.width * Hash.size else { throw .missing(tile) }
        return Hash.sequence(bytes[..<(tile.width * Hash.size)])
    }
}

extension Hash {
    /// As many hashes as bytes are there for.
    static func sequence(_ bytes: ArraySlice<UInt8>) -> [Hash] {
        stride(from: bytes.startIndex, to: bytes.endIndex, by: size).compactMap { start in
            Hash(bytes[start..<min(start + size, bytes.endIndex)])
        }
    }
}
