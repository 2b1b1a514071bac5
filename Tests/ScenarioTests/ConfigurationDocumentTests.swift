import FoundationEssentials
import Testing

@testable import signalbox

/// docs/configuration.md against what the code asks for.
@Suite("The document of settings")
struct ConfigurationDocumentTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
    private static let path = root + "/docs/configuration.md"

    @Test("lists every setting, as the code asks for it; UPDATE_DOCS=1 rewrites all but what they mean")
    func complete() throws {
        let document = String(decoding: try Data(contentsOf: URL(filePath: Self.path)), as: UTF8.self)
        let expected = Self.rewritten(document)
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
            try Data(expected.utf8).write(to: URL(filePath: Self.path))
        } else {
            #expect(document == expected, "run this test with UPDATE_DOCS=1")
        }
        for (name, meaning) in Self.meanings(expected) { #expect(!meaning.isEmpty, "what does \(name) mean?") }
    }

    @Test("no name has two meanings, and no secret has a default")
    func names() {
        let all = Settings.all
        let names = all.map(\.name) + UnusedSettings.reasons.flatMap(\.names)
        #expect(Set(names).count == names.count)
        for setting in all {
            #expect(setting.aliases.allSatisfy { !UnusedSettings.reasons.flatMap(\.names).contains($0) })
            let looksSecret = ["PASSWORD", "SECRET", "TOKEN", "API_KEY", "KEYS"].contains { setting.name.hasSuffix($0) }
            // Public keys of an issuer.
            #expect(setting.isSecret || !looksSecret || setting.name == "SIGNALBOX_JWT_KEYS", "\(setting.name)")
        }
        for setting in all where setting.isSecret {
            #expect(["–", "required", "required, or `DB_HOST`", "empty"].contains(setting.fallback), "\(setting.name)")
        }
    }

    @Test("what is said of single commands is what the code reads")
    func commands() throws {
        let document = String(decoding: try Data(contentsOf: URL(filePath: Self.path)), as: UTF8.self)
        let section = document.split(separator: "## Of single commands").last?.split(separator: "## ").first ?? ""
        let names = section.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap {
            $0.split(separator: "`").dropFirst().first.map(String.init)
        }
        let sources = try ["signalbox", "Postgres"].flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: "\(Self.root)/Sources/\(folder)")
                .filter { $0.hasSuffix(".swift") }
                .map {
                    String(
                        decoding: try Data(contentsOf: URL(filePath: "\(Self.root)/Sources/\(folder)/\($0)")),
                        as: UTF8.self
                    )
                }
        }
        #expect(names.count == 5)
        for name in names { #expect(sources.contains { $0.contains("\"\(name)\"") }, "\(name)") }
    }

    private static let header = "| Name | Type | Default | Meaning |"

    private static func rewritten(_ document: String) -> String {
        let meanings = meanings(document)
        let lines = document.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let start = lines.firstIndex(of: header),
            let unused = lines.firstIndex(of: "| Names | Why |")
        else { return document }
        let end = lines[(start + 2)...].firstIndex { !$0.hasPrefix("| `") } ?? lines.count
        let rows = Settings.all.map { setting in
            "| " + (setting.cells + [meanings[setting.name] ?? ""]).joined(separator: " | ") + " |"
        }
        let reasons = UnusedSettings.reasons.map { reason in
            "| " + reason.names.map { "`\($0)`" }.joined(separator: ", ") + " | \(reason.why) |"
        }
        return (lines[...(start + 1)] + rows + lines[end...(unused + 1)] + reasons + [""]).joined(separator: "\n")
    }

    /// The last cells of the rows of the first table, by name.
    private static func meanings(_ document: String) -> [String: String] {
        let table = document.split(separator: header).dropFirst().first?.split(separator: "\n\n").first ?? ""
        return table.split(separator: "\n").filter { $0.hasPrefix("| `") }.reduce(into: [:]) { meanings, row in
            let cells = row.split(separator: " | ", omittingEmptySubsequences: false)
            guard let name = row.split(separator: "`").dropFirst().first, let last = cells.last else { return }
            meanings[String(name)] = last.hasSuffix(" |") ? String(last.dropLast(2)) : String(last)
        }
    }
}
