import Audit
import Kernel

/// One line for verifiers to judge: a proof that may hold or not.
struct Claim {
    var line: String
    /// What we say ourselves.
    var holds: Bool

    /// A proof of inclusion in, or consistency of, random trees over the leaves; half of them are spoilt.
    static func random(over export: Export, _ random: inout Numbers) async throws -> Claim {
        let size = Int64.random(in: 1...Int64(export.leaves.count), using: &random)
        let first = Int64.random(in: 0..<size, using: &random)
        let tree = MerkleTree(size: size, reading: export.tiles)
        let root = try await tree.root()
        guard Bool.random(using: &random) else {
            let hashes = try await tree.inclusion(of: first).hashes
            return spoilt("inclusion", first, size, export.leaves[Int(first)], root, hashes, &random)
        }
        let old = first + 1
        let before = try await MerkleTree(size: old, reading: export.tiles).root()
        let hashes = try await tree.consistency(from: old).hashes
        return spoilt("consistency", old, size, before, root, hashes, &random)
    }

    /// A checkpoint, with one letter changed in half of the cases.
    static func note(of export: Export, _ random: inout Numbers) async throws -> Claim {
        let size = Int64.random(in: 1...Int64(export.leaves.count), using: &random)
        var bytes = Array(try await export.checkpoint(of: size).encoded.utf8)
        if Bool.random(using: &random) {
            // Not in the last characters, of which Go overlooks unused bits.
            bytes = bytes.flipped(bit: 8 * Int.random(in: 0..<bytes.count - 10, using: &random))
        }
        let holds =
            (try? Checkpoint(SignedNote(bytes), trusting: [export.key.verifier], origin: "signalbox.test/log")) != nil
        return Claim(line: "note \(export.key.verifier) \(Hex.text(bytes))", holds: holds)
    }

    private static func spoilt(
        _ kind: String,
        _ first: Int64,
        _ second: Int64,
        _ one: Hash,
        _ other: Hash,
        _ path: [Hash],
        _ random: inout Numbers
    ) -> Claim {
        var (first, second, one, other, path) = (first, second, one, other, path)
        let bit = Int.random(in: 0..<256, using: &random)
        let place = Int.random(in: 0...path.count, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: first += 1
        case 1: first -= 1
        case 2: second += 1
        case 3: second -= 1
        case 4: one = one.flipped(bit: bit)
        case 5: other = other.flipped(bit: bit)
        case 6: path.insert(.sample(bit), at: place)
        case 7: if place < path.count { path.remove(at: place) }
        case 8: if place < path.count { path[place] = path[place].flipped(bit: bit) }
        case 9: if place + 1 < path.count { path.swapAt(place, place + 1) }
        default: break
        }
        // No other verifier calls anything a proof that begins with the empty tree.
        let holds =
            kind == "inclusion"
            ? InclusionProof(index: first, size: second, hashes: path).proves(one, in: other)
            : first > 0 && ConsistencyProof(old: first, new: second, hashes: path).proves(one, begins: other)
        let hashes = path.map(\.description).joined(separator: ",")
        return Claim(line: "\(kind) \(first) \(second) \(one) \(other) \(hashes)", holds: holds)
    }
}
