import AsyncHTTPClient
import Crypto
import FoundationEssentials
import Glibc
import Kernel
import NIOCore
import NIOHTTP1
import SignalboxTestKit
import Testing

@testable import signalbox

/// The server that production runs, with its settings, and an issuer of tokens beside it.
@Suite("People come by way of an issuer", .wholeMachine, .timeLimit(.minutes(5)))
struct IdentityTests {
    /// Runs a server whose targets are nowhere; nobody asks it for an instance.
    private func serving(
        _ other: @escaping @Sendable (String, String) throws -> [String: String],
        _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        let folder = try temporaryFolder("signalbox-identity")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let key = (0..<32).map { _ in Hex.text(UInt8.random(in: .min ... .max)) }.joined()
        try await withDatabase { database in
            let port = try #require(Workspace.anyPort)
            let base = "http://127.0.0.1:\(port)"
            let environment = [
                "ENVIRONMENT": "development", "SIGNALBOX_HOST": "127.0.0.1", "PORT": "\(port)",
                "DATABASE_URL": database.conninfo(user: "signalbox"), "SIGNALBOX_POOL_SIZE": "2",
                "SIGNALBOX_PROJECTION_SLICES": "1", "APP_ROOT_DOMAIN": "localhost", "APP_ROOT_SCHEME": "http",
                "SIGNALBOX_MASTER_KEYS": "1:" + key,
                "SIGNALBOX_TRAEFIK_TOKEN": "6f1c2b7d90e34a58", "BACKUP_DIR": folder,
                "PROVISION_DB_HOST": "127.0.0.1", "PROVISION_DB_PORT": "1", "PROVISION_DB_USER": "nobody",
                "PROVISION_DB_PASSWORD": "nothing", "NOMAD_ADDR": "http://127.0.0.1:1",
                "RAILZWAY_CLIENT_URL": "http://127.0.0.1:1", "RAILZWAY_API_KEY": "nothing",
                "PROVISION_RATE_LIMIT_REDIS_ADDR": "127.0.0.1:1", "SIGNALBOX_RATE_LIMIT": "off",
            ].merging(try other(folder, base)) { $1 }
            let program = Program(arguments: ["serve"], environment: environment, log: folder + "/serve.log")
            let (_, status) = try await program.run(ending: SIGTERM, failing: SIGKILL) { pid in
                _ = try await eventually(within: .seconds(60), { "serve is not ready: \(program.printed)" }) {
                    guard kill(pid, 0) == 0 else {
                        throw DevProcess.Failure(description: "serve ended: \(program.printed)")
                    }
                    return try? await Client(base: base).get("/livez").status == 200 ? () : nil
                }
                try await body(base)
            }
            #expect(status == 0, "\(program.printed)")
            #expect(!program.printed.contains("a-real-secret"))
        }
    }

    private func me(_ base: String, _ token: String) async throws -> Client.Answer {
        try await Client(base: base, key: token).get("/v1/me")
    }

    @Test("with tokens whose keys are in a file")
    func keyFile() async throws {
        try await IssuerServer.run { issuer in
            try await serving { folder, _ in
                try Data(JSON.encode(issuer.keys)).write(to: URL(filePath: folder + "/keys.json"))
                return [
                    "SIGNALBOX_JWT_ISSUER": "https://id.example", "SIGNALBOX_JWT_AUDIENCE": "signalbox",
                    "SIGNALBOX_JWT_KEYS": folder + "/keys.json",
                ]
            } _: { base in
                let token = try issuer.token(issuer: "https://id.example")
                let first = try await me(base, token)
                #expect(first.status == 200 && first.json["kind"] == "user", "\(first.text)")
                #expect(
                    try await me(base, try issuer.token(issuer: "https://id.example")).json["id"] == first.json["id"]
                )
                let bad = [
                    try issuer.token(), try issuer.token(["aud": "other"], issuer: "https://id.example"),
                    try issuer.token(["exp": 1], issuer: "https://id.example"), token + "x",
                    // alg: none
                    "eyJhbGciOiJub25lIiwia2lkIjoib25lIn0." + token.split(separator: ".")[1] + ".AA",
                ]
                for token in bad { #expect(try await me(base, token).status == 401) }
                #expect(issuer.with { $0.fetches } == 0)
            }
        }
    }

    @Test("with tokens whose keys are fetched: seldom, and again when the issuer signs with another")
    func keySet() async throws {
        try await IssuerServer.run { issuer in
            try await serving { _, _ in
                [
                    "SIGNALBOX_JWT_ISSUER": issuer.base, "SIGNALBOX_JWT_AUDIENCE": "signalbox",
                    "SIGNALBOX_JWT_KEYS": issuer.base + "/keys",
                ]
            } _: { base in
                let old = try issuer.token()
                let first = try await me(base, old)
                #expect(first.status == 200, "\(first.text)")
                for _ in 0..<20 { #expect(try await me(base, old).status == 200) }
                #expect(issuer.with { $0.fetches } == 1)
                let stranger = try issuer.token(["sub": "bob"])
                #expect(try await me(base, stranger).json["id"] != first.json["id"])

                issuer.with { ($0.key, $0.keyID) = (.init(), "two") }
                let new = try issuer.token()
                // Not at once: whoever makes names of keys up must not have the issuer asked without end.
                try await eventually(within: .seconds(40)) {
                    try await me(base, new).json["id"] == first.json["id"] ? () : nil
                }
                #expect(issuer.with { $0.fetches } == 2)
                #expect(try await me(base, old).status == 401)
            }
        }
    }

    @Test("in a browser, for a session that is in the database and gone after signing out")
    func browser() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            try await IssuerServer.run { issuer in
                try await serving { folder, base in
                    try Data("a-real-secret-of-the-tests".utf8).write(to: URL(filePath: folder + "/secret"))
                    return [
                        "SIGNALBOX_OIDC_ISSUER": issuer.base, "SIGNALBOX_OIDC_CLIENT_ID": IssuerServer.client,
                        "SIGNALBOX_OIDC_CLIENT_SECRET_FILE": folder + "/secret", "SIGNALBOX_PUBLIC_URL": base,
                    ]
                } _: { base in
                    try await signInAndOut(base, issuer, http)
                }
            }
        } catch {
            try? await http.shutdown()  // The first failure is the one to tell.
            throw error
        }
        try await http.shutdown()
    }

    private func signInAndOut(_ base: String, _ issuer: IssuerServer, _ http: HTTPClient) async throws {
        func ask(
            _ method: HTTPMethod,
            _ url: String,
            _ headers: [String: String] = [:]
        ) async throws -> (status: UInt, headers: HTTPHeaders, json: JSONValue) {
            var request = HTTPClientRequest(url: url)
            request.method = method
            for (name, value) in headers { request.headers.add(name: name, value: value) }
            let response = try await http.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 1 << 20)
            let json = (try? JSON.decode(JSONValue.self, from: Array(body.readableBytesView))) ?? .null
            return (response.status.code, response.headers, json)
        }
        func cookie(_ headers: HTTPHeaders, _ name: String) -> String? {
            headers["Set-Cookie"].first { $0.hasPrefix(name + "=") && !$0.hasPrefix(name + "=;") }
                .map { String($0.prefix { $0 != ";" }) }
        }
        let begun = try await ask(.GET, base + "/auth/login?return_to=/v1/me")
        #expect(begun.status == 303, "\(begun.json)")
        let login = try #require(cookie(begun.headers, "signalbox-login"))
        let there = try await ask(.GET, try #require(begun.headers.first(name: "Location")))
        let back = try #require(there.headers.first(name: "Location"))
        #expect(back.hasPrefix(base + "/auth/callback?"))
        // Not in another browser.
        #expect(try await ask(.GET, back).status == 400)
        let opened = try await ask(.GET, back, ["Cookie": login])
        #expect(opened.status == 303 && opened.headers.first(name: "Location") == base + "/v1/me", "\(opened.json)")
        let session = try #require(cookie(opened.headers, "signalbox-session"))
        #expect(try await ask(.GET, back, ["Cookie": login]).status == 400)

        let me = try await ask(.GET, base + "/v1/me", ["Cookie": session])
        #expect(me.status == 200 && me.json["profile"]?["firstName"] == "Ana", "\(me.json)")
        let shown = try await ask(.GET, base + "/auth/session", ["Cookie": session])
        let proof = try #require(shown.json["csrfToken"]?.string)
        #expect(try await ask(.POST, base + "/v1/me/api-keys", ["Cookie": session]).status == 403)
        let key = try await ask(.POST, base + "/v1/me/api-keys", ["Cookie": session, "X-CSRF-Token": proof])
        #expect(key.status == 201 && key.json["key"]?.string?.hasPrefix("sbx_") == true, "\(key.json)")
        let out = try await ask(.POST, base + "/auth/logout", ["Cookie": session, "X-CSRF-Token": proof])
        #expect(out.status == 204)
        #expect(try await ask(.GET, base + "/v1/me", ["Cookie": session]).status == 401)
    }
}
