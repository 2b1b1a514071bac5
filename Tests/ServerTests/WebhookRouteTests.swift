import HTTPTypes
import Kernel
@testable import Server
import Testing

@Suite("Webhooks, as they are asked for")
struct WebhookRouteTests {
    @Test("a secret is shown once and is in no event; the same key is answered the same")
    func registered() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let id = try #require(made.json["organization"]?["id"]?.string)
        let path = "/v1/organizations/\(id)/webhooks"
        let body = #"{"url":"https://hooks.example/a","types":["instance.running"]}"#
        let headers: HTTPFields = [.idempotencyKey: "\"one\""]
        let first = try await stage.send(.post, path, as: stage.ana, headers: headers, body: body)
        #expect(first.status == .created)
        let secret = try #require(first.json["secret"]?.string)
        let webhook = try #require(first.json["id"]?.string)
        #expect(secret.hasPrefix("whsec_") && first.headers[.location] == "\(path)/\(webhook)")
        let size = try await stage.size
        let second = try await stage.send(.post, path, as: stage.ana, headers: headers, body: body)
        #expect(second.json == first.json)
        #expect(try await stage.size == size)

        let list = try await stage.send(.get, path, as: stage.ana)
        #expect(list.json["data"]?.array?.map { $0["id"]?.string } == [webhook] && !list.text.contains("whsec_"))
        let events = try await stage.send(
            .get,
            "/v1/events?organization=\(id)&type=organization.webhook-registered",
            as: stage.ana
        )
        #expect(events.json["data"]?.array?.first?["data"]?["secret"] == ["sealed": true])

        let rotated = try await stage.send(.post, "\(path)/\(webhook)/rotate-secret", as: stage.ana, body: "{}")
        #expect(rotated.json["secret"]?.string.map { $0 != secret && $0.hasPrefix("whsec_") } == true)
        for (deed, enabled) in [("disable", false), ("disable", false), ("enable", true)] {
            let done = try await stage.send(.post, "\(path)/\(webhook)/\(deed)", as: stage.ana, body: "{}")
            #expect(done.status == .noContent)
            let now = try await stage.send(.get, path, as: stage.ana)
            #expect(now.json["data"]?.array?.first?["enabled"] == .bool(enabled))
        }
        #expect(try await stage.send(.delete, "\(path)/\(webhook)", as: stage.ana).status == .noContent)
        #expect(try await stage.send(.delete, "\(path)/\(webhook)", as: stage.ana).status == .notFound)
    }

    @Test(
        "what cannot be called is refused, and nothing is changed",
        arguments: [
            #"{"url":"http://hooks.example/a"}"#, #"{"url":"file:///etc/passwd"}"#,
            #"{"url":"https://a@hooks.example/"}"#,
            #"{"url":"https://hooks.example/","types":["nothing.happened"]}"#,
            #"{"url":"https://hooks.example/","types":[]}"#,
        ]
    )
    func refused(body: String) async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let id = try #require(made.json["organization"]?["id"]?.string)
        let size = try await stage.size
        let reply = try await stage.send(.post, "/v1/organizations/\(id)/webhooks", as: stage.ana, body: body)
        #expect(reply.status == .unprocessableContent && reply.pointers == ["#/url"])
        #expect(try await stage.size == size)
    }
}
