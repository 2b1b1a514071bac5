internal import Crypto
internal import FoundationEssentials
internal import Kernel

/// The public half of an Ed25519 key that signs notes, with its name (C2SP signed-note; the text form of Go's `note` package).
package struct VerifierKey: Hashable, Sendable {
    /// What C2SP calls Ed25519.
    static let algorithm: UInt8 = 0x01

    /// Whose key it is: for a log, its origin.
    package let name: String
    /// 32 bytes, as in RFC 8032.
    package let publicKey: [UInt8]
    /// Tells the keys of one name apart.
    package let id: UInt32

    /// Names a key.
    ///
    /// - Parameters:
    ///   - name: Whose key it is; not empty, without spaces and `+`.
    ///   - publicKey: 32 bytes.
    /// - Throws: ``NoteError/malformed(_:)``.
    package init(name: String, publicKey: [UInt8]) throws(NoteError) {
        guard Self.isName(name) else { throw .malformed("a key name is not empty and has neither spaces nor '+'") }
        guard publicKey.count == 32 else { throw .malformed("an Ed25519 public key has 32 bytes") }
        self.name = name
        self.publicKey = publicKey
        let hash = SHA256.hash(data: Array(name.utf8) + [0x0A, Self.algorithm] + publicKey)
        id = hash.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Reads `<name>+<id>+<key>`.
    ///
    /// - Throws: ``NoteError/malformed(_:)``, also when the id is not that of the key.
    package init(_ text: some StringProtocol) throws(NoteError) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let key = Base64.bytes(parts[2]), key.count == 33, key[0] == Self.algorithm else {
            throw .malformed("a verifier key is <name>+<id>+<base64 of 0x01 and an Ed25519 public key>")
        }
        try self.init(name: String(parts[0]), publicKey: Array(key.dropFirst()))
        guard idText.utf8.elementsEqual(parts[1].utf8) else {
            throw .malformed("the verifier key \(parts[0])+\(parts[1]) does not have the id of its key, \(idText)")
        }
    }

    /// The id as eight hexadecimal digits.
    package var idText: String { Hex.text((0..<4).map { UInt8(truncatingIfNeeded: id >> (24 - 8 * $0)) }) }

    /// The name and the id, which say which key is meant without the key.
    package var label: String { "\(name)+\(idText)" }

    /// Whether it made this signature of these bytes.
    package func verifies(_ signature: [UInt8], of text: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        return key.isValidSignature(signature, for: text)
    }

    static func isName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && name.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0 != "+" && $0.value >= 0x20 }
    }
}

extension VerifierKey: CustomStringConvertible {
    /// `<name>+<id>+<key>`, as verifiers are given it.
    package var description: String { "\(label)+\(Base64.text([Self.algorithm] + publicKey))" }
}
