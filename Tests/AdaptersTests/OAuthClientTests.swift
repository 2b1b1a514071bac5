import Adapters
import Kernel
import Platform
import Testing

@Suite("OAuth client registration")
struct OAuthClientTests {
    private func with<Value: Sendable>(
        _ answer: @escaping @Sendable (Asked) -> Answer,
        _ body: @escaping @Sendable (OAuthClientRegistration) async throws -> Value
    ) async throws -> Value {
        try await withService { asked in
            asked.path == "/token" ? Self.token(asked) : answer(asked)
        } _: { base in
            let caller = HTTPCaller(client: OutboundClient.shared, base: base, timeout: .seconds(20))
            let secret = Secret("our secret")
            return try await body(
                OAuthClientRegistration(caller: caller, tenant: "main", clientID: "signalbox", clientSecret: secret)
            )
        }
    }

    private static func token(_ asked: Asked) -> Answer {
        let form = "grant_type=client_credentials&scope=admin&client_id=signalbox&client_secret=our%20secret"
        guard asked.headers["authorization"] == "Basic c2lnbmFsYm94Om91ciBzZWNyZXQ=", asked.body == form,
            asked.headers["x-tenant-id"] == "main"
        else { return .json(["error": "invalid_client"], status: 401) }
        return .json(["access_token": "t0", "token_type": "Bearer", "expires_in": 60])
    }

    @Test("registers with a token of its own and takes what it is given")
    func ensure() async throws {
        let client = try await with { asked in
            let expected: JSONValue = [
                "external_org_id": "42", "redirect_uris": ["https://acme.railzway.com/login/railzway_com"],
            ]
            guard asked.headers["authorization"] == "Bearer t0", asked.json == expected,
                asked.headers["x-tenant-id"] == "main"
            else { return .json(["error": "invalid_request"], status: 400) }
            return .json(["client_id": "railzway-oss-42", "client_secret": "s"])
        } _: { registration in
            try await registration.ensure(organization: "42", redirect: "https://acme.railzway.com/login/railzway_com")
        }
        #expect(client == OAuthClient(id: "railzway-oss-42", secret: Secret("s")))
    }

    @Test("a secret that is not shown again is empty")
    func hidden() async throws {
        let client = try await with { _ in
            .json(["client_id": "railzway-oss-42"])
        } _: { registration in
            try await registration.ensure(organization: "42", redirect: "r")
        }
        #expect(client.secret.revealed.isEmpty)
    }

    @Test("rotating makes the old secret useless")
    func rotate() async throws {
        try await with { asked in
            asked.json == ["external_org_id": "42", "rotate_secret": true]
                ? .json(["client_id": "railzway-oss-42", "client_secret": "t"]) : .text(400, "")
        } _: {
            try await $0.rotateSecret(organization: "42")
        }
    }

    static let table: [(Int, String)] = [
        (400, "permanent"), (401, "blocked"), (403, "blocked"), (404, "blocked"), (409, "conflict"), (429, "transient"),
        (500, "unknown"), (503, "transient"),
    ]

    @Test("every answer has its class", arguments: table.indices)
    func classes(row: Int) async throws {
        let (status, expected) = Self.table[row]
        let error = try await with { _ in
            .json(["error": "e", "error_description": "private words"], status: status)
        } _: { registration in
            await #expect(throws: PortError.self) { try await registration.rotateSecret(organization: "42") }
        }
        #expect(error.map(TenantRefusalTests.name) == expected)
        #expect("\(String(describing: error))".contains("private words") == false)
    }
}

@Suite("Traefik's API")
struct TraefikEdgeTests {
    private func problem(_ answer: Answer) async throws -> String? {
        try await withService { asked in
            asked.path == "/api/http/routers/org-1@http" || asked.path == "/api/http/routers/org-1%40http"
                ? answer : .text(404, "")
        } _: { base in
            let edge = TraefikEdge(caller: HTTPCaller(client: OutboundClient.shared, base: base))
            return try await edge.problem(router: "org-1", host: "acme.railzway.com")
        }
    }

    @Test("an enabled router with our rule is no problem")
    func live() async throws {
        let router: JSONValue = ["status": "enabled", "rule": "Host(`acme.railzway.com`)", "provider": "http"]
        #expect(try await problem(.json(router)) == nil)
    }

    @Test("anything else is said in words")
    func problems() async throws {
        #expect(try await problem(.text(404, "")) == "the edge does not have the router yet")
        let disabled: JSONValue = [
            "status": "disabled", "error": ["the service \"x@nomad\" does not exist"], "rule": "r",
        ]
        #expect(try await problem(.json(disabled))?.contains("does not exist") == true)
        let other: JSONValue = ["status": "enabled", "rule": "Host(`old.railzway.com`)"]
        #expect(try await problem(.json(other)) == "the edge still has another rule for the router")
    }

    @Test("an edge that is unwell is a matter of time, one that refuses us is for a person")
    func failures() async throws {
        let unwell = await #expect(throws: PortError.self) { try await problem(.text(503, "")) }
        #expect(unwell?.code == "edge.503")
        let refused = await #expect(throws: PortError.self) { try await problem(.text(401, "")) }
        #expect(refused?.code == "edge.rights")
        let edge = TraefikEdge(caller: HTTPCaller(client: OutboundClient.shared, base: "http://127.0.0.1:1"))
        let nobody = await #expect(throws: PortError.self) { try await edge.problem(router: "r", host: "h") }
        #expect(nobody?.code == "edge.unreachable")
    }
}
