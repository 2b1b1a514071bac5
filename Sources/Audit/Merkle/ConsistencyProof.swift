/// That a tree is the beginning of a larger one: nothing was changed, removed or put in between (RFC 6962, 2.1.2).
package struct ConsistencyProof: Sendable, Equatable {
    /// How many leaves the smaller tree has.
    package let old: Int64
    /// How many leaves the larger tree has.
    package let new: Int64
    /// None when one of the trees is empty or both are the same.
    package let hashes: [Hash]

    /// Holds what somebody claims.
    ///
    /// - Parameters:
    ///   - old: How many leaves the smaller tree has.
    ///   - new: How many leaves the larger tree has.
    ///   - hashes: In the order of RFC 6962.
    package init(old: Int64, new: Int64, hashes: [Hash]) {
        self.old = old
        self.new = new
        self.hashes = hashes
    }

    /// Whether the tree with one root begins the tree with the other.
    ///
    /// The steps are those of RFC 9162, 2.1.4.2.
    ///
    /// - Parameters:
    ///   - oldRoot: The root of the smaller tree.
    ///   - newRoot: The root of the larger tree.
    /// - Returns: `false` also for sizes and hashes that make no sense.
    package func proves(_ oldRoot: Hash, begins newRoot: Hash) -> Bool {
        guard old >= 0, old <= new else { return false }
        if old == new { return hashes.isEmpty && oldRoot == newRoot && (old > 0 || oldRoot == .empty) }
        if old == 0 { return hashes.isEmpty && oldRoot == .empty }
        // A complete tree is a node of the larger one, and whoever checks has it.
        let path = old & (old - 1) == 0 ? [oldRoot] + hashes : hashes
        guard let first = path.first else { return false }
        let complete = (~(old - 1)).trailingZeroBitCount
        var place = (old - 1) >> Int64(complete)
        var last = (new - 1) >> Int64(complete)
        var before = first
        var after = first
        for hash in path.dropFirst() {
            guard last > 0 else { return false }
            if place & 1 == 1 || place == last {
                before = .node(hash, before)
                after = .node(hash, after)
                let levels = place == 0 ? 0 : place.trailingZeroBitCount
                place >>= Int64(levels)
                last >>= Int64(levels)
            } else {
                after = .node(after, hash)
            }
            place >>= 1
            last >>= 1
        }
        return last == 0 && before == oldRoot && after == newRoot
    }
}
