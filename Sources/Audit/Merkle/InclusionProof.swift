/// That a leaf is at a place in a tree: the hashes on the way from the leaf to the root (RFC 6962, 2.1.1).
package struct InclusionProof: Sendable, Equatable {
    /// Which leaf, from 0.
    package let index: Int64
    /// How many leaves the tree has.
    package let size: Int64
    /// From the leaf's neighbour to a child of the root.
    package let hashes: [Hash]

    /// Holds what somebody claims.
    ///
    /// - Parameters:
    ///   - index: Which leaf, from 0.
    ///   - size: How many leaves the tree has.
    ///   - hashes: From the leaf's neighbour to a child of the root.
    package init(index: Int64, size: Int64, hashes: [Hash]) {
        self.index = index
        self.size = size
        self.hashes = hashes
    }

    /// The root of the tree that has this leaf at this place; `nil` when no tree can have this proof.
    ///
    /// The steps are those of RFC 9162, 2.1.3.2.
    package func root(over leaf: Hash) -> Hash? {
        guard index >= 0, index < size else { return nil }
        var place = index
        var last = size - 1
        var root = leaf
        for hash in hashes {
            guard last > 0 else { return nil }
            if place & 1 == 1 || place == last {
                root = .node(hash, root)
                let levels = place == 0 ? 0 : place.trailingZeroBitCount
                place >>= Int64(levels)
                last >>= Int64(levels)
            } else {
                root = .node(root, hash)
            }
            place >>= 1
            last >>= 1
        }
        return last == 0 ? root : nil
    }

    /// Whether the leaf is in the tree with this root.
    package func proves(_ leaf: Hash, in root: Hash) -> Bool {
        self.root(over: leaf) == root
    }
}
