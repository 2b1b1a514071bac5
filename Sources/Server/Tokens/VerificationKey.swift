internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
package import Kernel

/// A public key that tokens are checked with.
///
/// A key has one algorithm, that of its kind, and there is no kind that could also sign: what a token says about its
/// algorithm chooses nothing, it only has to be the same.
package struct VerificationKey: Sendable {
    private enum Kind: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    private let kind: Kind
    /// What tokens call it.
    package let id: String

    /// What RFC 7518 and RFC 8037 call what the key does.
    package var algorithm: String {
        switch kind {
        case .rsa: "RS256"
        case .p256: "ES256"
        case .ed25519: "EdDSA"
        }
    }

    /// Reads one key of a JSON Web Key Set (RFC 7517).
    ///
    /// - Returns: `nil` for what no token may be checked with: symmetric keys, keys for another use or algorithm, RSA of
    ///   less than 2048 bits, other curves, keys without an id, and private keys, which nobody should have published.
    package init?(_ key: JSONValue) {
        guard let id = key["kid"]?.string, (1...200).contains(id.utf8.count), key["d"] == nil,
            key["use"].map({ $0 == "sig" }) ?? true,
            key["key_ops"].map({ $0.array?.contains("verify") ?? false }) ?? true
        else { return nil }
        func bytes(_ name: String) -> [UInt8]? { key[name]?.string.flatMap { Base64URL.decode($0) } }
        switch (key["kty"]?.string, key["crv"]?.string) {
        case ("RSA", nil):
            guard let n = bytes("n"), let e = bytes("e"), n.count <= 1024, e.count <= 8,
                let rsa = try? _RSA.Signing.PublicKey(n: n, e: e)
            else { return nil }
            kind = .rsa(rsa)
        case ("EC", "P-256"):
            guard let x = bytes("x"), let y = bytes("y"), x.count == 32, y.count == 32,
                let p256 = try? P256.Signing.PublicKey(rawRepresentation: x + y)
            else { return nil }
            kind = .p256(p256)
        case ("OKP", "Ed25519"):
            guard let x = bytes("x"), let ed25519 = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
            else { return nil }
            kind = .ed25519(ed25519)
        default:
            return nil
        }
        self.id = id
        if let algorithm = key["alg"], algorithm.string != self.algorithm { return nil }
    }

    /// Whether the holder of the other half signed these bytes.
    package func accepts(_ signature: [UInt8], over bytes: [UInt8]) -> Bool {
        switch kind {
        case .rsa(let key):
            key.isValidSignature(
                .init(rawRepresentation: signature),
                for: SHA256.hash(data: bytes),
                padding: .insecurePKCS1v1_5
            )
        case .p256(let key):
            (try? P256.Signing.ECDSASignature(rawRepresentation: signature))
                .map { key.isValidSignature($0, for: bytes) } ?? false
        case .ed25519(let key):
            key.isValidSignature(signature, for: bytes)
        }
    }

    /// The keys of a set that tokens may be checked with, by their ids; `nil` when it is not a set.
    ///
    /// Of two with one id neither is taken, since nobody could say which is meant.
    package static func set(_ bytes: [UInt8]) -> [String: VerificationKey]? {
        guard bytes.count <= 1 << 18, let document = try? JSON.decode(JSONValue.self, from: bytes),
            let listed = document["keys"]?.array, listed.count <= 100
        else { return nil }
        let keys = Dictionary(grouping: listed.compactMap { VerificationKey($0) }, by: \.id)
        return keys.compactMapValues { $0.count == 1 ? $0.first : nil }
    }
}
