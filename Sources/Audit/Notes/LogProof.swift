/// All that somebody needs to be sure, without asking anybody, that an entry is in the log (C2SP tlog-proof).
package struct LogProof: Hashable, Sendable {
    private static let header = "c2sp.org/tlog-proof@v1"

    /// What comes with it: in our own proofs the entry, which nothing vouches for but its hash.
    package let extra: [UInt8]?
    /// Which leaf, from 0.
    package let index: Int64
    /// From the leaf's neighbour to a child of the root.
    package let hashes: [Hash]
    /// The signed checkpoint of the tree.
    package let note: SignedNote

    /// Puts a proof and a checkpoint of one tree together.
    ///
    /// - Parameters:
    ///   - inclusion: For the size of the checkpoint.
    ///   - note: The signed checkpoint.
    ///   - extra: What comes with it.
    package init(_ inclusion: InclusionProof, in note: SignedNote, extra: [UInt8]? = nil) {
        self.extra = extra
        self.note = note
        index = inclusion.index
        hashes = inclusion.hashes
    }

    /// Reads a proof, and believes nothing of it.
    ///
    /// - Throws: ``NoteError/malformed(_:)``.
    package init(_ bytes: some Sequence<UInt8>) throws(NoteError) {
        var lines = ProofLines(bytes)
        guard lines.next() == Self.header else { throw .malformed("a proof begins with \(Self.header)") }
        var line = lines.next() ?? ""
        if line.hasPrefix("extra ") {
            guard let extra = Base64.bytes(line.dropFirst(6)) else { throw .malformed("'extra' is not base64") }
            self.extra = extra
            line = lines.next() ?? ""
        } else {
            extra = nil
        }
        guard line.hasPrefix("index "), let index = Decimal.number(line.dropFirst(6)) else {
            throw .malformed("a proof has a line 'index <number>'")
        }
        self.index = index
        hashes = try lines.hashes()
        note = try SignedNote(lines.rest)
        _ = try Checkpoint(unverified: note)
    }

    /// The proof as it is handed out, a file ending in `.tlog-proof`.
    package var encoded: String {
        let extra = extra.map { "extra \(Base64.text($0))\n" } ?? ""
        let path = hashes.map { $0.base64 + "\n" }.joined()
        return "\(Self.header)\n\(extra)index \(index)\n\(path)\n\(note.encoded)"
    }

    /// Checks that a leaf is where the proof says, in a tree that a trusted key signed.
    ///
    /// - Parameters:
    ///   - leaf: The hash of the entry.
    ///   - trusted: The keys that count.
    ///   - origin: The log it must be of; `nil` for the one that a key that signed has the name of.
    /// - Returns: The checkpoint that covers the leaf.
    /// - Throws: ``NoteError``.
    @discardableResult
    package func check(
        _ leaf: Hash,
        trusting trusted: [VerifierKey],
        origin: String? = nil
    ) throws(NoteError) -> Checkpoint {
        let checkpoint = try Checkpoint(note, trusting: trusted, origin: origin)
        let inclusion = InclusionProof(index: index, size: checkpoint.size, hashes: hashes)
        guard inclusion.proves(leaf, in: checkpoint.root) else {
            throw .notIncluded(index: index, size: checkpoint.size)
        }
        return checkpoint
    }
}
