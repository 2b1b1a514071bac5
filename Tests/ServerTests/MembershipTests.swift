import Commands
import Domain
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import SignalboxTestKit
import Testing

@Suite("Belonging to an organization")
struct MembershipTests {
    /// An organization of Ana's.
    private static func acme(_ stage: Stage) async throws -> String {
        let made = try await stage.onboard("acme")
        return "/v1/organizations/" + (try #require(made.json["organization"]?["id"]?.string))
    }

    private static func invite(
        _ stage: Stage,
        to path: String,
        as role: String
    ) async throws -> (id: String, token: String) {
        let made = try await stage.send(
            .post,
            path + "/invitations",
            as: stage.ana,
            body: #"{"role":"\#(role)"}"#
        )
        #expect(made.status == .created)
        return (try #require(made.json["id"]?.string), try #require(made.json["token"]?.string))
    }

    @Test("who holds the token of an invitation becomes a member with its role, once; the log has only its hash")
    func invitation() async throws {
        let stage = try await Stage()
        let path = try await Self.acme(stage)
        let (id, token) = try await Self.invite(stage, to: path, as: "developer")
        #expect(try await stage.send(.get, path, as: stage.bob).status == .notFound)
        let accepted = try await stage.send(.post, "/v1/invitations/\(token)/accept", as: stage.bob)
        #expect(accepted.status == .ok && accepted.headers[.location] == path)
        #expect(try await stage.send(.get, path, as: stage.bob).status == .ok)
        let members = try await stage.send(.get, path + "/members", as: stage.ana).json["data"]?.array ?? []
        #expect(members.contains { $0["userId"]?.string == "\(stage.bobID)" && $0["role"] == "developer" })
        let listed = try await stage.send(.get, path + "/invitations", as: stage.ana)
        #expect(listed.json["data"]?.array?.first?["id"]?.string == id)
        #expect(listed.json["data"]?.array?.first?["status"] == "accepted")
        let again = try await stage.send(.post, "/v1/invitations/\(token)/accept", as: stage.bob)
        #expect(again.status == .notFound)
        let secret = try #require(token.split(separator: "_").last)
        #expect(!listed.text.contains(secret))
        #expect(stage.log.events.allSatisfy { !String(decoding: $0.payload ?? [], as: UTF8.self).contains(secret) })
    }

    @Test(
        "what is not the token of an open invitation opens nothing",
        arguments: ["nonsense", "sbi_1_2_3", "other secret", "other invitation", "taken back"]
    )
    func badTokens(which: String) async throws {
        let stage = try await Stage()
        let path = try await Self.acme(stage)
        let (id, token) = try await Self.invite(stage, to: path, as: "viewer")
        let parts = token.split(separator: "_").map(String.init)
        var text = which
        switch which {
        case "other secret": text = (parts.dropLast() + [String(repeating: "0", count: 64)]).joined(separator: "_")
        case "other invitation":
            text = [parts[0], parts[1], IDSource.system.unique().description, parts[3]].joined(separator: "_")
        case "taken back":
            text = token
            let gone = try await stage.send(.delete, path + "/invitations/\(id)", as: stage.ana)
            #expect(gone.status == .noContent)
        default: break
        }
        let size = try await stage.size
        let reply = try await stage.send(.post, "/v1/invitations/\(PercentEncoding.encode(text))/accept", as: stage.bob)
        #expect(reply.status == .notFound && reply.problem == "not-found")
        #expect(try await stage.size == size)
    }

    @Test("the same invitation asked for again has the same token")
    func repeated() async throws {
        let stage = try await Stage()
        let path = try await Self.acme(stage)
        let headers: HTTPFields = [.idempotencyKey: "one"]
        let body = #"{"role":"viewer"}"#
        let one = try await stage.send(.post, path + "/invitations", as: stage.ana, headers: headers, body: body)
        let two = try await stage.send(.post, path + "/invitations", as: stage.ana, headers: headers, body: body)
        #expect(one.json["token"]?.string != nil && one.json == two.json)
    }

    @Test("owners decide about owners: an admin neither makes one, invites one, demotes one nor removes one")
    func admins() async throws {
        let stage = try await Stage()
        let path = try await Self.acme(stage)
        let (_, token) = try await Self.invite(stage, to: path, as: "admin")
        _ = try await stage.send(.post, "/v1/invitations/\(token)/accept", as: stage.bob)
        let size = try await stage.size
        let deeds: [(HTTPRequest.Method, String, String?)] = [
            (.patch, "/members/\(stage.anaID)", #"{"role":"viewer"}"#),
            (.patch, "/members/\(stage.bobID)", #"{"role":"owner"}"#), (.delete, "/members/\(stage.anaID)", nil),
            (.post, "/invitations", #"{"role":"owner"}"#), (.post, "/transfer", #"{"userId":"\#(stage.bobID)"}"#),
        ]
        for (method, part, body) in deeds {
            #expect(
                try await stage.send(method, path + part, as: stage.bob, body: body).status == .forbidden,
                "\(part)"
            )
        }
        #expect(try await stage.size == size)
        #expect(try await stage.send(.delete, path + "/members/\(stage.bobID)", as: stage.bob).status == .noContent)
        #expect(try await stage.send(.get, path, as: stage.bob).status == .notFound)
    }

    @Test("an organization is given to a member, and is never without an owner")
    func transfer() async throws {
        let stage = try await Stage()
        let path = try await Self.acme(stage)
        let last = try await stage.send(.delete, path + "/members/\(stage.anaID)", as: stage.ana)
        #expect(last.problem == "last-owner")
        let body = #"{"userId":"\#(stage.bobID)"}"#
        let early = try await stage.send(.post, path + "/transfer", as: stage.ana, body: body)
        #expect(early.status == .unprocessableContent && early.pointers == ["#/userId"])
        let (_, token) = try await Self.invite(stage, to: path, as: "viewer")
        _ = try await stage.send(.post, "/v1/invitations/\(token)/accept", as: stage.bob)
        #expect(try await stage.send(.post, path + "/transfer", as: stage.ana, body: body).status == .noContent)
        #expect(try await stage.send(.delete, path, as: stage.ana).status == .forbidden)
        #expect(try await stage.send(.delete, path, as: stage.bob).status == .accepted)
    }

    @Test("a suspended organization has no new work until it is resumed; both deeds say why")
    func suspension() async throws {
        let stage = try await Stage()
        let path = try await Self.acme(stage)
        let admin = path.replacing("/v1/", with: "/v1/admin/")
        let invite = { try await stage.send(.post, path + "/invitations", as: stage.ana, body: #"{"role":"viewer"}"#) }
        for (verb, status) in [("suspend", HTTPResponse.Status.conflict), ("resume", .created)] {
            let done = try await stage.send(
                .post,
                "\(admin)/\(verb)",
                as: stage.operatorKey,
                body: #"{"reason":"unpaid"}"#
            )
            #expect(done.status == .noContent)
            let position = try #require(done.headers[.logPosition])
            let event = try await stage.send(.get, "/v1/events/\(position)", as: stage.auditorKey)
            #expect(event.json["data"]?["reason"] == "unpaid")
            #expect(try await invite().status == status)
        }
        let nowhere = try await stage.send(
            .post,
            "/v1/admin/organizations/7/suspend",
            as: stage.operatorKey,
            body: #"{"reason":"x"}"#
        )
        #expect(nowhere.status == .notFound)
    }

    @Test("people change their own names, for the version they have seen; the log has them sealed")
    func profile() async throws {
        let stage = try await Stage()
        let before = try await stage.send(.get, "/v1/me", as: stage.ana)
        #expect(before.json["profile"]?["firstName"] == .null)
        let tag = try #require(before.headers[.eTag])
        let change = { (headers: HTTPFields) in
            try await stage.send(.patch, "/v1/me", as: stage.ana, headers: headers, body: #"{"firstName":"Anastasia"}"#)
        }
        #expect(try await change([:]).status == .preconditionRequired)
        #expect(try await change([.ifMatch: tag]).json["firstName"] == "Anastasia")
        #expect(try await change([.ifMatch: tag]).status == .preconditionFailed)
        let after = try await stage.send(.get, "/v1/me", as: stage.ana)
        #expect(after.json["profile"]?["firstName"] == "Anastasia")
        #expect(
            stage.log.events.allSatisfy { !String(decoding: $0.payload ?? [], as: UTF8.self).contains("Anastasia") }
        )
        _ = try await stage.send(
            .post,
            "/v1/admin/erasures",
            as: stage.operatorKey,
            body: #"{"subject":"user-\#(stage.anaID)","reason":"asked"}"#
        )
        let erased = try await stage.send(.get, "/v1/me", as: stage.ana)
        #expect(!erased.text.contains("Anastasia"))
    }

    @Test("operators issue and revoke keys of the platform")
    func platformKeys() async throws {
        let stage = try await Stage()
        let made = try await stage.send(
            .post,
            "/v1/admin/api-keys",
            as: stage.operatorKey,
            body: #"{"role":"auditor","scopes":["read"]}"#
        )
        let key = try #require(made.json["key"]?.string.flatMap { IssuedKey($0) })
        #expect(try await stage.send(.get, "/v1/admin/releases", as: key).status == .ok)
        #expect(try await stage.send(.delete, "/v1/admin/api-keys/\(key.id)", as: key).status == .forbidden)
        let gone = try await stage.send(.delete, "/v1/admin/api-keys/\(key.id)", as: stage.operatorKey)
        #expect(gone.status == .noContent)
        #expect(try await stage.send(.get, "/v1/admin/releases", as: key).status == .unauthorized)
        let list = try await stage.send(.get, "/v1/admin/api-keys?role=auditor", as: stage.auditorKey)
        #expect(
            list.json["data"]?.array?.contains { $0["id"]?.string == "\(key.id)" && $0["revokedAt"] != .null } == true
        )
    }
}
