/// The tree over the first so many leaves of a log, read from tiles; makes proofs (RFC 6962, section 2.1).
///
/// It believes the tiles: a proof from a changed tile is one that nobody accepts.
package struct MerkleTree<Tiles: TileReader>: Sendable {
    /// How many leaves it has.
    package let size: Int64

    private let nodes: TileNodes<Tiles>

    /// Looks at a tree.
    ///
    /// - Parameters:
    ///   - size: How many leaves it has.
    ///   - tiles: Has the tiles of this tree, or of a larger one that began the same.
    package init(size: Int64, reading tiles: Tiles) {
        self.size = size
        nodes = TileNodes(tiles)
    }

    /// The hash of everything.
    ///
    /// - Throws: ``TileError``.
    package func root() async throws(TileError) -> Hash {
        guard size >= 0 else { throw .outside(size: size) }
        return size == 0 ? .empty : try await hash(of: 0..<size)
    }

    /// Proves that a leaf is in the tree.
    ///
    /// - Parameter index: Which leaf, from 0.
    /// - Returns: A proof that holds for this size.
    /// - Throws: ``TileError``.
    package func inclusion(of index: Int64) async throws(TileError) -> InclusionProof {
        guard (0..<max(0, size)).contains(index) else { throw .outside(size: size) }
        return InclusionProof(index: index, size: size, hashes: try await hashes(of: .inclusion(of: index, in: size)))
    }

    /// Proves that a smaller tree is the beginning of this one.
    ///
    /// - Parameter old: The size of the smaller tree.
    /// - Returns: A proof that holds for these two sizes.
    /// - Throws: ``TileError``.
    package func consistency(from old: Int64) async throws(TileError) -> ConsistencyProof {
        guard size >= 0, (0...size).contains(old) else { throw .outside(size: size) }
        return ConsistencyProof(old: old, new: size, hashes: try await hashes(of: .consistency(of: old, with: size)))
    }

    /// The hash of a leaf.
    ///
    /// - Parameter index: Which leaf, from 0.
    /// - Returns: What the tile of level 0 has there.
    /// - Throws: ``TileError``.
    package func leaf(_ index: Int64) async throws(TileError) -> Hash {
        guard (0..<max(0, size)).contains(index) else { throw .outside(size: size) }
        return try await hash(of: index..<index + 1)
    }

    private func hashes(of ranges: [Range<Int64>]) async throws(TileError) -> [Hash] {
        var hashes: [Hash] = []
        for range in ranges { hashes.append(try await hash(of: range)) }
        return hashes
    }

    /// The hash of a subtree, which begins where a complete one of at least its length would.
    private func hash(of range: Range<Int64>) async throws(TileError) -> Hash {
        var peaks: [Hash] = []
        var start = range.lowerBound
        while start < range.upperBound {
            let height = 63 - (range.upperBound - start).leadingZeroBitCount
            peaks.append(try await nodes.hash(height: height, index: start >> Int64(height), in: size))
            start += 1 << Int64(height)
        }
        return .root(of: peaks)
    }
}

extension [Range<Int64>] {
    /// The subtrees whose hashes prove a leaf, the leaf's neighbour first (RFC 6962, 2.1.1).
    static func inclusion(of index: Int64, in size: Int64) -> Self {
        var path: Self = []
        var tree = 0..<size
        while tree.count > 1 {
            let middle = tree.split
            if index < middle {
                path.append(middle..<tree.upperBound)
                tree = tree.lowerBound..<middle
            } else {
                path.append(tree.lowerBound..<middle)
                tree = middle..<tree.upperBound
            }
        }
        return path.reversed()
    }

    /// The subtrees whose hashes prove that a smaller tree begins a larger one (RFC 6962, 2.1.2).
    static func consistency(of old: Int64, with new: Int64) -> Self {
        guard old > 0, old < new else { return [] }
        var path: Self = []
        var tree = 0..<new
        while tree.upperBound > old {
            let middle = tree.split
            if old <= middle {
                path.append(middle..<tree.upperBound)
                tree = tree.lowerBound..<middle
            } else {
                path.append(tree.lowerBound..<middle)
                tree = middle..<tree.upperBound
            }
        }
        // The old tree itself is known to whoever checks.
        if tree.lowerBound > 0 { path.append(tree) }
        return path.reversed()
    }
}

extension Range<Int64> {
    /// Where a tree over these leaves is divided: after the largest power of two that is less than their number.
    fileprivate var split: Int64 {
        lowerBound + 1 << Int64(63 - (upperBound - lowerBound - 1).leadingZeroBitCount)
    }
}
