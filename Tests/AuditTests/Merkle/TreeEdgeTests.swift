import Audit
import Testing

@Suite("The edge of the tree")
struct TreeEdgeTests {
    /// Where tiles fill up, and one after the other level.
    private static let sizes: [Int64] = [0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_793, 70_000]

    @Test("gives tiles from which every earlier tree can be read, across all boundaries")
    func boundaries() async throws {
        var range = CompactRange()
        var edge = TreeEdge()
        var tiles = MemoryTiles()
        var roots: [Int64: Hash] = [0: .empty]
        for number in 0..<70_000 {
            let leaf = Hash.sample(number)
            range.append(leaf)
            for full in edge.append(leaf) { tiles.store(full) }
            guard Self.sizes.contains(edge.size) else { continue }
            for partial in edge.partials { tiles.store(partial) }
            roots[edge.size] = range.root
            #expect(edge.root == range.root)
            // Whoever comes later takes up just where this one is.
            #expect(try await TreeEdge(size: edge.size, reading: tiles) == edge)
            #expect(Set(edge.partials.map(\.tile)) == Set(Tile.all(in: edge.size).filter { !$0.isFull }))
        }
        #expect(tiles.bytes.count == Tile.all(in: 70_000).count)
        var random = Numbers(6962)
        for new in Self.sizes {
            let tree = MerkleTree(size: new, reading: tiles)
            #expect(try await tree.root() == roots[new])
            for old in Self.sizes where old <= new {
                let proof = try await tree.consistency(from: old)
                #expect(proof.proves(try #require(roots[old]), begins: try #require(roots[new])), "\(old) to \(new)")
            }
            guard new > 0 else { continue }
            var places: Set<Int64> = [0, new / 2, new - 1]
            for _ in 0..<20 { places.insert(.random(in: 0..<new, using: &random)) }
            for index in places {
                let proof = try await tree.inclusion(of: index)
                #expect(proof.proves(.sample(Int(index)), in: try #require(roots[new])), "\(index) of \(new)")
            }
        }
    }

    @Test("finds out that a tile is gone")
    func gone() async throws {
        let tiles = MemoryTiles((0..<300).map(Hash.sample)).changed("1/0", to: nil)
        await #expect(throws: TileError.missing(Tile(level: 1, index: 0, width: 1))) {
            try await TreeEdge(size: 300, reading: tiles)
        }
        await #expect(throws: TileError.outside(size: -1)) { try await TreeEdge(size: -1, reading: tiles) }
    }
}

@Suite("The audit of a tree")
struct TreeAuditTests {
    private static let size = 66_000
    private static let leaves = (0..<size).map(Hash.sample)

    @Test("passes what is right")
    func right() async {
        #expect(await Self.difference(Self.leaves, MemoryTiles(Self.leaves)) == nil)
        #expect(await Self.difference([], MemoryTiles()) == nil)
    }

    @Test("names the first leaf that was changed", arguments: [0, 255, 256, 511, 512, 599])
    func leaf(index: Int) async {
        var leaves = Array(Self.leaves.prefix(600))
        let tiles = MemoryTiles(leaves)
        leaves[index] = leaves[index].flipped()
        #expect(await Self.difference(leaves, tiles) == .leaf(Int64(index)))
    }

    @Test("finds flipped bytes of every tile")
    func everyByte() async {
        let leaves = Array(Self.leaves.prefix(258))
        let tiles = MemoryTiles(leaves)
        #expect(tiles.bytes.keys.sorted() == ["0/0", "0/1", "1/0"])
        for (key, bytes) in tiles.bytes {
            // In the full tile every seventh, which meets each byte of a hash.
            for byte in stride(from: 0, to: bytes.count, by: key == "0/0" ? 7 : 1) {
                let changed = tiles.changed(key, to: bytes.flipped(bit: 8 * byte + byte % 8))
                let expected: TreeDifference =
                    key == "1/0"
                    ? .node(Tile(level: 1, index: 0, width: 1), place: 0)
                    : .leaf(Int64((key == "0/1" ? 256 : 0) + byte / 32))
                let found = await Self.difference(leaves, changed)
                if found != expected { Issue.record("byte \(byte) of \(key)") }
            }
        }
    }

    @Test("finds what is wrong above the leaves", arguments: [("1/0", 255), ("1/1", 0), ("2/0", 0)])
    func above(key: String, place: Int) async throws {
        let tiles = MemoryTiles(Self.leaves)
        let bytes = try #require(tiles.bytes[key])
        let found = await Self.difference(Self.leaves, tiles.changed(key, to: bytes.flipped(bit: place * 256)))
        guard case .node(let tile, let hash) = found else {
            Issue.record("\(key): \(String(describing: found))")
            return
        }
        #expect(MemoryTiles.key(tile) == key && hash == place)
    }

    @Test("finds leaves that are missing or too many, another root, and a tile that is gone")
    func sizes() async {
        let leaves = Array(Self.leaves.prefix(300))
        let tiles = MemoryTiles(leaves)
        let root = ReferenceTree(leaves).root(0..<300)
        #expect(await Self.difference(leaves, tiles, size: 300, root: root) == nil)
        #expect(await Self.difference(leaves.dropLast(), tiles, size: 300) == .size(299))
        #expect(await Self.difference(leaves, tiles, size: 299) == .size(299))
        #expect(await Self.difference(leaves, tiles, root: root.flipped()) == .root(found: root))
        let less = tiles.changed("0/0", to: nil)
        #expect(await Self.difference(leaves, less) == .unreadable(.missing(Tile(level: 0, index: 0))))
    }

    private static func difference(
        _ leaves: some Collection<Hash>,
        _ tiles: MemoryTiles,
        size: Int? = nil,
        root: Hash? = nil
    ) async -> TreeDifference? {
        var audit = TreeAudit(size: Int64(size ?? leaves.count), comparing: tiles)
        do throws(TreeDifference) {
            for leaf in leaves { try await audit.take(leaf) }
            try await audit.finish(expecting: root ?? audit.edge.root)
            return nil
        } catch {
            return error
        }
    }
}
