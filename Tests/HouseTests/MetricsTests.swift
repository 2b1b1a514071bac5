import FoundationEssentials
import Testing

/// docs/metrics.md against what the code counts.
@Suite("Metrics")
struct MetricsTests {
    /// The first cell of every row of its tables.
    static func documented() throws -> [String] {
        try Repository.text("docs/metrics.md").split(separator: "\n").compactMap { line in
            line.hasPrefix("| `signalbox_") || line.hasPrefix("| `http_")
                ? line.split(separator: "`").dropFirst().first.map(String.init) : nil
        }
    }

    @Test("docs/metrics.md lists each metric of the code once, and no other")
    func complete() throws {
        var made: Set<String> = []
        for path in Repository.files(below: "Sources", ending: ".swift") {
            for prefix in ["signalbox_", "http_"] {
                for rest in try Repository.text(path).split(separator: "label: \"\(prefix)").dropFirst() {
                    made.insert(prefix + rest.prefix { $0 != "\"" })
                }
            }
        }
        let documented = try Self.documented()
        #expect(Set(documented) == made)
        #expect(Set(documented).count == documented.count)
    }

    @Test("/metrics says of each metric what docs/metrics.md says; UPDATE_DOCS=1 rewrites it")
    func help() throws {
        let rows = try Repository.text("docs/metrics.md").split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("| `signalbox_") || line.hasPrefix("| `http_") else { return nil }
            let cells = line.split(separator: "|").map { $0.filter { $0 != "`" }.split(separator: " ") }
            guard cells.count > 1 else { return nil }
            let text = cells[1].drop { $0 == "*db*" }.joined(separator: " ")
            #expect(!text.contains { "\"\\".contains($0) }, "\(text) would have to be escaped")
            return "        \"\(cells[0].joined())\": \"\(text)\",\n"
        }
        let expected = """
            // swift-format-ignore-file
            // Made from docs/metrics.md by a test of HouseTests (UPDATE_DOCS=1).

            /// What each metric is, in a few words.
            enum MetricHelp {
                static let texts: [String: String] = [
            \(rows.joined())    ]
            }

            """
        let path = "Sources/Server/Metrics/MetricHelp.swift"
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
            try Data(expected.utf8).write(to: URL(filePath: Repository.root + "/" + path))
        } else {
            #expect(try Repository.text(path) == expected, "run this test with UPDATE_DOCS=1")
        }
    }

    @Test(
        "dashboards and alert rules ask for metrics that there are",
        arguments: ["deploy/grafana.json", "deploy/alerts.yaml", "deploy/alerts.test.yaml"]
    )
    func asked(path: String) throws {
        let known = Set(try Self.documented())
        let text = try Repository.text(path)
        let words = text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }
        var asked: Set<String> = []
        for word in words where word.hasPrefix("signalbox_") || word.hasPrefix("http_request") {
            let family = ["_bucket", "_sum", "_count"].first { word.hasSuffix($0) }.map { word.dropLast($0.count) }
            asked.insert(String(known.contains(String(word)) ? word : family ?? word))
        }
        #expect(asked.subtracting(known) == [])
        #expect(asked.count > 5)
    }
}
