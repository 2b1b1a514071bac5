/// A tree that only grows, kept as the roots of its complete subtrees: a few dozen hashes however many leaves it has.
///
/// It is how whoever has all leaves finds the root.
package struct CompactRange: Sendable, Equatable {
    /// How many leaves it has.
    package private(set) var size: Int64 = 0

    /// The roots of the complete subtrees, the largest (and leftmost) first: one for each bit of the size.
    package private(set) var peaks: [Hash] = []

    package init() {}

    /// Adds a leaf at the right.
    package mutating func append(_ leaf: Hash) {
        var hash = leaf
        for _ in 0..<(~size).trailingZeroBitCount {
            hash = .node(peaks.removeLast(), hash)
        }
        peaks.append(hash)
        size += 1
    }

    /// The root as RFC 6962 defines it.
    package var root: Hash { .root(of: peaks) }
}

extension Hash {
    /// The root over subtrees, of which each one is complete and larger than the next.
    static func root(of peaks: some BidirectionalCollection<Hash>) -> Hash {
        guard var hash = peaks.last else { return .empty }
        for peak in peaks.dropLast().reversed() { hash = .node(peak, hash) }
        return hash
    }
}
