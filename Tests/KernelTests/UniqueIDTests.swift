import Kernel
import Testing

@Suite("UniqueID")
struct UniqueIDTests {
    @Test("made from a moment it is version 7 and sorts by time")
    func timeOrdered() {
        // The example of RFC 9562, appendix A.6.
        let id = UniqueID(
            at: Timestamp(microseconds: 1_645_557_742_000_000),
            random: (0xCC3, 0x18C4_DC0C_0C07_398F)
        )
        #expect(id.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        let later = UniqueID(at: Timestamp(microseconds: 1_645_557_742_001_000), random: (0, 0))
        #expect(id < later)
    }

    @Test("made from a hash it is version 8 and always the same")
    func hashed() {
        // The example of RFC 9562, appendix B.2: the first bytes of a SHA-256.
        let hash: [UInt8] = [
            0x5c, 0x14, 0x6b, 0x14, 0x3c, 0x52, 0x4a, 0xfd, 0x93, 0x8a, 0x37, 0x5d, 0x0d, 0xf1, 0xfb, 0xf6, 0xff,
        ]
        #expect(UniqueID(hash: hash).description == "5c146b14-3c52-8afd-938a-375d0df1fbf6")
        #expect(UniqueID(hash: hash) == UniqueID(hash: hash.prefix(16)))
    }

    @Test("reads what it prints, in any case, and nothing else")
    func text() throws {
        let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
        let id = try #require(UniqueID(text))
        #expect(id.description == text)
        #expect(UniqueID(text.uppercased()) == id)
        #expect(UniqueID(id.bytes.reduce(0) { $0 << 8 | UInt128($1) }) == id)
        for wrong in [
            "", "x" + text.dropFirst(), text + "0", text.replacing("-", with: ""), text.replacing("-", with: "_"),
        ] {
            #expect(UniqueID(wrong) == nil, "\(wrong)")
        }
    }

    @Test("is text to JSON")
    func json() throws {
        let id = UniqueID(1)
        let bytes = try JSON.encode([id])
        #expect(String(decoding: bytes, as: UTF8.self) == #"["00000000-0000-0000-0000-000000000001"]"#)
        #expect(try JSON.decode([UniqueID].self, from: bytes) == [id])
    }

    @Test("hexadecimal comes back as it went, and odd or foreign characters do not")
    func hex() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Hex.bytes(Hex.text(bytes)) == bytes)
        #expect(Hex.text([0, 10, 255]) == "000aff")
        #expect(Hex.bytes("0AfF") == [10, 255])
        #expect(Hex.bytes("0") == nil)
        #expect(Hex.bytes("0g") == nil)
    }
}
