internal import Kernel

/// A text and who signed it (C2SP signed-note).
///
/// The text counts only once ``signers(among:)`` has found a key that is trusted.
package struct SignedNote: Hashable, Sendable {
    /// More signatures than this are refused; C2SP asks for at least 16.
    package static let mostSignatures = 100
    /// Longer notes are refused.
    package static let longest = 1 << 20

    /// What was signed, with the end of its last line.
    package let text: String
    /// At least one.
    package let signatures: [NoteSignature]

    /// Signs a text.
    ///
    /// - Parameters:
    ///   - text: Lines, each with its end; control characters are refused.
    ///   - keys: At least one; during a rotation the old and the new one.
    /// - Throws: ``NoteError``.
    package init(signing text: String, with keys: [SigningKey]) throws(NoteError) {
        guard Self.isText(text.utf8), text.utf8.last == Self.newline else {
            throw .malformed("the text of a note ends with a line feed and has no other control characters")
        }
        guard !keys.isEmpty else { throw .notSigned }
        self.text = text
        var signatures: [NoteSignature] = []
        for key in keys {
            let bytes = try key.signature(of: Array(text.utf8))
            signatures.append(NoteSignature(name: key.verifier.name, id: key.verifier.id, bytes: bytes))
        }
        self.signatures = signatures
    }

    /// Reads a note.
    ///
    /// - Throws: ``NoteError/malformed(_:)``.
    package init(_ bytes: some Sequence<UInt8>) throws(NoteError) {
        let bytes = Array(bytes)
        guard bytes.count <= Self.longest else { throw .malformed("a note has at most \(Self.longest) bytes") }
        guard Self.isText(bytes), bytes.last == Self.newline, String(validating: bytes, as: UTF8.self) != nil else {
            throw .malformed("a note is UTF-8 that ends with a line feed and has no other control characters")
        }
        guard
            let gap = bytes.indices.dropLast().last(where: {
                bytes[$0] == Self.newline && bytes[$0 + 1] == Self.newline
            })
        else { throw .malformed("a note has an empty line before its signatures") }
        text = String(decoding: bytes[...gap], as: UTF8.self)
        let lines = bytes[(gap + 2)...].split(separator: Self.newline, omittingEmptySubsequences: false).dropLast()
        guard (1...Self.mostSignatures).contains(lines.count) else {
            throw .malformed("a note has 1 to \(Self.mostSignatures) signatures")
        }
        var signatures: [NoteSignature] = []
        for line in lines { signatures.append(try NoteSignature(line: String(decoding: line, as: UTF8.self))) }
        self.signatures = signatures
    }

    /// The whole note as it is published.
    package var encoded: String { text + "\n" + signatures.map { $0.line + "\n" }.joined() }

    /// The trusted keys that signed it.
    ///
    /// Signatures by keys that are not trusted are overlooked: that is what lets keys be exchanged and witnesses sign.
    ///
    /// - Parameter trusted: The keys that count.
    /// - Returns: At least one, each once, in the order of the signatures.
    /// - Throws: ``NoteError/badSignature(by:)`` when one of them did not make the signature that has its name and id,
    ///   ``NoteError/untrusted(signers:)`` when there is none.
    package func signers(among trusted: [VerifierKey]) throws(NoteError) -> [VerifierKey] {
        var signers: [VerifierKey] = []
        for signature in signatures {
            for key in trusted where signature.isSaid(by: key) {
                guard key.verifies(signature.bytes, of: Array(text.utf8)) else { throw .badSignature(by: key.label) }
                if !signers.contains(key) { signers.append(key) }
            }
        }
        guard !signers.isEmpty else { throw .untrusted(signers: signatures.map(\.label)) }
        return signers
    }

    private static let newline = UInt8(ascii: "\n")

    /// Whether there are no control characters but ends of lines.
    private static func isText(_ bytes: some Sequence<UInt8>) -> Bool {
        bytes.allSatisfy { $0 >= 0x20 || $0 == newline }
    }
}

/// One line below a note.
package struct NoteSignature: Hashable, Sendable {
    /// Whose key made it, as it says.
    package let name: String
    /// Which of the keys of that name.
    package let id: UInt32
    /// What the key made; 64 bytes for Ed25519.
    package let bytes: [UInt8]

    init(name: String, id: UInt32, bytes: [UInt8]) {
        self.name = name
        self.id = id
        self.bytes = bytes
    }

    init(line: String) throws(NoteError) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.elementsEqual("—".utf8), VerifierKey.isName(parts[1]),
            let blob = Base64.bytes(parts[2]), blob.count > 4
        else { throw .malformed("a signature is a line '— <name> <base64 of key id and signature>'") }
        self.init(
            name: String(parts[1]),
            id: blob.prefix(4).reduce(0) { $0 << 8 | UInt32($1) },
            bytes: Array(blob.dropFirst(4))
        )
    }

    private var idBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: id >> (24 - 8 * $0)) } }

    /// The name and the id of the key.
    package var label: String { "\(name)+\(Hex.text(idBytes))" }

    var line: String { "— \(name) \(Base64.text(idBytes + bytes))" }

    func isSaid(by key: VerifierKey) -> Bool {
        // Not `==`, for which two ways to write an accent are one.
        id == key.id && name.utf8.elementsEqual(key.name.utf8)
    }
}
