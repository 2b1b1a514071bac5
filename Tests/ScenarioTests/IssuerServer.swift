import Crypto
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore
import Server
import Synchronization

/// An issuer of tokens with an address of its own: people who come to it are signed in as whoever the test says.
final class IssuerServer: Sendable {
    struct State: Sendable {
        var key = P256.Signing.PrivateKey()
        /// What tokens call the key.
        var keyID = "one"
        var subject = "ana"
        /// What it was asked for, by the code that it gave.
        var asked: [String: [String: String]] = [:]
        var fetches = 0
        /// The bodies that came to the token endpoint.
        var redeemed: [[String: String]] = []
    }

    static let client = "console"
    let base: String
    private let state: SharedState

    /// What the server and the test both see.
    private final class SharedState: Sendable {
        let value = Mutex(State())
    }

    private init(base: String, state: SharedState) {
        (self.base, self.state) = (base, state)
    }

    func with<Value: Sendable>(_ body: (inout State) -> Value) -> Value { state.value.withLock { body(&$0) } }

    /// Its key set.
    var keys: JSONValue {
        with { state in
            let point = Array(state.key.publicKey.rawRepresentation)
            return [
                "keys": [
                    [
                        "kty": "EC", "crv": "P-256", "kid": .string(state.keyID), "use": "sig", "alg": "ES256",
                        "x": .string(Self.text(point.prefix(32))), "y": .string(Self.text(point.suffix(32))),
                    ]
                ]
            ]
        }
    }

    /// A token for the API.
    func token(_ changes: [String: JSONValue] = [:], issuer: String? = nil) throws -> String {
        let now = Int64(Date().timeIntervalSince1970)
        let claims: [String: JSONValue] = [
            "iss": .string(issuer ?? base), "aud": "signalbox", "sub": .string(with { $0.subject }),
            "iat": .integer(now), "exp": .integer(now + 300),
        ]
        return try sign(claims.merging(changes) { $1 })
    }

    private func sign(_ claims: [String: JSONValue]) throws -> String {
        let (key, keyID) = with { ($0.key, $0.keyID) }
        let head: JSONValue = ["alg": "ES256", "kid": .string(keyID), "typ": "JWT"]
        let signed = try [head, .object(claims)].map { Self.text(try JSON.encode($0)) }.joined(separator: ".")
        return signed + "." + Self.text(try key.signature(for: Array(signed.utf8)).rawRepresentation)
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Parameters of a query or a form.
    static func fields(_ text: some StringProtocol) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[String(parts[0])] = parts.count > 1 ? PercentEncoding.decode(parts[1]) : ""
        }
        return fields
    }

    /// What it answers: status, body, and where to go.
    private func answer(_ path: String, _ query: String, _ body: String) throws -> (Int, JSONValue, String?) {
        switch path {
        case "/.well-known/openid-configuration":
            return (
                200,
                [
                    "issuer": .string(base), "authorization_endpoint": .string(base + "/authorize"),
                    "token_endpoint": .string(base + "/token"), "jwks_uri": .string(base + "/keys"),
                ], nil
            )
        case "/keys":
            with { $0.fetches += 1 }
            return (200, keys, nil)
        case "/authorize":
            let asked = Self.fields(query)
            let code = IDSource.system.unique().description
            with { $0.asked[code] = asked }
            return (302, [:], "\(asked["redirect_uri"] ?? "")?code=\(code)&state=\(asked["state"] ?? "")&iss=\(base)")
        case "/token":
            let form = Self.fields(body)
            let asked = with { state in
                state.redeemed.append(form)
                // Good once.
                return state.asked.removeValue(forKey: form["code"] ?? "")
            }
            let challenge = Self.text(SHA256.hash(data: Array((form["code_verifier"] ?? "").utf8)))
            guard let asked, asked["code_challenge"] == challenge, asked["redirect_uri"] == form["redirect_uri"] else {
                return (400, ["error": "invalid_grant"], nil)
            }
            let claims: [String: JSONValue] = [
                "aud": .string(Self.client), "nonce": .string(asked["nonce"] ?? ""), "given_name": "Ana",
            ]
            return (200, ["id_token": .string(try token(claims)), "token_type": "Bearer"], nil)
        default: return (404, [:], nil)
        }
    }

    /// Serves for as long as `body` runs.
    static func run(_ body: @escaping @Sendable (IssuerServer) async throws -> Void) async throws {
        let state = SharedState()
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
            let sent = String(buffer: try await request.body.collect(upTo: 1 << 20))
            let host = request.head.authority ?? ""
            let issuer = IssuerServer(base: "http://\(host)", state: state)
            let (status, document, location) = try issuer.answer(request.uri.path, request.uri.query ?? "", sent)
            var fields: HTTPFields = [.contentType: "application/json"]
            fields[.location] = location
            return Response(
                status: .init(code: status),
                headers: fields,
                body: .init(byteBuffer: ByteBuffer(bytes: try JSON.encode(document)))
            )
        }
        let application = Application(
            responder: responder,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                var iterator = ports.makeAsyncIterator()
                let port = await iterator.next() ?? 0
                try await body(IssuerServer(base: "http://127.0.0.1:\(port)", state: state))
            }
            defer { group.cancelAll() }
            // The issuer only ends when it is told to, so what comes first is the test's.
            try await group.next()
        }
    }
}
