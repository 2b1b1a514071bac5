import Audit
import Testing

@Suite("Checkpoints")
struct CheckpointTests {
    private let key: SigningKey
    private let root = Hash.sample(1)

    init() throws {
        key = try SigningKey(name: "signalbox.test/log", seed: [UInt8](repeating: 7, count: 32))
    }

    @Test("are three lines")
    func text() throws {
        let checkpoint = Checkpoint(origin: "signalbox.test/log", size: 20_852_163, root: root)
        #expect(checkpoint.text == "signalbox.test/log\n20852163\n\(root.base64)\n")
        let note = try SignedNote(checkpoint.signed(by: [key]).encoded.utf8)
        #expect(try Checkpoint(note, trusting: [key.verifier]) == checkpoint)
        #expect(try Checkpoint(note, trusting: [key.verifier], origin: "signalbox.test/log") == checkpoint)
    }

    @Test("may be of the empty tree, which has one root")
    func empty() throws {
        let note = try Checkpoint(origin: "a", size: 0, root: .empty).signed(by: [key])
        #expect(try Checkpoint(unverified: note).root == .empty)
        #expect(throws: NoteError.self) {
            try Checkpoint(unverified: Checkpoint(origin: "a", size: 0, root: root).signed(by: [key]))
        }
    }

    @Test("may have more lines, which are kept")
    func extensions() throws {
        let checkpoint = Checkpoint(origin: "signalbox.test/log", size: 1, root: root, extensions: ["more", "lines"])
        #expect(try Checkpoint(unverified: checkpoint.signed(by: [key])) == checkpoint)
    }

    @Test(
        "are refused when they are not written as they must be",
        arguments: [
            "\n5\nROOT\n", "a\n\nROOT\n", "a\n5\n\n", "a\n5\nROOT\n\n", "a\n05\nROOT\n", "a\n-5\nROOT\n",
            "a\n+5\nROOT\n",
            "a\n5 \nROOT\n", "a\n5\n", "a\n", "a\n9223372036854775808\nROOT\n", "a\n5\nROOT=\n", "a\n5\nAAAA\n",
            "a\n5\nROOT\nmore\n\nlines\n", "a\n５\nROOT\n", "a\n\n5\nROOT\n",
        ]
    )
    func malformed(text: String) throws {
        let note = try SignedNote(signing: text.replacing("ROOT", with: root.base64), with: [key])
        #expect(throws: NoteError.self) { try Checkpoint(unverified: note) }
        let right = try SignedNote(signing: "a\n5\n\(root.base64)\n", with: [key])
        #expect(try Checkpoint(unverified: right).size == 5)
    }

    @Test("of another log are refused, though the key is right")
    func origin() throws {
        let note = try Checkpoint(origin: "signalbox.test/other", size: 1, root: root).signed(by: [key])
        #expect(throws: NoteError.wrongOrigin("signalbox.test/other")) {
            try Checkpoint(note, trusting: [key.verifier])
        }
        #expect(throws: NoteError.wrongOrigin("signalbox.test/other")) {
            try Checkpoint(note, trusting: [key.verifier], origin: "signalbox.test/log")
        }
        #expect(try Checkpoint(note, trusting: [key.verifier], origin: "signalbox.test/other").size == 1)
    }

    @Test("that no trusted key signed say nothing")
    func untrusted() throws {
        let stranger = try SigningKey(generatedFor: "signalbox.test/log")
        let note = try Checkpoint(origin: "signalbox.test/log", size: 1, root: root).signed(by: [stranger])
        #expect(throws: NoteError.untrusted(signers: [stranger.verifier.label])) {
            try Checkpoint(note, trusting: [key.verifier])
        }
    }
}
