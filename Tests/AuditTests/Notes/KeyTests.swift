import Audit
import Kernel
import Testing

@Suite("Keys of notes")
struct KeyTests {
    /// The example in the documentation of Go's package `note`: what others made is read as they meant it.
    static let goVerifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    static let goSigner = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"

    @Test("have the text that Go's note package has")
    func go() throws {
        let key = try VerifierKey(Self.goVerifier)
        #expect(key.name == "PeterNeumann")
        #expect(key.id == 0xc74f_20a3)
        #expect(key.description == Self.goVerifier)
        #expect(key.label == "PeterNeumann+c74f20a3")
        let signer = try SigningKey(Self.goSigner)
        #expect(signer.verifier == key)
        #expect(signer.text == Self.goSigner)
        #expect(try SigningKey(Self.goSigner + "\n").verifier == key)
    }

    @Test("are made at random, and their texts give them back")
    func made() throws {
        let first = try SigningKey(generatedFor: "signalbox.test/log")
        let second = try SigningKey(generatedFor: "signalbox.test/log")
        #expect(first.verifier != second.verifier)
        #expect(try SigningKey(first.text).verifier == first.verifier)
        #expect(try VerifierKey(first.verifier.description) == first.verifier)
        let signature = try first.signature(of: [1, 2, 3])
        #expect(first.verifier.verifies(signature, of: [1, 2, 3]))
        #expect(!first.verifier.verifies(signature, of: [1, 2, 4]))
        #expect(!second.verifier.verifies(signature, of: [1, 2, 3]))
        #expect(!first.verifier.verifies([], of: [1, 2, 3]))
        #expect(try SigningKey(first.text).signature(of: [1, 2, 3]).count == 64)
    }

    @Test("never show the secret")
    func secret() throws {
        let key = try SigningKey(generatedFor: "signalbox.test/log")
        let secret = try #require(key.text.split(separator: "+", maxSplits: 4).last)
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), String(describing: [key]), dumped] {
            #expect(!text.contains(secret) && !text.contains("seed"), "\(text)")
        }
        let error = #expect(throws: NoteError.self) { try SigningKey(key.text + "AA") }
        #expect(error?.description.contains(secret) == false)
    }

    @Test("are refused when a character is missing, added or changed")
    func malformed() {
        for text in [Self.goVerifier, Self.goSigner] {
            for index in text.indices {
                var less = text
                less.remove(at: index)
                var other = text
                other.replaceSubrange(index...index, with: text[index] == "B" ? "C" : "B")
                for wrong in [less, other, text + "A", text + "\n\n", " " + text, ""] {
                    #expect(throws: NoteError.self, "\(wrong)") { try VerifierKey(wrong) }
                    #expect(throws: NoteError.self, "\(wrong)") { try SigningKey(wrong) }
                }
            }
        }
    }

    @Test("have names without spaces and plus", arguments: ["", " ", "a b", "a+b", "a\u{2003}b", "a\nb", "a\u{0}b"])
    func names(name: String) {
        #expect(throws: NoteError.self) { try SigningKey(generatedFor: name) }
        #expect(throws: NoteError.self) { try VerifierKey(name: name, publicKey: [UInt8](repeating: 1, count: 32)) }
    }

    @Test("have 32 bytes")
    func length() {
        #expect(throws: NoteError.self) { try VerifierKey(name: "a", publicKey: [1]) }
        #expect(throws: NoteError.self) { try SigningKey(name: "a", seed: [1]) }
    }
}
