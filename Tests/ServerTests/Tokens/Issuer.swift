import Crypto
import CryptoExtras
import FoundationEssentials
import Kernel
@testable import Server
import Synchronization

/// Somebody who signs tokens, publishes the keys to them, and has a clock that the tests turn.
final class Issuer: Sendable {
    static let name = "https://id.example"
    static let audience = "signalbox"
    static let start = Timestamp(microseconds: 1_800_000_000_000_000)

    struct Published {
        var document: [UInt8]?
        var fetches = 0
        var now = Issuer.start
    }

    let rsa: _RSA.Signing.PrivateKey
    let p256 = P256.Signing.PrivateKey()
    let ed25519 = Curve25519.Signing.PrivateKey()
    let state = Mutex(Published())

    init() throws {
        rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        publish(try keys())
    }

    /// The three keys, as JSON Web Keys.
    func keys() throws -> [JSONValue] {
        let primitives = try rsa.publicKey.getKeyPrimitives()
        let point = Array(p256.publicKey.rawRepresentation)
        return [
            [
                "kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": Self.text(primitives.modulus),
                "e": Self.text(primitives.publicExponent),
            ],
            [
                "kty": "EC", "kid": "p256", "crv": "P-256", "x": Self.text(point.prefix(32)),
                "y": Self.text(point.suffix(32)),
            ],
            ["kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": Self.text(ed25519.publicKey.rawRepresentation)],
        ]
    }

    static func text(_ bytes: some Sequence<UInt8>) -> JSONValue { .string(Base64URL.encode(Array(bytes))) }

    func publish(_ keys: [JSONValue]?) {
        state.withLock { state in
            state.document = keys.flatMap { try? JSON.encode(["keys": JSONValue.array($0)] as JSONValue) }
        }
    }

    /// Lets time pass.
    func pass(_ span: Duration) { state.withLock { $0.now = $0.now + span } }

    var fetches: Int { state.withLock { $0.fetches } }

    func ring(_ limits: KeyRing.Limits = .init()) -> KeyRing {
        KeyRing(
            limits: limits,
            now: { self.state.withLock { $0.now } },
            fetch: {
                self.state.withLock { state in
                    state.fetches += 1
                    return state.document
                }
            }
        )
    }

    func verifier(_ limits: KeyRing.Limits = .init()) -> TokenVerifier {
        TokenVerifier(
            issuer: Self.name,
            audience: Self.audience,
            ring: ring(limits),
            now: { self.state.withLock { $0.now } }
        )
    }

    /// What a good token claims, with what a test wants otherwise; `nil` takes a claim away.
    func claims(_ other: [String: JSONValue?] = [:]) -> [String: JSONValue] {
        let now = state.withLock { $0.now }.microseconds / 1_000_000
        var claims: [String: JSONValue] = [
            "iss": .string(Self.name), "aud": .string(Self.audience), "sub": "ana", "exp": .integer(now + 300),
            "iat": .integer(now),
        ]
        for (name, value) in other { claims[name] = value }
        return claims
    }

    /// A token signed with the key of an algorithm.
    func token(
        _ algorithm: String = "RS256",
        head: [String: JSONValue?] = [:],
        claims: [String: JSONValue]? = nil
    ) throws -> String {
        let ids = ["RS256": "rsa", "ES256": "p256", "EdDSA": "ed"]
        var header: [String: JSONValue] = [
            "alg": .string(algorithm), "kid": .string(ids[algorithm] ?? ""), "typ": "JWT",
        ]
        for (name, value) in head { header[name] = value }
        let parts = try [JSONValue.object(header), .object(claims ?? self.claims())].map {
            Base64URL.encode(try JSON.encode($0))
        }
        let signed = parts.joined(separator: ".")
        return signed + "." + Base64URL.encode(try signature(algorithm, over: Array(signed.utf8)))
    }

    func signature(_ algorithm: String, over bytes: [UInt8]) throws -> [UInt8] {
        switch algorithm {
        case "RS256":
            Array(try rsa.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation)
        case "ES256": Array(try p256.signature(for: bytes).rawRepresentation)
        default: Array(try ed25519.signature(for: bytes))
        }
    }
}
