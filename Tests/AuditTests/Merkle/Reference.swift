import Audit
import EventStore
import Kernel

/// The tree as RFC 6962, section 2.1, defines it, word for word and without thought of speed.
final class ReferenceTree {
    let leaves: [Hash]
    private var known: [Range<Int>: Hash] = [:]

    init(_ leaves: [Hash]) {
        self.leaves = leaves
    }

    /// MTH(D[range]).
    func root(_ range: Range<Int>) -> Hash {
        if range.isEmpty { return .empty }
        if range.count == 1 { return leaves[range.lowerBound] }
        if let hash = known[range] { return hash }
        let middle = range.lowerBound + split(range.count)
        let hash = Hash.node(root(range.lowerBound..<middle), root(middle..<range.upperBound))
        known[range] = hash
        return hash
    }

    /// PATH(m, D[range]).
    func path(_ index: Int, _ range: Range<Int>) -> [Hash] {
        if range.count == 1 { return [] }
        let middle = range.lowerBound + split(range.count)
        if index < middle {
            return path(index, range.lowerBound..<middle) + [root(middle..<range.upperBound)]
        }
        return path(index, middle..<range.upperBound) + [root(range.lowerBound..<middle)]
    }

    /// PROOF(m, D[0:n]).
    func proof(_ old: Int, _ new: Int) -> [Hash] {
        old == 0 ? [] : subproof(old, 0..<new, true)
    }

    private func subproof(_ count: Int, _ range: Range<Int>, _ complete: Bool) -> [Hash] {
        if count == range.count { return complete ? [] : [root(range)] }
        let width = split(range.count)
        let middle = range.lowerBound + width
        if count <= width {
            return subproof(count, range.lowerBound..<middle, complete) + [root(middle..<range.upperBound)]
        }
        return subproof(count - width, middle..<range.upperBound, false) + [root(range.lowerBound..<middle)]
    }

    /// The largest power of two below a number.
    private func split(_ count: Int) -> Int {
        var width = 1
        while width * 2 < count { width *= 2 }
        return width
    }
}

/// Tiles in memory: at each place the widest that there was.
struct MemoryTiles: TileReader {
    var bytes: [String: [UInt8]] = [:]

    init() {}

    /// All tiles over these leaves.
    init(_ leaves: some Sequence<Hash>) {
        var edge = TreeEdge()
        for tile in edge.append(contentsOf: leaves) + edge.partials { store(tile) }
    }

    /// Whatever bytes in the place of one tile.
    init(_ tile: Tile, bytes: [UInt8]) {
        self.bytes = [Self.key(tile): bytes]
    }

    /// The same without a tile, or with other bytes in its place.
    func changed(_ key: String, to bytes: [UInt8]?) -> MemoryTiles {
        var tiles = self
        tiles.bytes[key] = bytes
        return tiles
    }

    mutating func store(_ stored: StoredTile) {
        bytes[Self.key(stored.tile)] = stored.bytes
    }

    func read(_ tile: Tile) async throws(TileError) -> [UInt8] {
        guard let bytes = bytes[Self.key(tile)] else { throw .missing(tile) }
        return bytes
    }

    static func key(_ tile: Tile) -> String { "\(tile.level)/\(tile.index)" }
}

extension Hash {
    /// A leaf like no other.
    static func sample(_ number: Int) -> Hash { .leaf(Array("leaf \(number)".utf8)) }

    /// The same with one bit changed.
    func flipped(bit: Int = 0) -> Hash { Hash(bytes.flipped(bit: bit)) ?? self }
}

extension [UInt8] {
    /// The same with one bit changed.
    func flipped(bit: Int) -> [UInt8] {
        var bytes = self
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        return bytes
    }
}

/// The same numbers in each run (SplitMix64).
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
