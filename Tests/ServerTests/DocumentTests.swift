import HTTPTypes
import Kernel
@testable import Server
import Testing

@Suite("The OpenAPI document")
struct DocumentTests {
    private let table = Stage.table

    private func document() async throws -> JSONValue {
        try await Stage().send(.get, "/openapi.json").json
    }

    @Test("has every route that is served, and nothing else")
    func complete() async throws {
        let paths = try #require(try await document()["paths"]?.object)
        var documented: Set<String> = []
        for (path, operations) in paths {
            for method in operations.object?.keys.map({ $0 }) ?? [] {
                documented.insert("\(method.uppercased()) \(path)")
            }
        }
        #expect(documented == Set(table.routes.map { "\($0.method.rawValue) \($0.path)" }))
        #expect(documented.contains("GET /openapi.json"))
    }

    @Test("serves every path that it has", arguments: ["GET", "HEAD", "POST", "PATCH", "DELETE"])
    func served(method: String) async throws {
        let method = try #require(HTTPRequest.Method(method))
        for route in table.routes where route.method == method || (method == .head && route.method == .get) {
            let path = route.path.split(separator: "/").map { $0.hasPrefix("{") ? "7" : $0 }.joined(separator: "/")
            guard case .found(let found, _) = table.match(method, path: "/" + path) else {
                Issue.record("\(method) \(route.path) leads nowhere")
                continue
            }
            #expect(found.name == route.name)
        }
    }

    @Test("refers only to shapes that it has, and uses each of them")
    func references() async throws {
        let document = try await document()
        let shapes = Set(try #require(document["components"]?["schemas"]?.object?.keys.map { $0 }))
        var used: Set<String> = []
        func visit(_ value: JSONValue) {
            switch value {
            case .object(let members):
                if let reference = members["$ref"]?.string, reference.hasPrefix("#/components/schemas/") {
                    used.insert(String(reference.dropFirst("#/components/schemas/".count)))
                }
                members.values.forEach(visit)
            case .array(let elements): elements.forEach(visit)
            case .null, .bool, .integer, .number, .string: break
            }
        }
        visit(document)
        #expect(used == shapes)
    }

    @Test("says what it takes: path parameters, bodies and who may")
    func details() async throws {
        let document = try await document()
        let operation = try #require(document["paths"]?["/v1/organizations/{organization}"]?["patch"])
        let parameter = try #require(operation["parameters"]?.array?.first)
        #expect(parameter["name"] == "organization" && parameter["in"] == "path" && parameter["required"] == true)
        #expect(operation["requestBody"]?["required"] == true)
        #expect(operation["security"]?.array?.first?["key"] != nil)
        #expect(document["paths"]?["/livez"]?["get"]?["security"] == [])
        #expect(operation["responses"]?["default"]?["$ref"] == "#/components/responses/Problem")
    }

    @Test("people find every route on one page that loads nothing")
    func page() async throws {
        let reply = try await Stage().send(.get, "/docs")
        #expect(reply.headers[.contentType] == "text/html; charset=utf-8")
        #expect(reply.headers[.contentSecurityPolicy]?.contains("script") == false)
        for route in table.routes { #expect(reply.text.contains("<section id=\"\(route.name)\">")) }
        #expect(!reply.text.contains("<script") && !reply.text.contains("src="))
    }

    @Test("what the story answers has the shape that the document gives it")
    func truthful() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let organization = made.json["organization"]?["id"]?.string ?? ""
        let instance = made.json["instance"]?["id"]?.string ?? ""
        let subscription = made.json["subscription"]?["id"]?.string ?? ""
        let operation = made.json["operation"]?["id"]?.string ?? ""
        let key = try await stage.send(.post, "/v1/me/api-keys", as: stage.ana, body: "{}")
        let invitation = try await stage.send(
            .post,
            "/v1/organizations/\(organization)/invitations",
            as: stage.ana,
            body: #"{"role":"viewer"}"#
        )
        let replies: [(String, Stage.Reply)] = [
            ("NewInvitation", invitation),
            ("Invitations", try await stage.send(.get, "/v1/organizations/\(organization)/invitations", as: stage.ana)),
            ("Keys", try await stage.send(.get, "/v1/admin/api-keys?role=auditor", as: stage.auditorKey)),
            ("Onboarding", made), ("NewKey", key),
            ("Organization", try await stage.send(.get, "/v1/organizations/\(organization)", as: stage.ana)),
            ("Organizations", try await stage.send(.get, "/v1/me/organizations", as: stage.ana)),
            ("Members", try await stage.send(.get, "/v1/organizations/\(organization)/members", as: stage.ana)),
            ("Instance", try await stage.send(.get, "/v1/instances/\(instance)", as: stage.ana)),
            ("Instances", try await stage.send(.get, "/v1/organizations/\(organization)/instances", as: stage.ana)),
            ("History", try await stage.send(.get, "/v1/instances/\(instance)/history", as: stage.ana)),
            ("Subscription", try await stage.send(.get, "/v1/subscriptions/\(subscription)", as: stage.ana)),
            ("Operation", try await stage.send(.get, "/v1/operations/\(operation)", as: stage.ana)),
            ("Operations", try await stage.send(.get, "/v1/operations", as: stage.ana)),
            ("Events", try await stage.send(.get, "/v1/events", as: stage.operatorKey)),
            (
                "StreamState",
                try await stage.send(.get, "/v1/streams/instance-\(instance)/state", as: stage.ana)
            ),
            (
                "StreamDifference",
                try await stage.send(.get, "/v1/streams/instance-\(instance)/diff", as: stage.ana)
            ),
            (
                "Erasure",
                try await stage.send(
                    .post,
                    "/v1/admin/erasures",
                    as: stage.operatorKey,
                    body: #"{"positions":[2],"reason":"x"}"#
                )
            ),
            ("Keys", try await stage.send(.get, "/v1/me/api-keys", as: stage.ana)),
            ("Caller", try await stage.send(.get, "/v1/me", as: stage.ana)),
            ("SlugAvailability", try await stage.send(.get, "/v1/slugs/acme", as: stage.ana)),
            ("Plans", try await stage.send(.get, "/v1/plans")), ("Prices", try await stage.send(.get, "/v1/prices")),
            ("Releases", try await stage.send(.get, "/v1/admin/releases", as: stage.operatorKey)),
            ("Liveness", try await stage.send(.get, "/livez")),
            ("Readiness", try await stage.send(.get, "/readyz?verbose=1")),
            ("Health", try await stage.send(.get, "/health")),
        ]
        for (name, reply) in replies {
            #expect(reply.status.kind == .successful, "\(name): \(reply.text)")
            let faults = try #require(API.shapes[name]).resolved.faults(in: reply.json)
            #expect(faults.isEmpty, "\(name): \(faults)")
        }
    }
}

extension Schema {
    /// The same shape with every name replaced by what it stands for.
    var resolved: Schema {
        switch self {
        case .named(let name): API.shapes[name]?.resolved ?? .nothing
        case .object(let members): .object(members.map { .init($0.name, $0.schema.resolved, required: $0.required) })
        case .array(let element): .array(element.resolved)
        case .nullable(let schema): .nullable(schema.resolved)
        case .string, .oneOf, .integer, .boolean, .number, .anything, .json: self
        }
    }
}
