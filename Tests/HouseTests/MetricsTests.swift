import Testing

/// docs/metrics.md against what the code counts.
@Suite("Metrics")
struct MetricsTests {
    /// The first cell of every row of its tables.
    static func documented() throws -> [String] {
        try Repository.text("docs/metrics.md").split(separator: "\n").compactMap { line in
            line.hasPrefix("| `signalbox_") ? line.split(separator: "`").dropFirst().first.map(String.init) : nil
        }
    }

    @Test("docs/metrics.md lists each metric of the code once, and no other")
    func complete() throws {
        var made: Set<String> = []
        for path in Repository.files(below: "Sources", ending: ".swift") {
            for rest in try Repository.text(path).split(separator: "label: \"signalbox_").dropFirst() {
                made.insert("signalbox_" + rest.prefix { $0 != "\"" })
            }
        }
        let documented = try Self.documented()
        #expect(Set(documented) == made)
        #expect(Set(documented).count == documented.count)
    }
}
