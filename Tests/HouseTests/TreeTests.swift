import Testing

/// Rules of the tree that no compiler checks.
@Suite("Tree")
struct TreeTests {
    @Test("every SQL file is embedded, and nothing else is")
    func embedded() throws {
        let assets = try Repository.text("Sources/CAssets/assets.c")
        let listed = assets.split(separator: "\n").compactMap { line -> String? in
            guard line.contains("ASSET(\""), let path = line.split(separator: "\"").dropFirst().first else {
                return nil
            }
            return String(path)
        }
        let files = Repository.files(below: "schema", ending: ".sql").filter { $0 != "schema/snapshot.sql" }
        #expect(listed.filter { $0.hasPrefix("schema/") }.sorted() == files)
        #expect(Set(listed).count == listed.count)
    }

    @Test("migrations are numbered 1, 2, 3, …")
    func numbered() throws {
        let names = Repository.files(below: "schema/migrations", ending: ".sql").map { $0.split(separator: "/")[2] }
        for (index, name) in names.enumerated() {
            let number = String(index + 1)
            #expect(name.hasPrefix("V" + String(repeating: "0", count: 4 - number.count) + number + "__"))
        }
        #expect(!names.isEmpty)
    }

    @Test("no file is longer than 400 lines, unless it is a state machine or a parser and says so here")
    func length() throws {
        let exceptions: Set<String> = []
        let paths =
            Repository.files(below: "Sources", ending: ".swift") + Repository.files(below: "Tests", ending: ".swift")
        for path in paths where !exceptions.contains(path) {
            let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= 401, "\(path) has \(lines) lines")
        }
    }

    @Test("the documents that newcomers are sent to exist")
    func documents() {
        let paths = [
            "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/glossary.md",
            "docs/how-to/add-an-event.md", "docs/how-to/add-a-command.md", "docs/how-to/add-a-projection.md",
            "docs/how-to/add-a-saga-step.md", "docs/how-to/add-a-route.md",
        ]
        for path in paths { #expect(Repository.exists(path), "\(path)") }
    }

    @Test(
        "documents link to files that exist",
        arguments: ["README.md", "CONTRIBUTING.md"] + Repository.files(below: "docs", ending: ".md")
    )
    func links(path: String) throws {
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        for link in try Self.links(in: Repository.text(path)) {
            let target = link.hasPrefix("/") ? String(link.dropFirst()) : folder.isEmpty ? link : folder + "/" + link
            #expect(Repository.exists(Self.normal(target)), "\(path) links to \(link)")
        }
    }

    @Test("no test sleeps to wait for something")
    func sleeps() throws {
        for path in Repository.files(below: "Tests", ending: ".swift") where path != "Tests/HouseTests/TreeTests.swift"
        {
            let text = try Repository.text(path)
            #expect(!text.contains("Thread.sleep") && !text.contains("usleep("), "\(path)")
        }
    }

    /// Relative link targets of Markdown, without fragments.
    private static func links(in text: String) -> [String] {
        text.split(separator: "](").dropFirst().compactMap { rest in
            guard let end = rest.firstIndex(of: ")") else { return nil }
            let target = rest[..<end].prefix { $0 != "#" && $0 != " " }
            return target.isEmpty || target.contains("://") || target.hasPrefix("mailto:") ? nil : String(target)
        }
    }

    private static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}
