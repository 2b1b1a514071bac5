import Commands
import HTTPTypes
import Kernel
@testable import Server
import Testing

@Suite("Conventions of every route")
struct ConventionTests {
    @Test(
        "an unknown route is a problem",
        arguments: ["/nothing", "/v1", "/v1/organizations/", "/v1//organizations", "/%ZZ"]
    )
    func unknown(path: String) async throws {
        let stage = try await Stage()
        let reply = try await stage.send(.get, path, as: stage.ana)
        #expect(reply.status == .notFound)
        #expect(reply.problem == "route-unknown")
        #expect(reply.headers[.contentType] == "application/problem+json")
    }

    @Test("a wrong method is 405 and says which are right")
    func wrongMethod() async throws {
        let stage = try await Stage()
        let reply = try await stage.send(.delete, "/v1/organizations", as: stage.ana)
        #expect(reply.status == .methodNotAllowed)
        #expect(reply.problem == "method-not-allowed")
        #expect(reply.headers[.allow] == "GET, HEAD, OPTIONS, POST")
    }

    @Test(
        "every read takes the position that its answer must reflect",
        arguments: ["me", "organizations", "operations", "slugs/free"]
    )
    func positions(path: String) async throws {
        let stage = try await Stage()
        #expect(try await stage.send(.get, "/v1/\(path)?min-position=1", as: stage.ana).status == .ok)
        #expect(try await stage.send(.get, "/v1/\(path)?min-position=x", as: stage.ana).status == .unprocessableContent)
    }

    @Test("a parameter that is given and empty is judged like any other value")
    func emptyParameters() async throws {
        let stage = try await Stage()
        let reply = try await stage.send(.get, "/v1/organizations?after=&limit=", as: stage.ana)
        #expect(reply.status == .unprocessableContent && reply.parameters == ["limit", "after"])
        #expect(try await stage.send(.get, "/readyz?verbose").status == .ok)
    }

    @Test("HEAD is GET without its content")
    func head() async throws {
        let stage = try await Stage()
        let get = try await stage.send(.get, "/v1/plans")
        let head = try await stage.send(.head, "/v1/plans")
        #expect(head.status == .ok)
        #expect(head.text.isEmpty)
        #expect(head.headers[.contentLength] == String(get.text.utf8.count))
    }

    @Test("every answer repeats the request's id, or makes one, and carries the security headers")
    func headers() async throws {
        let stage = try await Stage()
        let named = try await stage.send(.get, "/livez", headers: [.requestID: "abc-1"])
        #expect(named.headers[.requestID] == "abc-1")
        let odd = try await stage.send(.get, "/nothing", headers: [.requestID: "a b"])
        #expect(odd.headers[.requestID].flatMap { UniqueID($0) } != nil)
        #expect(odd.json["requestId"]?.string == odd.headers[.requestID])
        #expect(odd.headers[.xContentTypeOptions] == "nosniff")
        #expect(odd.headers[.frameOptions] == "DENY")
        #expect(odd.headers[.cacheControl] == "no-store")
        #expect(odd.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
    }

    @Test("the caller's trace goes on, and is in the events of its command")
    func trace() async throws {
        let stage = try await Stage()
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let name = try #require(HTTPField.Name("traceparent"))
        let reply = try await stage.onboard("acme", headers: [name: parent])
        let own = try #require(reply.headers[name])
        #expect(own.hasPrefix("00-0af7651916cd43dd8448eb211c80319c-"))
        #expect(own.hasSuffix("-01"))
        #expect(!own.contains("b7ad6b7169203331"))
        let position = try #require(reply.headers[.logPosition])
        let event = try await stage.send(.get, "/v1/events/\(position)", as: stage.operatorKey)
        #expect(event.json["metadata"]?["traceparent"]?.string == own)
    }

    @Test(
        "a wrong traceparent starts a new trace",
        arguments: [
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra", "nonsense",
        ]
    )
    func wrongTrace(header: String) {
        let trace = TraceContext(continuing: header, ids: .system)
        #expect(trace.trace != "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.flags == "00")
    }

    @Test("a later version of traceparent is read by its first fields")
    func laterTrace() {
        let header = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes"
        #expect(TraceContext(continuing: header, ids: .system).trace == "0af7651916cd43dd8448eb211c80319c")
    }

    @Test(
        "unknown and wrong parameters are 422 and named",
        arguments: ["limit=0", "limit=201", "limit=x", "nope=1", "limit=1&limit=2"]
    )
    func parameters(query: String) async throws {
        let stage = try await Stage()
        let reply = try await stage.send(.get, "/v1/organizations?\(query)", as: stage.ana)
        #expect(reply.status == .unprocessableContent)
        #expect(reply.parameters == [String(query.prefix { $0 != "=" })])
    }

    @Test("lists come in pages that link to the next")
    func pages() async throws {
        let stage = try await Stage()
        for slug in ["one", "two", "three"] { try await stage.onboard(slug) }
        let first = try await stage.send(.get, "/v1/organizations?limit=2", as: stage.ana)
        #expect(first.json["data"]?.array?.compactMap { $0["slug"]?.string } == ["one", "two"])
        let link = try #require(first.headers[.link])
        #expect(link.hasSuffix(">; rel=\"next\""))
        let next = String(link.dropFirst().prefix { $0 != ">" })
        let second = try await stage.send(.get, next, as: stage.ana)
        #expect(second.json["data"]?.array?.compactMap { $0["slug"]?.string } == ["three"])
        #expect(second.json["next"] == .null)
        #expect(second.headers[.link] == nil)
        let wrong = try await stage.send(.get, "/v1/organizations?after=zzz", as: stage.ana)
        #expect(wrong.status == .badRequest)
        #expect(wrong.problem == "bad-cursor")
    }

    @Test("a position that is not reached in time is 503 with the present one and Retry-After")
    func behind() async throws {
        let stage = try await Stage()
        let size = try await stage.size
        let reply = try await stage.send(.get, "/v1/organizations?min-position=\(size + 5)", as: stage.ana)
        #expect(reply.status == .serviceUnavailable)
        #expect(reply.problem == "behind")
        #expect(reply.headers[.retryAfter] == "1")
        #expect(reply.headers[.logPosition] == String(size))
        #expect(reply.json["position"] == .integer(size))
    }

    @Test("renaming wants the version that is meant: 428 without, 412 with a stale one, and the ETag moves on")
    func preconditions() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let path = "/v1/organizations/" + (made.json["organization"]?["id"]?.string ?? "")
        let shown = try await stage.send(.get, path, as: stage.ana)
        let tag = try #require(shown.headers[.eTag])
        let body = #"{"name":"New name"}"#

        let missing = try await stage.send(.patch, path, as: stage.ana, body: body)
        #expect(missing.status == .preconditionRequired)
        let stale = try await stage.send(.patch, path, as: stage.ana, headers: [.ifMatch: "\"99\""], body: body)
        #expect(stale.status == .preconditionFailed)
        #expect(stale.headers[.eTag] == tag)
        let weak = try await stage.send(.patch, path, as: stage.ana, headers: [.ifMatch: "W/\(tag)"], body: body)
        #expect(weak.status == .preconditionFailed)
        let odd = try await stage.send(.patch, path, as: stage.ana, headers: [.ifMatch: "1"], body: body)
        #expect(odd.status == .badRequest)

        let good = try await stage.send(.patch, path, as: stage.ana, headers: [.ifMatch: tag], body: body)
        #expect(good.status == .ok)
        #expect(good.headers[.eTag] != tag)
        let after = try await stage.send(.get, path, as: stage.ana)
        #expect(after.json["name"] == "New name")
        #expect(after.headers[.eTag] == good.headers[.eTag])
    }

    @Test("a malformed Idempotency-Key is 400", arguments: ["\"open", "\"\"", "a\"b"])
    func malformedKey(key: String) async throws {
        let stage = try await Stage()
        let size = try await stage.size
        let reply = try await stage.onboard("acme", headers: [.idempotencyKey: key])
        #expect(reply.status == .badRequest)
        #expect(reply.problem == "bad-header")
        #expect(try await stage.size == size)
    }

    @Test("only pages of allowed origins may call from a browser")
    func origins() async throws {
        var stage = try await Stage()
        stage.settings.allowedOrigins = ["https://console.example"]
        let good = try await stage.send(.options, "/v1/organizations", headers: [.origin: "https://console.example"])
        #expect(good.status == .noContent)
        #expect(good.headers[.accessControlAllowOrigin] == "https://console.example")
        #expect(good.headers[.accessControlAllowMethods]?.contains("POST") == true)
        let bad = try await stage.send(.get, "/livez", headers: [.origin: "https://evil.example"])
        #expect(bad.headers[.accessControlAllowOrigin] == nil)
        #expect(bad.headers[.vary] == "Origin")
    }

    @Test("an error of ours is 500 with an id and without a detail")
    func internalError() async throws {
        var stage = try await Stage()
        stage.backend.commands.slugAvailability = { _ throws(CommandError) in throw .broken("the password is hunter2") }
        let reply = try await stage.send(.get, "/v1/slugs/a", as: stage.ana)
        #expect(reply.status == .internalServerError)
        #expect(reply.json["requestId"]?.string != nil)
        #expect(reply.json["detail"] == nil)
        #expect(!reply.text.contains("hunter2"))
    }
}
