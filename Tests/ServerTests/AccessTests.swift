import Commands
import Domain
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import SignalboxTestKit
import Testing

@Suite("Who may do what")
struct AccessTests {
    @Test(
        "no key, or one that is not good, is 401 with a challenge",
        arguments: ["", "Bearer ", "Bearer sbx_1_x", "Basic YTpi", "Bearer sbx_0_abc", "Bearer nonsense"]
    )
    func unauthenticated(header: String) async throws {
        let stage = try await Stage()
        let headers: HTTPFields = header.isEmpty ? [:] : [.authorization: header]
        let reply = try await stage.send(.get, "/v1/organizations", headers: headers)
        #expect(reply.status == .unauthorized)
        #expect(reply.problem == "unauthenticated")
        #expect(reply.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
    }

    @Test("the right id with a wrong secret is 401")
    func wrongSecret() async throws {
        let stage = try await Stage()
        let forged = try #require(IssuedKey("sbx_\(stage.ana.id)_\(String(repeating: "0", count: 64))"))
        #expect(try await stage.send(.get, "/v1/organizations", as: forged).status == .unauthorized)
    }

    @Test("a revoked key is 401")
    func revoked() async throws {
        let stage = try await Stage()
        let made = try await stage.send(.post, "/v1/me/api-keys", as: stage.ana, body: "{}")
        #expect(made.status == .created)
        let text = try #require(made.json["key"]?.string)
        let key = try #require(IssuedKey(text))
        #expect(try await stage.send(.get, "/v1/me", as: key).status == .ok)
        let gone = try await stage.send(.delete, "/v1/me/api-keys/\(key.id)", as: stage.ana)
        #expect(gone.status == .noContent)
        #expect(try await stage.send(.get, "/v1/me", as: key).status == .unauthorized)
    }

    @Test("an expired key is 401")
    func expired() async throws {
        let stage = try await Stage()
        let key = IssuedKey(ids: .system)
        let past = Timestamp(microseconds: IDSource.system.now().microseconds - 1_000_000)
        _ = try await stage.desk.issueUserKey(for: stage.anaID, expiresAt: past, key: key, by: .own(ids: .system))
        #expect(try await stage.send(.get, "/v1/me", as: key).status == .unauthorized)
    }

    @Test("who was a member of a deleted organization to its end is told so, and no more; strangers are told nothing")
    func deleted() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme", as: stage.ana)
        let id = try #require(made.json["organization"]?["id"]?.string.flatMap { OrganizationID($0) })
        let path = "/v1/organizations/\(id)"
        #expect(try await stage.send(.get, path, as: stage.ana).json["status"] == "active")
        let stream = Streams.organization(id)
        let aggregate = try await Aggregates(log: stage.log).load(Organization.self, from: stream)
        let end: [Organization.Command] = [
            .requestDeletion(reason: "asked"), .revokeAllKeys, .markPersonalDataErased, .markDeleted,
        ]
        let write = try aggregate.write(try aggregate.decide(end), ids: .system)
        let causation = Causation(actor: "saga-delete-organization", command: IDSource.system.unique())
        _ = try await stage.log.append(AppendRequest(causation: causation, writes: [write]))

        for key in [stage.ana, stage.operatorKey] {
            let shown = try await stage.send(.get, path, as: key)
            #expect(shown.status == .ok && shown.json["status"] == "deleted" && shown.json["name"] == "")
            #expect(try await stage.send(.get, "/v1/organizations", as: key).json["data"] == [])
        }
        #expect(try await stage.send(.get, path, as: stage.bob).status == .notFound)
        #expect(
            try await stage.send(.get, path + "?position=\(try await stage.size)", as: stage.ana).status == .notFound
        )
        #expect(try await stage.send(.get, path + "/members", as: stage.ana).status == .notFound)
        #expect(try await stage.send(.get, path + "/instances", as: stage.ana).status == .notFound)
    }

    @Test("a key that may only read cannot write: 403, and nothing appended")
    func readOnly() async throws {
        let stage = try await Stage()
        let made = try await stage.send(.post, "/v1/me/api-keys", as: stage.ana, body: #"{"scopes":["read"]}"#)
        let key = try #require(made.json["key"]?.string.flatMap { IssuedKey($0) })
        #expect(try await stage.send(.get, "/v1/organizations", as: key).status == .ok)
        let size = try await stage.size
        let reply = try await stage.onboard("acme", as: key)
        #expect(reply.status == .forbidden)
        #expect(reply.problem == "forbidden")
        #expect(try await stage.size == size)
    }

    @Test("a key cannot issue one that may do more")
    func escalation() async throws {
        let stage = try await Stage()
        let made = try await stage.send(.post, "/v1/me/api-keys", as: stage.ana, body: #"{"scopes":["read","write"]}"#)
        let key = try #require(made.json["key"]?.string.flatMap { IssuedKey($0) })
        let reply = try await stage.send(.post, "/v1/me/api-keys", as: key, body: #"{"scopes":["*"]}"#)
        #expect(reply.status == .forbidden)
    }

    @Test("what belongs to another organization is 404 everywhere")
    func foreign() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let organization = try #require(made.json["organization"]?["id"]?.string)
        let instance = try #require(made.json["instance"]?["id"]?.string)
        let subscription = try #require(made.json["subscription"]?["id"]?.string)
        let operation = try #require(made.json["operation"]?["id"]?.string)
        let paths = [
            "/v1/organizations/\(organization)", "/v1/organizations/\(organization)/members",
            "/v1/organizations/\(organization)/instances", "/v1/organizations/\(organization)/api-keys",
            "/v1/instances/\(instance)", "/v1/instances/\(instance)/history", "/v1/subscriptions/\(subscription)",
            "/v1/operations/\(operation)", "/v1/operations/\(operation)/stream",
            "/v1/operations?organization=\(organization)", "/v1/events?organization=\(organization)",
            "/v1/events/export?organization=\(organization)", "/v1/streams/instance-\(instance)/history",
            "/v1/streams/instance-\(instance)/state", "/v1/streams/organization-\(organization)/diff",
            "/v1/streams/user-\(stage.bobID)/history", "/v1/organizations/\(organization)?position=9",
        ]
        for path in paths {
            let reply = try await stage.send(.get, path, as: stage.bob)
            #expect(reply.status == .notFound, "\(path)")
            #expect(reply.problem == "not-found", "\(path)")
        }
        let size = try await stage.size
        let commands: [(HTTPRequest.Method, String, HTTPFields, String)] = [
            (.patch, "/v1/organizations/\(organization)", [.ifMatch: "*"], #"{"name":"Mine"}"#),
            (.post, "/v1/organizations/\(organization)/instances", [:], #"{"name":"two","priceId":"team-monthly"}"#),
            (.post, "/v1/instances/\(instance)/retry", [:], "{}"),
            (.post, "/v1/instances/\(instance)/stop", [:], "{}"), (.post, "/v1/instances/\(instance)/start", [:], "{}"),
            (.post, "/v1/subscriptions/\(subscription)/pause", [:], "{}"),
            (.post, "/v1/subscriptions/\(subscription)/resume", [:], "{}"),
            (.post, "/v1/subscriptions/\(subscription)/cancel", [:], "{}"),
            (.post, "/v1/instances/\(instance)/terminate", [:], "{}"),
            (.delete, "/v1/organizations/\(organization)", [:], ""),
            (.post, "/v1/organizations/\(organization)/api-keys", [:], #"{"role":"viewer"}"#),
        ]
        for (method, path, headers, body) in commands {
            let reply = try await stage.send(method, path, as: stage.bob, headers: headers, body: body)
            #expect(reply.status == .notFound, "\(path)")
        }
        #expect(try await stage.size == size)
    }

    @Test("an organization's key acts there with its role, and nowhere else")
    func organizationKey() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let other = try await stage.onboard("other")
        let organization = try #require(made.json["organization"]?["id"]?.string)
        let issued = try await stage.send(
            .post,
            "/v1/organizations/\(organization)/api-keys",
            as: stage.ana,
            body: #"{"role":"viewer","scopes":["read","write"]}"#
        )
        let key = try #require(issued.json["key"]?.string.flatMap { IssuedKey($0) })
        #expect(try await stage.send(.get, "/v1/organizations/\(organization)", as: key).status == .ok)
        let stranger = try #require(other.json["organization"]?["id"]?.string)
        #expect(try await stage.send(.get, "/v1/organizations/\(stranger)", as: key).status == .notFound)
        let list = try await stage.send(.get, "/v1/organizations", as: key)
        #expect(list.json["data"]?.array?.count == 1)
        for path in ["/v1/organizations", "/v1/me/organizations"] {
            let then = try await stage.send(.get, path + "?position=0", as: key)
            #expect(then.json["data"]?.array == [] && then.headers[.logPosition] == "0")
        }
        let rename = try await stage.send(
            .patch,
            "/v1/organizations/\(organization)",
            as: key,
            headers: [.ifMatch: "*"],
            body: #"{"name":"New"}"#
        )
        #expect(rename.status == .forbidden)
        #expect(try await stage.send(.get, "/v1/events", as: key).status == .forbidden)
    }

    @Test("platform routes are for the platform; its auditors read everything and change nothing")
    func platform() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let organization = try #require(made.json["organization"]?["id"]?.string)
        #expect(try await stage.send(.get, "/v1/admin/releases", as: stage.ana).status == .forbidden)
        #expect(try await stage.send(.get, "/v1/admin/releases", as: stage.auditorKey).status == .ok)
        #expect(try await stage.send(.get, "/v1/organizations/\(organization)", as: stage.auditorKey).status == .ok)
        #expect(try await stage.send(.get, "/v1/events", as: stage.operatorKey).status == .ok)
        let size = try await stage.size
        let reply = try await stage.send(
            .patch,
            "/v1/organizations/\(organization)",
            as: stage.auditorKey,
            headers: [.ifMatch: "*"],
            body: #"{"name":"New"}"#
        )
        #expect(reply.status == .forbidden)
        #expect(try await stage.size == size)
    }

    @Test("the edge's document wants the edge's token")
    func edge() async throws {
        let stage = try await Stage()
        #expect(try await stage.send(.get, "/traefik/dynamic").status == .unauthorized)
        #expect(try await stage.send(.get, "/traefik/dynamic", as: stage.operatorKey).status == .unauthorized)
        let reply = try await stage.send(
            .get,
            "/traefik/dynamic",
            headers: [.authorization: "Bearer \(Stage.edgeToken)"]
        )
        #expect(reply.status == .ok)
    }

    @Test("compares secrets whole")
    func comparison() {
        #expect(Secrets.same("abc", "abc"))
        #expect(!Secrets.same("abc", "abd"))
        #expect(!Secrets.same("abc", "ab"))
        #expect(!Secrets.same("", "a"))
    }
}
