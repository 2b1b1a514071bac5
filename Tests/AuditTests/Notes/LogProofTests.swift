import Audit
import EventStore
import Kernel
import Testing

@Suite("Proofs that can be handed out")
struct LogProofTests {
    private let key: SigningKey
    private let entries: [[UInt8]]
    private let tree: MerkleTree<MemoryTiles>

    init() throws {
        key = try SigningKey(name: "signalbox.test/log", seed: [UInt8](repeating: 7, count: 32))
        entries = (1...300).map { Leaf(.example(position: $0), payloadHash: [UInt8](repeating: 9, count: 32)).entry }
        tree = MerkleTree(size: 300, reading: MemoryTiles(entries.map { Hash.leaf($0) }))
    }

    @Test("are written as tlog-proof has them")
    func text() async throws {
        let note = try await checkpoint(of: 3)
        let small = MerkleTree(size: 3, reading: MemoryTiles(entries.prefix(3).map { Hash.leaf($0) }))
        let inclusion = try await small.inclusion(of: 2)
        let proof = LogProof(inclusion, in: note, extra: [1, 2, 3])
        let node = Hash.node(.leaf(entries[0]), .leaf(entries[1]))
        #expect(
            proof.encoded == "c2sp.org/tlog-proof@v1\nextra AQID\nindex 2\n\(node.base64)\n\n\(note.encoded)"
        )
        #expect(try LogProof(proof.encoded.utf8) == proof)
        let bare = LogProof(inclusion, in: note)
        #expect(bare.encoded == "c2sp.org/tlog-proof@v1\nindex 2\n\(node.base64)\n\n\(note.encoded)")
        #expect(try LogProof(bare.encoded.utf8) == bare)
    }

    @Test("convince whoever has the entry and the key, and nobody else")
    func check() async throws {
        let proof = try await proof(of: 255)
        let checkpoint = try proof.check(.leaf(entries[255]), trusting: [key.verifier])
        #expect(checkpoint.size == 300)
        #expect(throws: NoteError.notIncluded(index: 255, size: 300)) {
            try proof.check(.leaf(entries[254]), trusting: [key.verifier])
        }
        let stranger = try SigningKey(generatedFor: "signalbox.test/log")
        #expect(throws: NoteError.untrusted(signers: [key.verifier.label])) {
            try proof.check(.leaf(entries[255]), trusting: [stranger.verifier])
        }
        #expect(throws: NoteError.wrongOrigin("signalbox.test/log")) {
            try proof.check(.leaf(entries[255]), trusting: [key.verifier], origin: "signalbox.test/log/epoch-2")
        }
        let other = LogProof(try await tree.inclusion(of: 255), in: try await self.checkpoint(of: 299))
        #expect(throws: NoteError.notIncluded(index: 255, size: 299)) {
            try other.check(.leaf(entries[255]), trusting: [key.verifier])
        }
    }

    @Test("do not hold after any bit of the event, the path or the checkpoint was flipped")
    func flipped() async throws {
        let proof = LogProof(try await tree.inclusion(of: 41), in: try await checkpoint(of: 300), extra: entries[41])
        let bytes = Array(proof.encoded.utf8)
        #expect(throws: Never.self) { try Self.check(bytes, key) }
        for bit in 0..<8 * bytes.count {
            #expect(throws: NoteError.self, "bit \(bit)") { try Self.check(bytes.flipped(bit: bit), key) }
        }
        for count in bytes.indices {
            #expect(throws: NoteError.self, "\(count) bytes") { try LogProof(bytes.prefix(count)) }
        }
        #expect(throws: NoteError.self) { try LogProof(bytes + [10]) }
    }

    @Test("tell an event from any other that differs in one field")
    func fields() {
        let hash = [UInt8](repeating: 9, count: 32)
        let event = RecordedEvent.example(position: 5)
        let leaf = Leaf(event, payloadHash: hash).hash
        let changes: [(inout RecordedEvent) -> Void] = [
            { $0.position += 1 }, { $0.id = UniqueID($0.id.value ^ 1) }, { $0.version += 1 }, { $0.type += "x" },
            { $0.schemaVersion += 1 }, { $0.actor = "system" }, { $0.metadata = "{ }" }, { $0.cause = nil },
            { $0.command = UniqueID($0.command.value ^ 1) }, { $0.correlation = UniqueID($0.correlation.value ^ 1) },
            { $0.organization = nil }, { $0.recordedAt = Timestamp(postgres: $0.recordedAt.postgres + 1) },
        ]
        for (number, change) in changes.enumerated() {
            var other = event
            change(&other)
            #expect(Leaf(other, payloadHash: hash).hash != leaf, "change \(number)")
        }
        #expect(Leaf(event, payloadHash: hash.flipped(bit: 255)).hash != leaf)
        #expect(Hash(leaf) == Hash.leaf(Leaf(event, payloadHash: hash).entry))
    }

    @Test("are refused with more hashes than any tree needs, or with a note that is no checkpoint")
    func bounds() async throws {
        let note = try await checkpoint(of: 300)
        let hashes = [Hash](repeating: .empty, count: 63)
        let most = LogProof(InclusionProof(index: 0, size: 300, hashes: hashes), in: note)
        #expect(try LogProof(most.encoded.utf8) == most)
        let more = LogProof(InclusionProof(index: 0, size: 300, hashes: hashes + [.empty]), in: note)
        #expect(throws: NoteError.self) { try LogProof(more.encoded.utf8) }
        let text = try SignedNote(signing: "text\n", with: [key])
        let inclusion = try await tree.inclusion(of: 1)
        #expect(throws: NoteError.self) { try LogProof(LogProof(inclusion, in: text).encoded.utf8) }
        let consistency = try await tree.consistency(from: 70)
        #expect(throws: NoteError.self) { try GrowthProof(GrowthProof(consistency, in: text).encoded.utf8) }
        #expect(try GrowthProof(GrowthProof(consistency, in: note).encoded.utf8).old == 70)
    }

    @Test("that a log only grew hold for whoever kept an old checkpoint")
    func growth() async throws {
        let old = try Checkpoint(unverified: try await checkpoint(of: 70))
        let proof = GrowthProof(try await tree.consistency(from: 70), in: try await checkpoint(of: 300))
        #expect(proof.encoded.hasPrefix("old 70\n"))
        let read = try GrowthProof(proof.encoded.utf8)
        #expect(read == proof)
        #expect(try read.check(since: old, trusting: [key.verifier]).size == 300)
        let bytes = Array(proof.encoded.utf8)
        for bit in 0..<8 * bytes.count {
            #expect(throws: NoteError.self, "bit \(bit)") {
                try GrowthProof(bytes.flipped(bit: bit)).check(since: old, trusting: [key.verifier])
            }
        }
        for count in bytes.indices {
            #expect(throws: NoteError.self, "\(count) bytes") { try GrowthProof(bytes.prefix(count)) }
        }
    }

    @Test("that it only grew cannot be had for a log that was cut or rewritten")
    func rewritten() async throws {
        let old = try Checkpoint(unverified: try await checkpoint(of: 200))
        // Cut: the newer checkpoint has fewer leaves.
        let cut = try await checkpoint(of: 100)
        // Rewritten: the same size or more, but leaf 150 is another; signed by the right key.
        let leaves = entries.enumerated().map { Hash.leaf($0.offset == 150 ? [0] + $0.element : $0.element) }
        let forged = MerkleTree(size: 300, reading: MemoryTiles(leaves))
        let root = try await forged.root()
        let fork = try Checkpoint(origin: "signalbox.test/log", size: 300, root: root).signed(by: [key])
        let equal = MerkleTree(size: 200, reading: MemoryTiles(leaves))
        let twin = try Checkpoint(origin: "signalbox.test/log", size: 200, root: try await equal.root()).signed(by: [
            key
        ])
        let proofs = [
            GrowthProof(try await tree.consistency(from: 200), in: cut),
            GrowthProof(ConsistencyProof(old: 200, new: 100, hashes: []), in: cut),
            GrowthProof(try await forged.consistency(from: 200), in: fork),
            GrowthProof(try await tree.consistency(from: 200), in: fork),
            GrowthProof(ConsistencyProof(old: 200, new: 200, hashes: []), in: twin),
            GrowthProof(try await forged.consistency(from: 0), in: fork),
        ]
        for (number, proof) in proofs.enumerated() {
            #expect(throws: NoteError.self, "proof \(number)") { try proof.check(since: old, trusting: [key.verifier]) }
        }
        let honest = GrowthProof(try await tree.consistency(from: 200), in: try await checkpoint(of: 300))
        #expect(throws: Never.self) { try honest.check(since: old, trusting: [key.verifier]) }
    }

    @Test("are read without a crash, whatever they are made of")
    func fuzzed() async throws {
        let seeds = [
            Array(try await proof(of: 41).encoded.utf8), Array(try await checkpoint(of: 300).encoded.utf8),
            Array(GrowthProof(try await tree.consistency(from: 70), in: try await checkpoint(of: 300)).encoded.utf8),
            EntryBundle.bytes(Array(entries.prefix(3))), Array("tile/0/x001/x234/067.p/8".utf8),
            Array(key.text.utf8), Array(key.verifier.description.utf8),
        ]
        var random = Numbers(1)
        var accepted = 0
        for _ in 0..<4000 {
            let bytes = Self.mutated(seeds, &random)
            let text = String(decoding: bytes, as: UTF8.self)
            if let proof = try? LogProof(bytes) {
                #expect(proof.encoded.utf8.elementsEqual(bytes))
                accepted += 1
            }
            if let note = try? SignedNote(bytes) { #expect(note.encoded.utf8.elementsEqual(bytes)) }
            if let proof = try? GrowthProof(bytes) { #expect(proof.encoded.utf8.elementsEqual(bytes)) }
            if let entries = EntryBundle.entries(bytes) { #expect(EntryBundle.bytes(entries) == bytes) }
            if let tile = Tile(path: text) { #expect(tile.path == text) }
            if let tile = EntryTile(path: text) { #expect(tile.path == text && tile.indices.count == tile.width) }
            if let key = try? VerifierKey(text) { #expect(key.description == text) }
            if let key = try? SigningKey(text) { #expect(key.text == text) }
        }
        // So that it is known that the mutations are not all too wild.
        #expect(accepted > 0)
    }

    /// One of the seeds with bits flipped, parts cut out, doubled, or put in from another.
    private static func mutated(_ seeds: [[UInt8]], _ random: inout Numbers) -> [UInt8] {
        var bytes = seeds.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let part = start..<Int.random(in: start...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes = bytes.flipped(bit: 8 * start + Int.random(in: 0..<8, using: &random))
            case 1: bytes.removeSubrange(part)
            case 2: bytes.insert(contentsOf: bytes[part], at: start)
            case 3: bytes[start] = UInt8(ascii: "\n")
            default: bytes.replaceSubrange(part, with: (seeds.randomElement(using: &random) ?? []).prefix(40))
            }
        }
        return bytes
    }

    private func checkpoint(of size: Int64) async throws -> SignedNote {
        let leaves = entries.prefix(Int(size)).map { Hash.leaf($0) }
        let root = try await MerkleTree(size: size, reading: MemoryTiles(leaves)).root()
        return try Checkpoint(origin: "signalbox.test/log", size: size, root: root).signed(by: [key])
    }

    private func proof(of index: Int64) async throws -> LogProof {
        LogProof(try await tree.inclusion(of: index), in: try await checkpoint(of: 300))
    }

    /// As somebody does who was given nothing but the file and the key.
    private static func check(_ bytes: [UInt8], _ key: SigningKey) throws {
        let proof = try LogProof(bytes)
        guard let entry = proof.extra else { throw NoteError.malformed("no entry") }
        try proof.check(.leaf(entry), trusting: [key.verifier])
    }
}
