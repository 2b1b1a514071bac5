/// What a log says of itself at one moment: how many leaves it has, and the root over them (C2SP tlog-checkpoint).
package struct Checkpoint: Hashable, Sendable {
    /// Which log it is.
    package let origin: String
    /// How many leaves.
    package let size: Int64
    /// The root over them.
    package let root: Hash
    /// Lines after the three; we write none.
    package let extensions: [String]

    /// Says what a log has.
    ///
    /// - Parameters:
    ///   - origin: Which log it is.
    ///   - size: How many leaves.
    ///   - root: The root over them.
    ///   - extensions: Lines after the three, none of them empty.
    package init(origin: String, size: Int64, root: Hash, extensions: [String] = []) {
        self.origin = origin
        self.size = size
        self.root = root
        self.extensions = extensions
    }

    /// Reads the text of a note without asking who signed it.
    ///
    /// - Throws: ``NoteError/malformed(_:)``.
    package init(unverified note: SignedNote) throws(NoteError) {
        let lines = note.text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .dropLast().map { String(decoding: $0, as: UTF8.self) }
        guard lines.count >= 3, !lines.contains(where: \.isEmpty) else {
            throw .malformed("a checkpoint has at least three lines, none of them empty")
        }
        guard let size = Decimal.number(lines[1]) else {
            throw .malformed("the second line of a checkpoint is the size of the tree")
        }
        guard let root = Hash(base64: lines[2]) else {
            throw .malformed("the third line of a checkpoint is the root in base64")
        }
        guard size > 0 || root == .empty else { throw .malformed("an empty tree has the hash of nothing as its root") }
        self.init(origin: lines[0], size: size, root: root, extensions: Array(lines.dropFirst(3)))
    }

    /// Reads the text of a note that a trusted key signed.
    ///
    /// - Parameters:
    ///   - note: With its signatures.
    ///   - trusted: The keys that count.
    ///   - origin: The log it must be of; `nil` for the one that a key that signed has the name of.
    /// - Throws: ``NoteError``.
    package init(_ note: SignedNote, trusting trusted: [VerifierKey], origin: String? = nil) throws(NoteError) {
        let signers = try note.signers(among: trusted)
        try self.init(unverified: note)
        let origins = origin.map { [$0] } ?? signers.map(\.name)
        guard origins.contains(where: { $0.utf8.elementsEqual(self.origin.utf8) }) else {
            throw .wrongOrigin(self.origin)
        }
    }

    /// What is signed: the lines, each with its end.
    package var text: String { ([origin, String(size), root.base64] + extensions).map { $0 + "\n" }.joined() }

    /// Signs it.
    ///
    /// - Parameter keys: During a rotation the old and the new one.
    /// - Returns: The note.
    /// - Throws: ``NoteError``.
    package func signed(by keys: [SigningKey]) throws(NoteError) -> SignedNote {
        try SignedNote(signing: text, with: keys)
    }
}
