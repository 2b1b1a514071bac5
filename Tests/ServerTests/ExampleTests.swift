import FoundationEssentials
import HTTPTypes
import Kernel
@testable import Server
import Testing

@Suite("Examples and problems in the OpenAPI document")
struct ExampleTests {
    private static let routes = Stage.table.routes

    private func document() async throws -> JSONValue {
        try await Stage().send(.get, "/openapi.json").json
    }

    @Test("every operation shows what it takes and what it answers, and each example has the shape that it shows")
    func examples() async throws {
        #expect(!Examples.samples.isEmpty)
        let document = try await document()
        for route in Self.routes {
            let operation = document["paths"]?[route.path]?[route.method.rawValue.lowercased()]
            if let body = route.body {
                let example = try #require(
                    operation?["requestBody"]?["content"]?["application/json"]?["example"],
                    "\(route.name)"
                )
                #expect(body.resolved.faults(in: example) == [], "\(route.name)")
            }
            for place in operation?["parameters"]?.array ?? [] where place["in"] == "path" {
                let schema = try #require(route.places.first { .string($0.name) == place["name"] }?.schema)
                #expect(schema.faults(in: try #require(place["example"])) == [], "\(route.name)")
            }
            let answer = operation?["responses"]?[String(route.success.status.code)]?["content"]?[route.success.type]
            guard let schema = route.success.schema,
                !["application/octet-stream", "application/x-tar"].contains(route.success.type)
            else { continue }
            let example = try #require(answer?["example"], "\(route.name)")
            #expect(schema.resolved.faults(in: example) == [], "\(route.name)")
            #expect(example != "", "\(route.name)")
        }
    }

    @Test("every operation has its problems by status, and an example of each kind")
    func problems() async throws {
        let document = try await document()
        let examples = try #require(document["components"]?["examples"]?.object)
        for (slug, example) in examples {
            #expect(example["value"]?["type"]?.string?.hasSuffix(slug) == true && example["value"]?["status"] != nil)
        }
        for route in Self.routes {
            let operation = document["paths"]?[route.path]?[route.method.rawValue.lowercased()]
            for problem in route.problems {
                #expect(examples[problem.slug] != nil, "\(problem.slug)")
                let status = String(problem.status.code)
                // Who says with its own document that all is not well does not say it with a problem.
                if route.success.others.contains(problem.status) { continue }
                let content = operation?["responses"]?[status]?["content"]?["application/problem+json"]
                #expect(content?["examples"]?[problem.slug] != nil, "\(route.name) \(problem.slug)")
                let types = content?["schema"]?["allOf"]?.array?.last?["properties"]?["type"]?["enum"]?.array
                #expect(types?.contains(.string(problem.type)) == true, "\(route.name) \(problem.slug)")
            }
        }
    }

    @Test("every kind of problem that is made anywhere is in the catalogue")
    func catalogue() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/Server")
        let made = try Regex("(?:Problem|\\.conflict)\\(\\s*\"([a-z-]+)\",")
        var slugs: Set<String> = []
        for file in try FileManager.default.subpathsOfDirectory(atPath: sources.path()) where file.hasSuffix(".swift") {
            let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
            for match in text.matches(of: made) {
                if let slug = match[1].substring { slugs.insert(String(slug)) }
            }
        }
        #expect(slugs.count > 60)
        #expect(slugs == Set(Problem.catalogue.keys))
    }
}
