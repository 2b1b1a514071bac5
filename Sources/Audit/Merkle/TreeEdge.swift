/// A tile with its hashes, as it is stored.
package struct StoredTile: Sendable, Equatable {
    package let tile: Tile
    package let hashes: [Hash]

    /// 32 for each hash.
    package var bytes: [UInt8] { hashes.flatMap(\.bytes) }
}

/// The right edge of a tree that is kept as tiles: what is needed to add leaves to it and to know its root.
///
/// It is the one tile of every level that is not full yet.
package struct TreeEdge: Sendable, Equatable {
    /// How many leaves the tree has.
    package private(set) var size: Int64 = 0

    /// What the tile at the end of each level has, fewer than 256 hashes.
    private var levels: [[Hash]] = []

    package init() {}

    /// Takes up a tree where it was left.
    ///
    /// The caller compares ``root`` with what was signed.
    ///
    /// - Parameters:
    ///   - size: How many leaves the tree has.
    ///   - tiles: Has its tiles.
    /// - Throws: ``TileError``.
    package init(size: Int64, reading tiles: some TileReader) async throws(TileError) {
        guard size >= 0 else { throw .outside(size: size) }
        self.size = size
        for level in 0... {
            let count = size >> Int64(8 * level)
            guard count > 0 else { break }
            guard count % 256 > 0, let tile = Tile(level: level, index: count / 256, in: size) else {
                levels.append([])
                continue
            }
            levels.append(try await tiles.hashes(of: tile))
        }
    }

    /// Adds a leaf at the right.
    ///
    /// - Parameter leaf: Its hash.
    /// - Returns: The tiles that are full now.
    package mutating func append(_ leaf: Hash) -> [StoredTile] {
        var full: [StoredTile] = []
        var hash = leaf
        size += 1
        for level in 0... {
            if level == levels.count { levels.append([]) }
            levels[level].append(hash)
            guard levels[level].count == Tile.fullWidth else { break }
            let tile = Tile(level: level, index: (size >> Int64(8 * (level + 1))) - 1)
            let hashes = levels[level]
            levels[level] = []
            full.append(StoredTile(tile: tile, hashes: hashes))
            hash = .root(ofComplete: hashes[...])
        }
        return full
    }

    /// Adds leaves at the right.
    ///
    /// - Parameter leaves: Their hashes, in order.
    /// - Returns: The tiles that became full.
    package mutating func append(contentsOf leaves: some Sequence<Hash>) -> [StoredTile] {
        var full: [StoredTile] = []
        for leaf in leaves { full += append(leaf) }
        return full
    }

    /// The tiles that are not full, at most one for each level.
    package var partials: [StoredTile] {
        levels.enumerated().filter { !$0.element.isEmpty }.map { level, hashes in
            let tile = Tile(level: level, index: size >> Int64(8 * (level + 1)), width: hashes.count)
            return StoredTile(tile: tile, hashes: hashes)
        }
    }

    /// The root as RFC 6962 defines it.
    package var root: Hash {
        var peaks: [Hash] = []
        for hashes in levels.reversed() {
            var rest = hashes[...]
            while !rest.isEmpty {
                let width = 1 << (Int.bitWidth - 1 - rest.count.leadingZeroBitCount)
                peaks.append(.root(ofComplete: rest.prefix(width)))
                rest.removeFirst(width)
            }
        }
        return .root(of: peaks)
    }
}

extension Hash {
    /// The root over as many neighbouring subtrees of one size as a power of two.
    static func root(ofComplete hashes: ArraySlice<Hash>) -> Hash {
        var row = Array(hashes)
        while row.count > 1 {
            row = stride(from: 0, to: row.count, by: 2).map { .node(row[$0], row[$0 + 1]) }
        }
        return row[0]
    }
}
