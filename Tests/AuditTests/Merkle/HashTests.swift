import Audit
import Kernel
import Testing

@Suite("Hashes of the tree")
struct HashTests {
    /// The eight leaves and the roots over the first n of them that implementations of RFC 6962 have compared since 2012.
    static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ].map { Hash.leaf(Hex.bytes($0) ?? []) }
    static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test("the roots are those that everybody has", arguments: 0...8)
    func roots(size: Int) async throws {
        let leaves = Self.leaves.prefix(size)
        var range = CompactRange()
        for leaf in leaves { range.append(leaf) }
        #expect(range.root.description == Self.roots[size])
        #expect(try await MerkleTree(size: Int64(size), reading: MemoryTiles(leaves)).root() == range.root)
    }

    @Test("an entry never hashes like a node")
    func prefixes() {
        let (left, right) = (Hash.sample(1), Hash.sample(2))
        #expect(Hash.node(left, right) != Hash.leaf(left.bytes + right.bytes))
        #expect(Hash.node(left, right) != Hash.node(right, left))
    }

    @Test("base64 has one text for each hash, and no other is read")
    func base64() {
        let hash = Hash.sample(3)
        #expect(Hash(base64: hash.base64) == hash)
        #expect(hash.base64.count == 44)
        // The last character but the filling has two bits that count for nothing.
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        for character in alphabet {
            let text = hash.base64.dropLast(2) + "\(character)="
            guard text != hash.base64 else { continue }
            #expect(Hash(base64: text) != hash, "\(text)")
        }
        for text in ["", "=", hash.base64 + "\n", " " + hash.base64, String(hash.base64.dropLast()), hash.base64 + "="]
        {
            #expect(Hash(base64: text) == nil, "\(text)")
        }
        #expect(Hash([UInt8](repeating: 0, count: 31)) == nil)
        #expect(Hash([UInt8](repeating: 0, count: 33)) == nil)
    }
}
