/// All that somebody who kept an old checkpoint needs to be sure that the log only grew since.
///
/// Its text is what C2SP tlog-witness has as the request `add-checkpoint`, so that a witness takes it as it is.
package struct GrowthProof: Hashable, Sendable {
    /// The size of the tree in the old checkpoint.
    package let old: Int64
    /// In the order of RFC 6962.
    package let hashes: [Hash]
    /// The signed checkpoint of the larger tree.
    package let note: SignedNote

    /// Puts a proof and the checkpoint of the larger tree together.
    ///
    /// - Parameters:
    ///   - consistency: Its larger size is that of the checkpoint.
    ///   - note: The signed checkpoint.
    package init(_ consistency: ConsistencyProof, in note: SignedNote) {
        old = consistency.old
        hashes = consistency.hashes
        self.note = note
    }

    /// Reads a proof, and believes nothing of it.
    ///
    /// - Throws: ``NoteError/malformed(_:)``.
    package init(_ bytes: some Sequence<UInt8>) throws(NoteError) {
        var lines = ProofLines(bytes)
        guard let line = lines.next(), line.hasPrefix("old "), let old = Decimal.number(line.dropFirst(4)) else {
            throw .malformed("a proof of growth begins with a line 'old <size>'")
        }
        self.old = old
        hashes = try lines.hashes()
        note = try SignedNote(lines.rest)
        _ = try Checkpoint(unverified: note)
    }

    /// The proof as it is handed out.
    package var encoded: String {
        "old \(old)\n\(hashes.map { $0.base64 + "\n" }.joined())\n\(note.encoded)"
    }

    /// Checks that the tree of an old checkpoint begins a tree that a trusted key signed.
    ///
    /// - Parameters:
    ///   - checkpoint: The old one, which the caller has checked when it was new.
    ///   - trusted: The keys that count.
    /// - Returns: The checkpoint of the larger tree.
    /// - Throws: ``NoteError``.
    @discardableResult
    package func check(since checkpoint: Checkpoint, trusting trusted: [VerifierKey]) throws(NoteError) -> Checkpoint {
        let new = try Checkpoint(note, trusting: trusted, origin: checkpoint.origin)
        let proof = ConsistencyProof(old: old, new: new.size, hashes: hashes)
        guard old == checkpoint.size, proof.proves(checkpoint.root, begins: new.root) else {
            throw .inconsistent(old: checkpoint.size, new: new.size)
        }
        return new
    }
}
