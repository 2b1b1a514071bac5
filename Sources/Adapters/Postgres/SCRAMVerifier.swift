internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
package import Platform

/// What Postgres keeps instead of a password, made on our side (RFC 5803, `SCRAM-SHA-256`).
///
/// So the password itself never travels to the server in a statement, and cannot appear in its log.
package struct SCRAMVerifier: Sendable {
    /// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`.
    package let text: String

    /// A verifier with a salt of its own.
    ///
    /// - Throws: ``PortError/permanent(code:message:)`` for an empty password or one that is not ASCII: others need SASLprep first.
    package init(password: Secret) throws(PortError) {
        try self.init(password: password, salt: (0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// A verifier with a given salt, 4096 iterations as Postgres does it.
    package init(password: Secret, salt: [UInt8]) throws(PortError) {
        let bytes = Array(password.revealed.utf8)
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .permanent(code: "postgres.password", message: "the password is empty or not printable ASCII")
        }
        let salted: SymmetricKey
        do {
            salted = try KDF.Insecure.PBKDF2.deriveKey(
                from: bytes,
                salt: salt,
                using: .sha256,
                outputByteCount: 32,
                unsafeUncheckedRounds: Self.iterations
            )
        } catch {
            throw .permanent(code: "postgres.password", message: "the password cannot be hashed")
        }
        let client = HMAC<SHA256>.authenticationCode(for: Array("Client Key".utf8), using: salted)
        let server = HMAC<SHA256>.authenticationCode(for: Array("Server Key".utf8), using: salted)
        let stored = Data(SHA256.hash(data: Data(client))).base64EncodedString()
        text =
            "SCRAM-SHA-256$\(Self.iterations):\(Data(salt).base64EncodedString())$\(stored):\(Data(server).base64EncodedString())"
    }

    private static let iterations = 4096
}
