import Commands
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import SignalboxTestKit
import Testing

@Suite("Onboarding over HTTP")
struct OnboardingTests {
    @Test("answers 202 with ids, Location, ETag and position, after one append")
    func onboards() async throws {
        let stage = try await Stage()
        let before = try await stage.size
        let reply = try await stage.onboard("acme")

        #expect(reply.status == .accepted)
        let operation = try #require(reply.json["operation"]?["id"]?.string)
        #expect(reply.headers[.location] == "/v1/operations/\(operation)")
        #expect(reply.json["operation"]?["status"] == "queued")
        #expect(reply.json["organization"]?["slug"] == "acme")
        #expect(reply.json["subscription"]?["id"]?.string.flatMap { SubscriptionID($0) } != nil)
        #expect(reply.json["instance"]?["id"]?.string.flatMap { InstanceID($0) } != nil)
        #expect(reply.headers[.eTag]?.hasPrefix("\"") == true)
        #expect(reply.headers[.logPosition] == String(try await stage.size))
        let types = try await stage.log.read(after: before, through: nil, matching: .everything, limit: 100).events.map(
            \.type
        )
        #expect(Set(types) == ["organization.created", "subscription.requested", "instance.requested"])
    }

    @Test("the returned Location with the returned position finds the operation at once")
    func follows() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let location = try #require(made.headers[.location])
        let position = try #require(made.headers[.logPosition])
        let reply = try await stage.send(.get, "\(location)?min-position=\(position)", as: stage.ana)
        #expect(reply.status == .ok)
        #expect(reply.json["kind"] == "provision-instance")
        #expect(reply.json["id"] == made.json["operation"]?["id"])
    }

    @Test("the same key with the same body is answered the same and writes nothing new")
    func repeats() async throws {
        let stage = try await Stage()
        let first = try await stage.onboard("acme", headers: [.idempotencyKey: "\"k-1\""])
        let size = try await stage.size
        // Bare and quoted spell the same key.
        let second = try await stage.onboard("acme", headers: [.idempotencyKey: "k-1"])
        #expect(second.status == first.status)
        #expect(second.text == first.text)
        for name in [HTTPField.Name.location, .eTag, .logPosition] {
            #expect(second.headers[name] == first.headers[name])
        }
        #expect(try await stage.size == size)
    }

    @Test("the same command twice at once is carried out once and answered the same")
    func concurrentRepeat() async throws {
        let stage = try await Stage()
        let size = try await stage.size
        async let first = stage.onboard("acme", headers: [.idempotencyKey: "k-1"])
        async let second = stage.onboard("acme", headers: [.idempotencyKey: "k-1"])
        let replies = try await [first, second]
        #expect(replies.map(\.status) == [.accepted, .accepted])
        #expect(replies[0].text == replies[1].text)
        #expect(try await stage.size == size + 3)
    }

    @Test("the same key with another body is refused")
    func reused() async throws {
        let stage = try await Stage()
        _ = try await stage.onboard("acme", headers: [.idempotencyKey: "k-1"])
        let size = try await stage.size
        let reply = try await stage.onboard("other", headers: [.idempotencyKey: "k-1"])
        #expect(reply.status == .unprocessableContent)
        #expect(reply.problem == "idempotency-key-reused")
        #expect(try await stage.size == size)
    }

    @Test("the same key of another principal is another command")
    func keysArePersonal() async throws {
        let stage = try await Stage()
        let first = try await stage.onboard("acme", headers: [.idempotencyKey: "k-1"])
        let second = try await stage.onboard("other", as: stage.bob, headers: [.idempotencyKey: "k-1"])
        #expect(first.status == .accepted && second.status == .accepted)
        #expect(first.json["organization"] != second.json["organization"])
    }

    @Test("of two who want one slug at once, one gets 202 and one 409")
    func race() async throws {
        let stage = try await Stage()
        async let first = stage.onboard("acme")
        async let second = stage.onboard("acme", as: stage.bob)
        let replies = try await [first, second]
        #expect(replies.map(\.status.code).sorted() == [202, 409])
        #expect(replies.compactMap(\.problem) == ["slug-taken"])
    }

    @Test(
        "bad input is a problem and appends nothing",
        arguments: [
            (
                #"{"organization":{"name":"A","slug":"Bad_Slug"},"priceId":"team-monthly"}"#, "invalid",
                "#/organization/slug"
            ),
            (#"{"organization":{"name":"A","slug":"www"},"priceId":"team-monthly"}"#, "slug-reserved", nil),
            (#"{"organization":{"name":"","slug":"acme"},"priceId":"team-monthly"}"#, "invalid", "#/organization/name"),
            (
                #"{"organization":{"name":" A ","slug":"acme"},"priceId":"team-monthly"}"#, "invalid",
                "#/organization/name"
            ),
            (#"{"organization":{"name":"A","slug":"acme"},"priceId":"no-such"}"#, "unknown-price", "#/priceId"),
            (#"{"organization":{"name":"A","slug":"acme"}}"#, "invalid", "#/priceId"),
            (#"{"organization":{"name":"A","slug":"acme"},"priceId":"x","plan":"TEAM"}"#, "invalid", "#/plan"),
            (#"{"organization":{"name":1,"slug":"acme"},"priceId":"x"}"#, "invalid", "#/organization/name"),
            (#"[]"#, "invalid", "#"),
        ] as [(String, String, String?)]
    )
    func invalid(body: String, problem: String, pointer: String?) async throws {
        let stage = try await Stage()
        let size = try await stage.size
        let reply = try await stage.send(.post, "/v1/onboarding", as: stage.ana, body: body)
        #expect(reply.status == .unprocessableContent)
        #expect(reply.headers[.contentType] == "application/problem+json")
        #expect(reply.problem == problem)
        if let pointer { #expect(reply.pointers == [pointer]) }
        #expect(try await stage.size == size)
    }

    @Test("malformed JSON is 400, another media type 415, too much 413", arguments: [400, 415, 413])
    func bodies(code: Int) async throws {
        let stage = try await Stage()
        let size = try await stage.size
        let reply: Stage.Reply =
            switch code {
            case 400: try await stage.send(.post, "/v1/onboarding", as: stage.ana, body: #"{"organization":"#)
            case 415:
                try await stage.send(
                    .post,
                    "/v1/onboarding",
                    as: stage.ana,
                    headers: [.contentType: "application/x-www-form-urlencoded"],
                    body: "a=b"
                )
            default:
                try await stage.send(
                    .post,
                    "/v1/onboarding",
                    as: stage.ana,
                    body: "{\"a\":\"" + String(repeating: "x", count: 256 * 1024) + "\"}"
                )
            }
        #expect(reply.status.code == code)
        #expect(reply.problem != nil)
        #expect(try await stage.size == size)
    }

    @Test(
        "says whether a slug can be had",
        arguments: ["acme": "taken", "www": "reserved", "-a": "malformed", "free": nil]
    )
    func slugs(slug: String, reason: String?) async throws {
        let stage = try await Stage()
        try await stage.onboard("acme")
        let reply = try await stage.send(.get, "/v1/slugs/\(slug)", as: stage.bob)
        #expect(reply.json["available"] == .bool(reason == nil))
        #expect(reply.json["reason"]?.string == reason)
    }

    @Test("a log that does not answer is 503 with Retry-After, and the command can be sent again")
    func unavailable() async throws {
        var stage = try await Stage()
        let good = stage.backend.commands
        stage.backend.commands = CommandDoor()
        let reply = try await stage.onboard("acme", headers: [.idempotencyKey: "k"])
        #expect(reply.status == .serviceUnavailable)
        #expect(reply.headers[.retryAfter] == "1")
        stage.backend.commands = good
        #expect(try await stage.onboard("acme", headers: [.idempotencyKey: "k"]).status == .accepted)
    }
}
