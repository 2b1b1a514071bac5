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
