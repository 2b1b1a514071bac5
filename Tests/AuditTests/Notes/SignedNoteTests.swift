import Audit
import Testing

@Suite("Signed notes")
struct SignedNoteTests {
    /// The example in the documentation of Go's package `note`.
    private static let goNote = """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

        """

    private let ours: SigningKey
    private let other: SigningKey

    init() throws {
        ours = try SigningKey(name: "signalbox.test/log", seed: [UInt8](repeating: 7, count: 32))
        other = try SigningKey(name: "signalbox.test/log", seed: [UInt8](repeating: 8, count: 32))
    }

    @Test("of Go are read, and the same are made")
    func go() throws {
        let note = try SignedNote(Self.goNote.utf8)
        let key = try VerifierKey(KeyTests.goVerifier)
        #expect(try note.signers(among: [key]) == [key])
        #expect(note.encoded == Self.goNote)
        #expect(try SignedNote(signing: note.text, with: [SigningKey(KeyTests.goSigner)]).encoded == Self.goNote)
    }

    @Test("are read as they were written", arguments: ["a\n", "a\n\n", "\n", "Grüße\n\nb\n", "\n\n\n", "— a b\n"])
    func round(text: String) throws {
        let note = try SignedNote(signing: text, with: [ours, other])
        let read = try SignedNote(note.encoded.utf8)
        #expect(read == note)
        #expect(read.text.utf8.elementsEqual(text.utf8))
        #expect(try read.signers(among: [ours.verifier, other.verifier]) == [ours.verifier, other.verifier])
    }

    @Test("count when one of the keys is trusted, as during a rotation")
    func rotation() throws {
        let note = try SignedNote(signing: "text\n", with: [ours, other])
        #expect(try note.signers(among: [ours.verifier]) == [ours.verifier])
        #expect(try note.signers(among: [other.verifier]) == [other.verifier])
        let stranger = try SigningKey(generatedFor: "stranger")
        #expect(throws: NoteError.untrusted(signers: [ours.verifier.label, other.verifier.label])) {
            try note.signers(among: [stranger.verifier])
        }
        #expect(throws: NoteError.self) { try note.signers(among: []) }
    }

    @Test("are refused when a trusted key did not make its signature, even if another did")
    func forged() throws {
        let good = try SignedNote(signing: "text\n", with: [ours])
        let bad = try SignedNote(signing: "test\n", with: [other])
        let line = try #require(bad.encoded.split(separator: "\n").last)
        let mixed = try SignedNote((good.encoded + line + "\n").utf8)
        #expect(try mixed.signers(among: [ours.verifier]) == [ours.verifier])
        #expect(throws: NoteError.badSignature(by: other.verifier.label)) {
            try mixed.signers(among: [ours.verifier, other.verifier])
        }
    }

    @Test("name a signer once, however often it signed")
    func twice() throws {
        let note = try SignedNote(signing: "text\n", with: [ours, ours])
        #expect(try SignedNote(note.encoded.utf8).signers(among: [ours.verifier]) == [ours.verifier])
    }

    @Test("are not accepted after any bit was flipped")
    func flipped() throws {
        let bytes = Array(try SignedNote(signing: "signalbox.test/log\n5\nGrüße\n", with: [ours]).encoded.utf8)
        #expect(throws: Never.self) { try SignedNote(bytes).signers(among: [ours.verifier]) }
        for bit in 0..<8 * bytes.count {
            #expect(throws: NoteError.self, "bit \(bit)") {
                try SignedNote(bytes.flipped(bit: bit)).signers(among: [ours.verifier])
            }
        }
        for count in bytes.indices {
            #expect(throws: NoteError.self, "\(count) bytes") { try SignedNote(bytes.prefix(count)) }
        }
        for byte: UInt8 in [0, 10, 13, 32, 65] {
            #expect(throws: NoteError.self, "with \(byte)") { try SignedNote(bytes + [byte]) }
        }
    }

    @Test(
        "are refused when they are not written as they must be",
        arguments: [
            "", "\n", "\n\n", "text\n", "text\n\n", "text\n\n— a b\n", "text\n\n— a AAAAAAA=", "text\n\n- a AAAAAAA=\n",
            "text\n\n— a  AAAAAAA=\n", "text\n\n— a+b AAAAAAA=\n", "text\n\n—  AAAAAAA=\n", "text\n\n— a AAAAAAA= \n",
            "text\n\n— a AAAAAA==\n", "text\r\n\n— a AAAAAAA=\n", "te\u{0}xt\n\n— a AAAAAAA=\n", "\t\n\n— a AAAAAAA=\n",
            "text\n\n— a AAAAAAA=\n\n", "text\n\n\n", "text\n\n— a AAAAAAB=\n",
        ]
    )
    func malformed(text: String) {
        #expect(throws: NoteError.self) { try SignedNote(text.utf8) }
        #expect(throws: Never.self) { try SignedNote("text\n\n— a AAAAAAA=\n".utf8) }
    }

    @Test("are UTF-8")
    func encoding() {
        let bytes = Array("te\u{FF}xt\n\n— a AAAAAAA=\n".utf8)
        #expect(throws: Never.self) { try SignedNote(bytes) }
        #expect(throws: NoteError.self) { try SignedNote(bytes.filter { $0 != 0xC3 }) }
    }

    @Test("are not signed when they could not be read again", arguments: ["", "text", "te\rxt\n", "te\u{0}xt\n"])
    func unsigned(text: String) {
        #expect(throws: NoteError.self) { try SignedNote(signing: text, with: [ours]) }
        #expect(throws: NoteError.notSigned) { try SignedNote(signing: "text\n", with: []) }
    }

    @Test("have a hundred signatures at most, and end somewhere")
    func bounds() throws {
        let line = "— a AAAAAAA=\n"
        #expect(try SignedNote(("text\n\n" + String(repeating: line, count: 100)).utf8).signatures.count == 100)
        #expect(throws: NoteError.self) { try SignedNote(("text\n\n" + String(repeating: line, count: 101)).utf8) }
        let long = String(repeating: "x", count: SignedNote.longest)
        #expect(throws: NoteError.self) { try SignedNote((long + "\n\n" + line).utf8) }
    }

    @Test("compare names byte by byte")
    func canonical() throws {
        // Two ways to write é, which Swift's strings hold for one.
        let composed = try SigningKey(name: "\u{E9}", seed: [UInt8](repeating: 7, count: 32))
        let note = try SignedNote(signing: "text\n", with: [composed])
        let decomposed = try SignedNote(note.encoded.replacing("\u{E9}", with: "e\u{301}").utf8)
        #expect(throws: NoteError.self) { try decomposed.signers(among: [composed.verifier]) }
    }
}
