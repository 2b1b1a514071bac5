import Commands
import Domain
import FoundationEssentials
import HTTPTypes
import Kernel
@testable import Server
import Testing

/// What pages and scripts of the older control plane ask.
@Suite("The routes of the older control plane")
struct OlderRoutesTests {
    private func onboarded(_ stage: Stage) async throws -> String {
        let reply = try await stage.send(
            .post,
            "/user/onboarding/initialize",
            as: stage.ana,
            body: """
                {"plan_id": "enterprise", "price_id": "starter-monthly", "org_name": "Acme", \
                "org_slug": "Acme.older.example"}
                """
        )
        #expect(reply.status == .created && reply.json["status"] == "organization_initializing", "\(reply.text)")
        #expect(reply.json["data"]?["slug"] == "acme")
        return try #require(reply.json["data"]?["id"]?.string)
    }

    @Test("are not there unless they are asked for")
    func off() async throws {
        var stage = try await Stage()
        stage.settings.olderDomain = nil
        for path in ["/user/organizations", "/user/profile", "/api/prices"] {
            // Credentials are not even looked at.
            #expect(try await stage.answer(.get, path, [:]).status == .notFound, "\(path)")
        }
    }

    @Test("onboard by the price alone, whatever plan the client says, and show what was made")
    func onboarding() async throws {
        let stage = try await Stage()
        let id = try await onboarded(stage)
        let organizations = try await stage.send(.get, "/user/organizations", as: stage.ana).json["data"]?.array
        #expect(organizations?.count == 1 && organizations?.first?["id"]?.string == id)
        #expect(organizations?.first?["owner_id"]?.string == stage.anaID.description)
        let instance = try await stage.send(.get, "/user/instance?org_id=\(id)", as: stage.ana)
        #expect(instance.status == .ok && instance.json["org_id"]?.string == id, "\(instance.text)")
        #expect(instance.json["status"] == "provisioning" && instance.json["tier"] == "STARTER")
        #expect(instance.json["price_id"] == "starter-monthly")
        let free = try await stage.send(.get, "/user/onboarding/check-org-name?name=X&namespace=acme", as: stage.ana)
        #expect(free.json["available"] == false && free.json["namespace"] == "acme")
    }

    @Test("tell nobody of what is another's, and change nothing of it")
    func ownership() async throws {
        let stage = try await Stage()
        let id = try await onboarded(stage)
        #expect(try await stage.send(.get, "/user/organizations", as: stage.bob).json["data"]?.array == [])
        let before = try await stage.size
        for (method, path) in [
            (HTTPRequest.Method.get, "/user/instance"), (.get, "/user/instance/stream"),
            (.post, "/user/instance/start"), (.post, "/user/instance/stop"), (.post, "/user/instance/pause"),
            (.post, "/user/instance/deploy"), (.post, "/user/instance/upgrade"), (.post, "/user/instance/downgrade"),
        ] {
            let target = "\(path)?org_id=\(id)"
            let body = method == .get ? nil : path.hasSuffix("grade") ? #"{"tier":"PRO"}"# : "{}"
            let foreign = try await stage.send(method, target, as: stage.bob, body: body)
            #expect(foreign.problem == "not-found" && foreign.json["error"]?.string != nil, "\(path) \(foreign.text)")
            let nobody = try await stage.send(method, target, body: body)
            #expect(nobody.status == .unauthorized && nobody.json["error"]?.string != nil, "\(path)")
            let none = try await stage.send(method, path, as: stage.ana, body: body)
            #expect(none.status == .badRequest && none.json["error"] == "org_id is required", "\(none.text)")
        }
        #expect(try await stage.size == before)
    }

    @Test("tell a member what cannot be done now, without a stack of details")
    func refused() async throws {
        let stage = try await Stage()
        let id = try await onboarded(stage)
        let start = try await stage.send(.post, "/user/instance/start?org_id=\(id)", as: stage.ana, body: "{}")
        #expect((400..<500).contains(start.status.code) && start.json["error"]?.string?.isEmpty == false)
        let tier = try await stage.send(
            .post,
            "/user/instance/upgrade?org_id=\(id)",
            as: stage.ana,
            body: #"{"tier":"NO"}"#
        )
        #expect(tier.status == .unprocessableContent && tier.json["error"] != nil)
        let deploy = try await stage.send(.post, "/user/instance/deploy?org_id=\(id)", as: stage.ana, body: "{}")
        #expect(deploy.json == ["status": "deployment_triggered"])
    }

    @Test("take the same key for another organization as another request")
    func keys() async throws {
        let stage = try await Stage()
        let api = API(backend: stage.backend, settings: stage.settings, ids: .system)
        let ids = try ["1", "2", "1"].map { organization in
            var call = Call.testing(.post, "/user/instance/stop")
            call.headers[.idempotencyKey] = "k"
            call.query = try Query("org_id=\(organization)")
            call.principal = Principal(.user(stage.anaID), scopes: ["*"])
            return try api.olderEnvelope(call).id
        }
        #expect(ids[0] == ids[2] && ids[0] != ids[1])
    }

    @Test("say that nothing is deployed, and tell readers to come back")
    func nothing() async throws {
        let stage = try await Stage()
        let body = #"{"name":"Acme","slug":"acme"}"#
        let made = try await stage.send(.post, "/v1/organizations", as: stage.ana, body: body)
        let id = try #require(made.json["id"]?.string ?? made.json["organization"]?["id"]?.string, "\(made.text)")
        let instance = try await stage.send(.get, "/user/instance?org_id=\(id)", as: stage.ana)
        #expect(instance.status == .notFound && instance.json["status"] == "not_deployed", "\(instance.text)")
        #expect(instance.json["org_id"]?.integer.map(String.init) == id)
        let stream = try await stage.send(.get, "/user/instance/stream?org_id=\(id)", as: stage.ana)
        #expect(stream.text == "retry: 3000\n\ndata: {\"status\":\"missing\"}\n\n")
        let stop = try await stage.send(.post, "/user/instance/stop?org_id=\(id)", as: stage.ana, body: "{}")
        #expect(stop.problem == "not-found")
    }

    @Test("roll out a version for who has an operator's key, by the header that scripts send")
    func rollout() async throws {
        let stage = try await Stage()
        let send = { (key: IssuedKey) in
            try await stage.send(
                .post,
                "/admin/rollout",
                headers: [.adminToken: key.text],
                body: #"{"version":"v1.0.0"}"#
            )
        }
        #expect(try await send(stage.ana).status == .forbidden)
        let reply = try await send(stage.operatorKey)
        #expect(reply.json["status"] == "rollout_enqueued" && reply.json["target_version"] == "v1.0.0", "\(reply.text)")
        #expect(reply.headers[.location]?.hasPrefix("/v1/operations/") == true)
        // That header means nothing elsewhere.
        let other = try await stage.send(.get, "/v1/me", headers: [.adminToken: stage.operatorKey.text])
        #expect(other.status == .unauthorized)
    }

    @Test("keep profiles and prices as they were asked for")
    func rest() async throws {
        let stage = try await Stage()
        let body = #"{"first_name":"Ana","last_name":"Lima"}"#
        let changed = try await stage.send(.put, "/user/profile", as: stage.ana, body: body)
        #expect(changed.json["data"]?["first_name"] == "Ana", "\(changed.text)")
        #expect(try await stage.send(.get, "/user/profile", as: stage.ana).json["data"]?["last_name"] == "Lima")
        let prices = try await stage.send(.get, "/api/prices?code=starter-monthly").json["data"]?.array
        #expect(prices?.count == 1 && prices?.first?["id"] == "starter-monthly")
        let amounts = try await stage.send(.get, "/api/price_amounts?price_id=starter-monthly").json["data"]?.array
        #expect(amounts?.first?["unit_amount_cents"]?.integer != nil)
    }
}

/// The page of the older control plane, or any other.
@Suite("Files of a web page")
struct StaticFilesTests {
    private func stage() async throws -> Stage {
        var stage = try await Stage()
        stage.settings.files = StaticFiles(["index.html": "<p>page", "assets/app.js": "go()", "robots.txt": "no"])
        return stage
    }

    @Test("are served by their names, and the page for what only it knows")
    func served() async throws {
        let stage = try await stage()
        for (path, text, type) in [
            ("/", "<p>page", "text/html"), ("/orgs/acme", "<p>page", "text/html"),
            ("/assets/app.js", "go()", "text/javascript"),
            ("/robots.txt", "no", "text/plain"), ("/onboarding?x=1", "<p>page", "text/html"),
        ] {
            let reply = try await stage.send(.get, path)
            #expect(reply.status == .ok && reply.text == text, "\(path)")
            #expect(reply.headers[.contentType]?.hasPrefix(type) == true)
            #expect(reply.headers[.contentSecurityPolicy]?.contains("default-src 'self'") == true)
            #expect(reply.headers[.xContentTypeOptions] == "nosniff")
            let tag = try #require(reply.headers[.eTag])
            #expect(try await stage.send(.get, path, headers: [.ifNoneMatch: tag]).status == .notModified)
        }
    }

    @Test("take nothing of the API's paths, and no other method")
    func reserved() async throws {
        let stage = try await stage()
        for path in [
            "/v1/nothing", "/api/nothing", "/user/nothing", "/auth/nothing", "/admin/x", "/assets/none.js", "/none.css",
        ] {
            #expect(try await stage.send(.get, path).problem == "route-unknown", "\(path)")
        }
        #expect(try await stage.send(.post, "/orgs/acme", body: "{}").problem == "route-unknown")
        #expect(try await stage.send(.get, "/livez").json["status"] == "alive")
    }

    @Test("are those of the folder, and no path leads out of it")
    func traversal() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "signalbox-site-\(IDSource.system.unique())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let site = folder + "/site"
        try FileManager.default.createDirectory(atPath: site + "/assets", withIntermediateDirectories: true)
        for (name, text) in [
            ("secret", "secret"), ("site/index.html", "page"), ("site/assets/a.css", "css"), ("site/.env", "secret"),
        ] { try Data(text.utf8).write(to: URL(filePath: folder + "/" + name)) }
        try FileManager.default.createSymbolicLink(atPath: site + "/link", withDestinationPath: folder + "/secret")
        var stage = try await Stage()
        stage.settings.files = try StaticFiles(folder: site)
        #expect(try await stage.send(.get, "/assets/a.css").text == "css")
        for path in [
            "/../secret", "/%2e%2e/secret", "/..%2fsecret", "/assets/../../secret", "/assets/..%2f..%2fsecret",
            "/link", "/.env", "/%2e%65nv", "//secret", "/%00", "/assets%2f..%2f..%2fsecret", "/..\\secret",
        ] {
            let reply = try await stage.send(.get, path)
            #expect(!reply.text.contains("secret") || reply.problem != nil, "\(path) \(reply.text)")
        }
        #expect(throws: StaticFiles.Failure.noIndex(site + "/assets")) { try StaticFiles(folder: site + "/assets") }
        #expect(throws: StaticFiles.Failure.self) { try StaticFiles(folder: folder + "/nowhere") }
        #expect(throws: StaticFiles.Failure.self) { try StaticFiles(folder: site, limit: 3) }
    }
}
