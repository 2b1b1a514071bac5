internal import Crypto
internal import FoundationEssentials

/// An Ed25519 key that signs notes; its text form is that of Go's `note` package.
///
/// It never shows itself: only ``text`` has the key, for the file it is kept in.
package struct SigningKey: Sendable {
    private static let prefix = "PRIVATE+KEY+"

    /// The half that everybody may have.
    package let verifier: VerifierKey

    private let seed: [UInt8]

    /// A new key from the machine's source of randomness.
    ///
    /// - Parameter name: Whose key it is; not empty, without spaces and `+`.
    /// - Throws: ``NoteError/malformed(_:)``.
    package init(generatedFor name: String) throws(NoteError) {
        try self.init(name: name, seed: Array(Curve25519.Signing.PrivateKey().rawRepresentation))
    }

    /// The key of a seed.
    ///
    /// - Parameters:
    ///   - name: Whose key it is; not empty, without spaces and `+`.
    ///   - seed: 32 bytes, the private key of RFC 8032.
    /// - Throws: ``NoteError/malformed(_:)``.
    package init(name: String, seed: [UInt8]) throws(NoteError) {
        guard seed.count == 32, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
            throw .malformed("an Ed25519 private key has 32 bytes")
        }
        self.seed = seed
        verifier = try VerifierKey(name: name, publicKey: Array(key.publicKey.rawRepresentation))
    }

    /// Reads `PRIVATE+KEY+<name>+<id>+<key>`, with or without an end of line.
    ///
    /// - Throws: ``NoteError/malformed(_:)``, which never shows the text.
    package init(_ text: String) throws(NoteError) {
        let line = text.hasSuffix("\n") ? text.dropLast() : text[...]
        let parts = line.dropFirst(Self.prefix.count).split(
            separator: "+",
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        guard line.hasPrefix(Self.prefix), parts.count == 3, let key = Base64.bytes(parts[2]), key.count == 33,
            key[0] == VerifierKey.algorithm
        else {
            throw .malformed("a signing key is PRIVATE+KEY+<name>+<id>+<base64 of 0x01 and an Ed25519 private key>")
        }
        try self.init(name: String(parts[0]), seed: Array(key.dropFirst()))
        guard verifier.idText.utf8.elementsEqual(parts[1].utf8) else {
            throw .malformed("the signing key does not have the id of its key")
        }
    }

    /// The same key under another name, which no verifier takes for this one.
    ///
    /// - Throws: ``NoteError/malformed(_:)``.
    package func renamed(_ name: String) throws(NoteError) -> SigningKey {
        try SigningKey(name: name, seed: seed)
    }

    /// `PRIVATE+KEY+<name>+<id>+<key>`: a secret.
    package var text: String {
        "\(Self.prefix)\(verifier.label)+\(Base64.text([VerifierKey.algorithm] + seed))"
    }

    /// Signs bytes.
    ///
    /// - Throws: ``NoteError/notSigned``.
    package func signature(of text: [UInt8]) throws(NoteError) -> [UInt8] {
        do {
            return Array(try Curve25519.Signing.PrivateKey(rawRepresentation: seed).signature(for: text))
        } catch {
            throw .notSigned
        }
    }
}

extension SigningKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "signing key \(verifier.label)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
