import FoundationEssentials
import SignalboxTestKit
import Testing

@Suite("Schema snapshot")
struct SnapshotTests {
    /// The root of the repository, three levels above this file.
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    @Test("schema/snapshot.sql is what the migrations and functions make; UPDATE_SNAPSHOT=1 rewrites it")
    func snapshot() async throws {
        let path = Self.root + "/schema/snapshot.sql"
        let made = try await withDatabase { try await $0.dump() }
        if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOT"] == "1" {
            try made.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let kept = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        // Line by line, so that a failure shows the difference and not two files.
        let difference = made.split(separator: "\n").difference(from: kept.split(separator: "\n")).map { change in
            switch change {
            case .insert(_, let line, _): "+ \(line)"
            case .remove(_, let line, _): "- \(line)"
            }
        }
        #expect(difference.isEmpty, "\(difference.prefix(20).joined(separator: "\n"))")
    }
}
