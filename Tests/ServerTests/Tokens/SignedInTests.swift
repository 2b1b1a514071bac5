import Commands
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import SignalboxTestKit
import Testing

@Suite("Who comes with a token")
struct SignedInTests {
    private let issuer: Issuer
    private var stage: Stage

    init() async throws {
        issuer = try Issuer()
        stage = try await Stage()
        stage.backend.tokens = issuer.verifier()
    }

    private func me(_ token: String) async throws -> Stage.Reply {
        try await stage.send(.get, "/v1/me", headers: [.authorization: "Bearer \(token)"])
    }

    @Test("is registered at the first time, and the same person from then on; another subject is another person")
    func registered() async throws {
        let first = try await me(try issuer.token("ES256", claims: issuer.claims(["given_name": "Ana"])))
        #expect(first.status == .ok && first.json["kind"] == "user" && first.json["profile"]?["firstName"] == "Ana")
        let size = try await stage.size
        let second = try await me(try issuer.token("EdDSA"))
        #expect(second.json["id"] == first.json["id"])
        #expect(try await stage.size == size)
        let other = try await me(try issuer.token("EdDSA", claims: issuer.claims(["sub": "eva"])))
        #expect(other.json["id"] != first.json["id"])
        // Not who has the same name with another issuer, such as the tests' own.
        #expect(first.json["id"]?.string != stage.anaID.description)
    }

    @Test("acts as that person, within the scopes of the token")
    func acts() async throws {
        let write = try issuer.token("EdDSA")
        let read = try issuer.token("EdDSA", claims: issuer.claims(["scope": "openid signalbox:read"]))
        let body = #"{"name":"Acme","slug":"acme"}"#
        func create(_ token: String) async throws -> Stage.Reply {
            try await stage.send(
                .post,
                "/v1/organizations",
                headers: [.authorization: "Bearer \(token)"],
                body: body
            )
        }
        #expect(try await create(read).status == .forbidden)
        #expect(try await create(write).status == .created)
        #expect(
            try await stage.send(.get, "/v1/admin/releases", headers: [.authorization: "Bearer \(write)"]).status
                == .forbidden
        )
    }

    @Test("with a token that is not good is 401, and the challenge says so without saying why")
    func refused() async throws {
        let expired = try issuer.token("EdDSA", claims: issuer.claims(["exp": 1]))
        let stranger = try Issuer().token("EdDSA")
        for token in [expired, stranger, "a.b.c", expired + "x"] {
            let reply = try await me(token)
            #expect(reply.status == .unauthorized)
            #expect(reply.headers[.wwwAuthenticate]?.contains("error=\"invalid_token\"") == true)
            #expect(!reply.text.contains("expired") && !reply.text.contains("signature"))
        }
    }

    @Test("is asked to come back when the keys cannot be had")
    func unavailable() async throws {
        issuer.publish(nil)
        let reply = try await me(try issuer.token("EdDSA"))
        #expect(reply.status == .serviceUnavailable && reply.headers[.retryAfter] != nil)
    }

    @Test("is nobody after being erased")
    func erased() async throws {
        let token = try issuer.token("EdDSA")
        let id = try #require(try await me(token).json["id"]?.string.flatMap { UserID($0) })
        let stream = Streams.user(id)
        let person = try await Aggregates(log: stage.log).load(User.self, from: stream)
        let write = try person.write(try person.decide(.erase(reason: "asked")), ids: .system)
        let causation = Causation(actor: "system", command: IDSource.system.unique())
        _ = try await stage.log.append(AppendRequest(causation: causation, writes: [write]))
        #expect(try await me(token).status == .unauthorized)
    }

    @Test("is nobody where no issuer is set")
    func off() async throws {
        var stage = stage
        stage.backend.tokens = nil
        let token = try issuer.token("EdDSA")
        #expect(
            try await stage.send(.get, "/v1/me", headers: [.authorization: "Bearer \(token)"]).status == .unauthorized
        )
    }
}
