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

    @Test("nothing else in the program mentions it, but the questions that are asked of it")
    func strangers() throws {
        // Who asks it: queries, and the routes that say which read models their answers are made of.
        let asking = [
            "Sources/Projections/Reading/", "Sources/Server/Routing/Call+Models.swift", "Sources/Server/Routes/",
        ]
        let swift = Repository.files(below: "Sources", ending: ".swift").filter { path in
            !asking.contains { path.hasPrefix($0) }
        }
        let sql = Repository.files(below: "schema", ending: ".sql").filter { $0 != "schema/snapshot.sql" }
        let texts = try (swift + sql).map { (path: $0, text: try Repository.text($0)) }
        for model in Self.models {
            let own = "static let name = \"\(model.name)\""
            for (path, text) in texts {
                let isInside = path.hasPrefix("Sources/Projections/")
                #expect(!text.contains("rm.\(model.name)_v"), "\(path)")
                #expect(path.hasSuffix("Registry.swift") || !text.contains("\(model.type).self"), "\(path)")
                // Outside, the same word may stand for something else.
                #expect(!isInside || text.contains(own) || !text.contains("\"\(model.name)\""), "\(path)")
            }
            let assets = try Repository.text("Sources/CAssets/assets.c").split(separator: "\n")
            let file = "schema/readmodels/\(model.name).v\(model.shape).sql"
            #expect(assets.count { $0.contains(file) } == 2, "\(model.type): one #embed and one ASSET")
        }
    }

    @Test("the read model that tests add is in its four places and no other")
    func added() throws {
        let folder = "Tests/ProjectionsTests/Added"
        #expect(
            Repository.files(below: folder).map { String($0.dropFirst(folder.count + 1)) }
                == ["Renames.swift", "TestRegistry.swift", "renames.v1.sql"]
        )
        #expect(try Repository.text("\(folder)/TestRegistry.swift").split(separator: "Renames.self").count == 2)
        let lines = try Repository.text("Tests/TestAssets/assets.c").split(separator: "\n")
        #expect(lines.count { $0.contains("renames.v1.sql") } == 2)
        let others =
            Repository.files(below: "Sources", ending: ".swift") + Repository.files(below: "schema", ending: ".sql")
            + ["Sources/CAssets/assets.c"]
        for path in others {
            let text = try Repository.text(path)
            #expect(
                !text.contains("Renames.") && !text.contains("renames.v1") && !text.contains("\"renames\""),
                "\(path)"
            )
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
