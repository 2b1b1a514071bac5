import Adapters
import Kernel
import Platform
import Synchronization
import Testing

@Suite("An OpenID provider")
struct OpenIDProviderTests {
    /// What the provider answers, and what it was asked.
    private final class Script: Sendable {
        struct State {
            var discovery: [String: JSONValue] = [:]
            var discoveryStatus = 200
            var token = Answer.json(["id_token": "header.claims.signature", "access_token": "a"])
            var keys = Answer.json(["keys": []])
            var isSilent = false
            var asked: [Asked] = []
            var now = Timestamp(microseconds: 1_800_000_000_000_000)
        }

        let state = Mutex(State())

        func change(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

        func paths() -> [String] { state.withLock { $0.asked.map { "\($0.method) \($0.path)" } } }

        func answer(_ asked: Asked) -> Answer {
            state.withLock { state in
                state.asked.append(asked)
                switch asked.path {
                case "/realm/.well-known/openid-configuration":
                    return .json(.object(state.discovery), status: state.discoveryStatus)
                case "/token": return state.token
                case "/keys": return state.keys
                default: return .text(404, "")
                }
            }
        }
    }

    private func with(
        secret: String? = "our se:cret",
        timeout: Duration = .seconds(20),
        _ body: @escaping @Sendable (Script, OpenIDProvider, String) async throws -> Void
    ) async throws {
        let script = Script()
        try await withService { asked in
            let answer = script.answer(asked)
            // Longer than anybody waits; the end of the test ends it.
            if script.state.withLock({ $0.isSilent }) { try await Task.sleep(for: .seconds(300)) }
            return answer
        } _: { base in
            script.change {
                $0.discovery = [
                    "issuer": .string(base + "/realm"), "authorization_endpoint": .string(base + "/authorize"),
                    "token_endpoint": .string(base + "/token"), "jwks_uri": .string(base + "/keys"),
                ]
            }
            let provider = OpenIDProvider(
                http: OutboundClient.shared,
                settings: .init(
                    issuer: base + "/realm",
                    clientID: "signal box",
                    clientSecret: secret.map { Secret($0) },
                    allowsPlain: true,
                    timeout: timeout
                ),
                now: { script.state.withLock { $0.now } }
            )
            try await body(script, provider, base)
        }
    }

    private func redeem(_ provider: OpenIDProvider) async -> Result<String, PortError> {
        await provider.redeem(code: "c/1", verifier: "v", redirect: "https://console.example/auth/callback")
    }

    @Test("says where people sign in and with which keys it signs; it is asked about itself every ten minutes")
    func discovery() async throws {
        try await with { script, provider, base throws in
            for _ in 0..<3 { #expect(try await provider.authorizationEndpoint().get() == base + "/authorize") }
            #expect(try await provider.keys().get() == Array(#"{"keys":[]}"#.utf8))
            let about = "GET /realm/.well-known/openid-configuration"
            #expect(script.paths() == [about, "GET /keys"])
            script.change { $0.now = $0.now + .seconds(601) }
            _ = await provider.authorizationEndpoint()
            #expect(script.paths() == [about, "GET /keys", about])
        }
    }

    @Test("gives a token for a code, to who proves who they are and who began")
    func code() async throws {
        try await with { script, provider, _ throws in
            #expect(try await redeem(provider).get() == "header.claims.signature")
            let asked = try #require(script.state.withLock { $0.asked.last })
            #expect(
                asked.body
                    == "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fconsole.example%2Fauth%2Fcallback&code_verifier=v"
            )
            // signal%20box:our%20se%3Acret
            #expect(asked.headers["authorization"] == "Basic c2lnbmFsJTIwYm94Om91ciUyMHNlJTNBY3JldA==")
        }
        try await with(secret: nil) { script, provider, _ throws in
            _ = await redeem(provider)
            let asked = try #require(script.state.withLock { $0.asked.last })
            #expect(asked.headers["authorization"] == nil && asked.body.hasSuffix("&client_id=signal%20box"))
        }
        try await with { script, provider, _ throws in
            script.change { $0.discovery["token_endpoint_auth_methods_supported"] = ["client_secret_post"] }
            _ = await redeem(provider)
            let asked = try #require(script.state.withLock { $0.asked.last })
            #expect(asked.headers["authorization"] == nil && asked.body.hasSuffix("&client_secret=our%20se%3Acret"))
        }
    }

    @Test("that refuses a code, is unwell, or does not know us is told apart, and no code is sent twice")
    func refusals() async throws {
        try await with { script, provider, _ throws in
            let answers: [(Answer, String)] = [
                (.json(["error": "invalid_grant"], status: 400), "issuer.invalid-grant"),
                (.json(["error": "invalid_client"], status: 401), "issuer.refused"),
                (.text(503, ""), "issuer.unwell"), (.text(429, ""), "issuer.unwell"),
                (.json(["access_token": "a"]), "issuer.garbled"), (.text(200, "<html>"), "issuer.garbled"),
                (.text(302, ""), "issuer.refused"),
            ]
            for (answer, code) in answers {
                script.change { ($0.token, $0.asked) = (answer, []) }
                guard case .failure(let error) = await redeem(provider) else {
                    Issue.record("\(code) is let through")
                    continue
                }
                #expect(error.code == code && !error.message.contains("cret"))
                #expect(script.paths().count { $0 == "POST /token" } == 1)
            }
        }
        try await with(timeout: .seconds(3)) { script, provider, _ throws in
            #expect(try await redeem(provider).get() == "header.claims.signature")
            script.change { ($0.isSilent, $0.asked) = (true, []) }
            guard case .failure(.unknown("issuer.lost", _)) = await redeem(provider) else {
                Issue.record("a lost answer is no lost answer")
                return
            }
            #expect(script.paths() == ["POST /token"])
        }
    }

    @Test("that does not answer in time is lost, and one that is not there is not reached")
    func silence() async throws {
        let wait = AsyncStream<Void>.makeStream()
        try await withService { _ in
            for await _ in wait.stream {}
            return .text(200, "")
        } _: { base in
            let provider = OpenIDProvider(
                http: OutboundClient.shared,
                settings: .init(
                    issuer: base,
                    clientID: "c",
                    clientSecret: nil,
                    allowsPlain: true,
                    timeout: .milliseconds(200)
                ),
                now: { Timestamp(microseconds: 0) }
            )
            guard case .failure(.transient("issuer.lost", _, _)) = await provider.authorizationEndpoint() else {
                Issue.record("there was no timeout")
                return
            }
            wait.continuation.finish()
        }
        let nobody = OpenIDProvider(
            http: OutboundClient.shared,
            settings: .init(issuer: "http://127.0.0.1:1", clientID: "c", clientSecret: nil, allowsPlain: true),
            now: { Timestamp(microseconds: 0) }
        )
        guard case .failure(.transient("issuer.unreachable", _, _)) = await redeem(nobody) else {
            Issue.record("somebody was there")
            return
        }
    }

    @Test("that cannot be asked is believed for a day, and asked again after five seconds")
    func outage() async throws {
        try await with { script, provider, base throws in
            script.change { $0.discoveryStatus = 500 }
            await #expect(throws: PortError.self) { try await provider.authorizationEndpoint().get() }
            await #expect(throws: PortError.self) { try await provider.keys().get() }
            #expect(script.paths().count == 1)
            script.change { ($0.discoveryStatus, $0.now) = (200, $0.now + .seconds(5)) }
            #expect(try await provider.authorizationEndpoint().get() == base + "/authorize")
            script.change { ($0.discoveryStatus, $0.now) = (500, $0.now + .seconds(3600)) }
            #expect(try await provider.authorizationEndpoint().get() == base + "/authorize")
            script.change { $0.now = $0.now + .seconds(86_400) }
            await #expect(throws: PortError.self) { try await provider.authorizationEndpoint().get() }
        }
    }

    @Test("that is somebody else, or leads out of TLS, is not believed")
    func others() async throws {
        try await with { script, provider, base throws in
            let changes: [(String, JSONValue)] = [
                ("issuer", .string(base)), ("issuer", .string(base + "/realm/")), ("jwks_uri", .null),
                ("token_endpoint", "ftp://a"), ("authorization_endpoint", .string(base + "/a#b")),
                ("authorization_endpoint", .string(base + "/a b")), ("token_endpoint", "file:///etc/passwd"),
            ]
            let whole = script.state.withLock { $0.discovery }
            for (name, value) in changes {
                script.change {
                    $0.discovery = whole.merging([name: value]) { $1 }
                    $0.now = $0.now + .seconds(6)
                }
                guard case .failure(.blocked) = await provider.authorizationEndpoint() else {
                    Issue.record("\(name) is believed")
                    continue
                }
            }
            script.change { $0.discovery = whole }
            let strict = OpenIDProvider(
                http: OutboundClient.shared,
                settings: .init(issuer: base + "/realm", clientID: "c", clientSecret: nil),
                now: { Timestamp(microseconds: 0) }
            )
            guard case .failure(.blocked("issuer.incomplete", _)) = await strict.authorizationEndpoint() else {
                Issue.record("it leads out of TLS")
                return
            }
        }
    }
}
