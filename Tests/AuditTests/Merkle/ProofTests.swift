import Audit
import Testing

@Suite("Proofs")
struct ProofTests {
    private static let most = 300

    @Test("of inclusion: every leaf of every tree of up to 300 leaves")
    func inclusion() async throws {
        let reference = ReferenceTree((0..<Self.most).map(Hash.sample))
        let tiles = MemoryTiles(reference.leaves)
        for size in 1...Self.most {
            let tree = MerkleTree(size: Int64(size), reading: tiles)
            let root = reference.root(0..<size)
            #expect(try await tree.root() == root)
            for index in 0..<size {
                let proof = try await tree.inclusion(of: Int64(index))
                let leaf = reference.leaves[index]
                // One expectation for all, for they are forty-five thousand.
                let right =
                    proof.hashes == reference.path(index, 0..<size) && proof.proves(leaf, in: root)
                    && !proof.proves(leaf.flipped(), in: root) && !proof.proves(leaf, in: root.flipped())
                if !right { Issue.record("leaf \(index) of \(size)") }
            }
        }
        let leaf = try await MerkleTree(size: 300, reading: tiles).leaf(299)
        #expect(leaf == reference.leaves[299])
    }

    @Test("of consistency: every two trees of up to 300 leaves")
    func consistency() async throws {
        let reference = ReferenceTree((0..<Self.most).map(Hash.sample))
        let tiles = MemoryTiles(reference.leaves)
        for new in 0...Self.most {
            let tree = MerkleTree(size: Int64(new), reading: tiles)
            let newRoot = reference.root(0..<new)
            for old in 0...new {
                let proof = try await tree.consistency(from: Int64(old))
                let oldRoot = reference.root(0..<old)
                let right =
                    proof.hashes == reference.proof(old, new) && proof.proves(oldRoot, begins: newRoot)
                    && !proof.proves(oldRoot.flipped(), begins: newRoot)
                    && (old == 0 || !proof.proves(oldRoot, begins: newRoot.flipped()))
                if !right { Issue.record("\(old) to \(new)") }
            }
        }
    }

    @Test("of inclusion are refused when anything about them is changed", arguments: 1...33)
    func forgedInclusion(size: Int) async throws {
        let reference = ReferenceTree((0..<size).map(Hash.sample))
        let tree = MerkleTree(size: Int64(size), reading: MemoryTiles(reference.leaves))
        let root = reference.root(0..<size)
        for index in 0..<size {
            let proof = try await tree.inclusion(of: Int64(index))
            let leaf = reference.leaves[index]
            #expect(proof.proves(leaf, in: root))
            for other in 0...size where other != index {
                let moved = InclusionProof(index: Int64(other), size: Int64(size), hashes: proof.hashes)
                #expect(!moved.proves(leaf, in: root), "\(index) shown as \(other)")
            }
            for hashes in Self.changed(proof.hashes, with: [leaf, root]) {
                let forged = InclusionProof(index: Int64(index), size: Int64(size), hashes: hashes)
                #expect(!forged.proves(leaf, in: root), "\(index) of \(size)")
            }
        }
    }

    @Test("of consistency are refused when anything about them is changed", arguments: 2...33)
    func forgedConsistency(new: Int) async throws {
        let reference = ReferenceTree((0..<new).map(Hash.sample))
        let tree = MerkleTree(size: Int64(new), reading: MemoryTiles(reference.leaves))
        let newRoot = reference.root(0..<new)
        for old in 1..<new {
            let proof = try await tree.consistency(from: Int64(old))
            let oldRoot = reference.root(0..<old)
            #expect(proof.proves(oldRoot, begins: newRoot))
            #expect(!proof.proves(newRoot, begins: oldRoot))
            let back = ConsistencyProof(old: Int64(new), new: Int64(old), hashes: proof.hashes)
            #expect(!back.proves(newRoot, begins: oldRoot))
            for hashes in Self.changed(proof.hashes, with: [oldRoot, newRoot]) {
                let forged = ConsistencyProof(old: Int64(old), new: Int64(new), hashes: hashes)
                #expect(!forged.proves(oldRoot, begins: newRoot), "\(old) to \(new)")
            }
        }
    }

    @Test("with sizes that make no sense are refused, not crashed on")
    func nonsense() {
        let hash = Hash.sample(0)
        let numbers: [Int64] = [.min, -1, 0, 1, 2, 3, .max - 1, .max]
        for first in numbers {
            for second in numbers {
                for count in [0, 1, 62, 63, 64, 200] {
                    let hashes = [Hash](repeating: hash, count: count)
                    let inclusion = InclusionProof(index: first, size: second, hashes: hashes)
                    #expect(inclusion.proves(hash, in: hash) == (first == 0 && second == 1 && count == 0))
                    let consistency = ConsistencyProof(old: first, new: second, hashes: hashes)
                    #expect(consistency.proves(hash, begins: hash) == (first == second && first > 0 && count == 0))
                }
            }
        }
    }

    @Test("cannot be asked for where there is nothing")
    func outside() async throws {
        let tree = MerkleTree(size: 5, reading: MemoryTiles((0..<5).map(Hash.sample)))
        await #expect(throws: TileError.outside(size: 5)) { try await tree.inclusion(of: 5) }
        await #expect(throws: TileError.outside(size: 5)) { try await tree.inclusion(of: -1) }
        await #expect(throws: TileError.outside(size: 5)) { try await tree.consistency(from: 6) }
        await #expect(throws: TileError.outside(size: 5)) { try await tree.leaf(5) }
        let larger = MerkleTree(size: 6, reading: MemoryTiles((0..<5).map(Hash.sample)))
        await #expect(throws: TileError.missing(Tile(level: 0, index: 0, width: 6))) { try await larger.root() }
    }

    /// Everything that forgers do to a list of hashes.
    private static func changed(_ hashes: [Hash], with others: [Hash]) -> [[Hash]] {
        var all: [[Hash]] = []
        for place in hashes.indices {
            for bit in stride(from: place % 7, to: 256, by: 37) {
                var changed = hashes
                changed[place] = changed[place].flipped(bit: bit)
                all.append(changed)
            }
            all.append(hashes.enumerated().filter { $0.offset != place }.map(\.element))
            if place > 0 {
                var swapped = hashes
                swapped.swapAt(place, place - 1)
                all.append(swapped)
            }
        }
        for other in others + [.empty, .sample(-1)] {
            all.append([other] + hashes)
            all.append(hashes + [other])
        }
        return all
    }
}
