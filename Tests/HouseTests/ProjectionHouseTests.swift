import Testing

/// What docs/how-to/add-a-projection.md promises.
@Suite("Projections stand alone")
struct ProjectionHouseTests {
    /// A read model as its file says.
    private struct Model: Sendable, CustomTestStringConvertible {
        var type: String
        var name: String
        var shape: String
        var testDescription: String { type }
    }

    private static let models: [Model] = Repository.files(below: "Sources/Projections/Models", ending: ".swift")
        .compactMap { path in
            guard let text = try? Repository.text(path),
                let type = word(in: text, after: "package enum ", before: ": Projection"),
                let name = word(in: text, after: "static let name = \"", before: "\""),
                let shape = word(in: text, after: "static let shape = ", before: "\n")
            else { return nil }
            return Model(type: type, name: name, shape: shape)
        }

    @Test("a read model is its file, its SQL file, its line in CAssets and its line in the registry")
    func places() throws {
        #expect(Self.models.count >= 9)
        let registry = try Repository.text("Sources/Projections/Registry.swift")
        let assets = try Repository.text("Sources/CAssets/assets.c")
        for model in Self.models {
            let file = "schema/readmodels/\(model.name).v\(model.shape).sql"
            #expect(Repository.exists(file) && assets.contains("\"\(file)\""), "\(model.type)")
            #expect(registry.split(separator: "\(model.type).self,").count == 2, "\(model.type)")
        }
    }

    @Test("what feeds, rebuilds and switches read models knows none of them by name")
    func strangers() throws {
        let folders = ["Sources/Projections/Running", "Sources/Projections/Rebuilding", "schema/functions"]
        for path in folders.flatMap({ Repository.files(below: $0) }) + ["schema/readmodels/control.v1.sql"] {
            let text = try Repository.text(path)
            for model in Self.models {
                #expect(!text.contains("\(model.type).self") && !text.contains("\"\(model.name)\""), "\(path)")
            }
        }
    }

    @Test("a projection is handed nothing that it could cause an effect with: it sees values, and cannot wait")
    func pure() throws {
        for path in Repository.files(below: "Sources/Projections/Models", ending: ".swift") {
            let text = try Repository.text(path)
            for word in ["async", "await", "Task", "EventLog", "Pool", "Connection", "Logger"] {
                #expect(!text.contains("\(word) ") && !text.contains("\(word)("), "\(path) says \(word)")
            }
        }
        for (path, module) in try FloorTests.imports(below: "Sources/Projections/Models") {
            #expect(["Domain", "EventStore", "Kernel"].contains(module), "\(path) imports \(module)")
        }
        // What the protocol asks for is synchronous and static: there is nothing to keep anything in.
        let asked = try Repository.text("Sources/Projections/Projection.swift")
        let body = asked.split(separator: "package protocol Projection").last?.split(separator: "\n}").first ?? ""
        #expect(!body.contains("async") && !body.contains("init("))
        #expect(
            body.split(separator: "\n").filter { $0.contains("func ") || $0.contains("var ") }
                .allSatisfy { $0.contains("static ") }
        )
    }

    private static func word(in text: String, after start: String, before end: String) -> String? {
        let parts = text.split(separator: start, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let rest = parts[1].split(separator: end, maxSplits: 1, omittingEmptySubsequences: false)
        return rest.count == 2 ? String(rest[0]) : nil
    }
}
