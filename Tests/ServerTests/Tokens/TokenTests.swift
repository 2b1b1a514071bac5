import Crypto
import CryptoExtras
import FoundationEssentials
import Kernel
@testable import Server
import Testing

@Suite("Tokens")
struct TokenTests {
    private let issuer: Issuer

    init() throws { issuer = try Issuer() }

    private func refusal(of token: String) async -> TokenVerifier.Refusal? {
        do {
            _ = try await issuer.verifier().identity(of: token)
            return nil
        } catch { return error }
    }

    @Test("a good token says who sends it", arguments: ["RS256", "ES256", "EdDSA"])
    func good(algorithm: String) async throws {
        let other: [String: JSONValue?] = [
            "email": "a@example.com", "given_name": "Ana", "scope": "openid signalbox:read", "aud": ["x", "signalbox"],
        ]
        let identity = try await issuer.verifier().identity(
            of: try issuer.token(algorithm, claims: issuer.claims(other))
        )
        #expect(identity.subject == "ana" && identity.issuer == Issuer.name && identity.firstName == "Ana")
        #expect(identity.email == "a@example.com" && identity.scopes == ["read"])
        #expect(try await issuer.verifier().identity(of: try issuer.token(algorithm)).scopes == ["*"])
    }

    @Test(
        "alg=none is refused, with and without a signature, however it is written",
        arguments: ["none", "None", "NONE", ""]
    )
    func none(algorithm: String) async throws {
        let parts = try issuer.token().split(separator: ".").map(String.init)
        let head = Base64URL.encode(try JSON.encode(["alg": .string(algorithm), "kid": "rsa"] as JSONValue))
        for signature in ["", parts[2], "AA"] {
            #expect(await refusal(of: "\(head).\(parts[1]).\(signature)") != nil)
        }
    }

    @Test("a token signed with the public key as if it were a secret is refused")
    func confusion() async throws {
        let primitives = try issuer.rsa.publicKey.getKeyPrimitives()
        let secrets = [
            Array(issuer.rsa.publicKey.pemRepresentation.utf8), Array(issuer.rsa.publicKey.derRepresentation),
            Array(primitives.modulus), try JSON.encode(try issuer.keys()[0]),
        ]
        let body = Base64URL.encode(try JSON.encode(JSONValue.object(issuer.claims())))
        for name in ["HS256", "RS256"] {
            let head = Base64URL.encode(try JSON.encode(["alg": .string(name), "kid": "rsa"] as JSONValue))
            for secret in secrets {
                let code = HMAC<SHA256>.authenticationCode(
                    for: Array("\(head).\(body)".utf8),
                    using: SymmetricKey(data: secret)
                )
                let found = await refusal(of: "\(head).\(body).\(Base64URL.encode(Array(code)))")
                #expect(found == (name == "HS256" ? .otherAlgorithm : .badSignature))
            }
        }
    }

    @Test("the algorithm is the key's, whatever the token says")
    func mixed() async throws {
        for (signing, said, key) in [("ES256", "ES256", "rsa"), ("RS256", "ES256", "rsa"), ("EdDSA", "RS256", "ed")] {
            let token = try issuer.token(signing, head: ["alg": .string(said), "kid": .string(key)])
            #expect(await refusal(of: token) == .otherAlgorithm, "\(signing) as \(said) with \(key)")
        }
        #expect(await refusal(of: try issuer.token("RS256", head: ["alg": "PS256"])) == .otherAlgorithm)
    }

    @Test("a key that the token brings along is not asked")
    func embedded() async throws {
        let stranger = try Issuer()
        let token = try stranger.token(head: ["jwk": try stranger.keys()[0], "jku": "https://evil.example/keys"])
        #expect(await refusal(of: token) == .badSignature)
    }

    @Test("what was changed is refused")
    func changed() async throws {
        let parts = try issuer.token().split(separator: ".").map(String.init)
        let other = Base64URL.encode(try JSON.encode(JSONValue.object(issuer.claims(["sub": "bob"]))))
        #expect(await refusal(of: "\(parts[0]).\(other).\(parts[2])") == .badSignature)
    }

    @Test("times, issuer and audience must be right")
    func claims() async throws {
        let now = Issuer.start.microseconds / 1_000_000
        let cases: [([String: JSONValue?], TokenVerifier.Refusal?)] = [
            (["exp": .integer(now - 59)], nil), (["exp": .integer(now - 60)], .expired),
            (["exp": .some(nil)], .malformed),
            (["exp": "tomorrow"], .malformed), (["exp": .number(1e300)], .malformed),
            (["nbf": .integer(now + 60)], nil), (["nbf": .integer(now + 61)], .notYet),
            (["iat": .integer(now + 3600)], .notYet), (["nbf": "now"], .malformed),
            (["iss": "https://id.example/"], .otherIssuer), (["iss": .some(nil)], .otherIssuer),
            (["aud": "other"], .otherAudience), (["aud": []], .otherAudience), (["aud": .some(nil)], .otherAudience),
            (["aud": ["signalbox2"]], .otherAudience), (["sub": ""], .withoutSubject),
            (["sub": .some(nil)], .withoutSubject),
            (["sub": .string(String(repeating: "x", count: 256))], .withoutSubject),
        ]
        for (other, expected) in cases {
            let token = try issuer.token("EdDSA", claims: issuer.claims(other))
            #expect(await refusal(of: token) == expected, "\(other)")
        }
    }

    @Test("the form must be exact")
    func form() async throws {
        let token = try issuer.token("EdDSA")
        let parts = token.split(separator: ".").map(String.init)
        let twice = Base64URL.encode(Array(#"{"sub":"ana","sub":"bob"}"#.utf8))
        let broken = [
            "", "a.b", "..", "a.b.c", token + ".x", token + "=", " " + token, parts[0] + "." + parts[1] + ".",
            "\(parts[0]).\(twice).\(parts[2])", String(repeating: "a", count: 9000) + "." + parts[1] + "." + parts[2],
            try issuer.token("EdDSA", head: ["kid": .some(nil)]), try issuer.token("EdDSA", head: ["crit": ["exp"]]),
            try issuer.token("EdDSA", head: ["typ": "JWE"]), try issuer.token("EdDSA", head: ["b64": false]),
        ]
        for text in broken { #expect(await refusal(of: text) == .malformed, "\(text.prefix(60))") }
        #expect(await refusal(of: try issuer.token("EdDSA", head: ["kid": "other"])) == .unknownKey)
    }

    @Test("one text for one value: bytes are decoded only from what an encoder writes")
    func base64() {
        for bytes in [[], [0], [1, 2], [255, 254, 253], [0, 0, 0, 1]] as [[UInt8]] {
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        for text in ["A", "AB", "AAB", "AA==", "A+/A", "A A"] { #expect(Base64URL.decode(text) == nil, "\(text)") }
    }

    @Test("of a key set only public keys that can check are taken, and one for each id")
    func keySet() throws {
        let keys = try issuer.keys()
        func taken(_ keys: [JSONValue]) throws -> [String] {
            (VerificationKey.set(try JSON.encode(["keys": .array(keys)] as JSONValue)) ?? [:]).keys.sorted()
        }
        func changed(_ index: Int, _ name: String, _ value: JSONValue) -> JSONValue {
            var members = keys[index].object ?? [:]
            members[name] = value
            return .object(members)
        }
        #expect(try taken(keys) == ["ed", "p256", "rsa"])
        let weak = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).publicKey.getKeyPrimitives()
        let bad: [JSONValue] = [
            ["kty": "oct", "kid": "x", "k": "AAAA"], changed(0, "use", "enc"), changed(0, "alg", "HS256"),
            changed(0, "alg", "PS256"), changed(1, "crv", "P-384"), changed(2, "d", "AAAA"), changed(2, "x", "AAAA"),
            changed(0, "key_ops", ["sign"]), changed(0, "kid", ""),
            changed(0, "n", Issuer.text(weak.modulus)),
        ]
        for key in bad { #expect(try taken([key]) == [], "\(key)") }
        #expect(try taken([keys[0], changed(2, "kid", "rsa"), keys[1]]) == ["p256"])
        #expect(VerificationKey.set(Array("{}".utf8)) == nil)
    }
}
