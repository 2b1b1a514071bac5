import Crypto
import FoundationEssentials
import Kernel
import SignalboxTestKit
import Testing

/// `Tests/Fixtures/events/SHA256SUMS`, in the form of `sha256sum`: what was ever written, so that nobody changes it
/// unseen.
struct GoldenManifest {
    static let path = GoldenPayload.folder + "/SHA256SUMS"

    /// The hash of each file, by its name.
    var hashes: [String: String] = [:]

    init(_ text: String) throws {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: true)
            try #require(parts.count == 2 && parts[0].utf8.count == 64, "\(line) is not a line of sha256sum")
            try #require(hashes.updateValue(String(parts[0]), forKey: String(parts[1])) == nil, "\(line) is double")
        }
    }

    var text: String { hashes.sorted { $0.key < $1.key }.reduce(into: "") { $0 += "\($1.value)  \($1.key)\n" } }

    /// What is not as it was promised.
    func complaints(about files: [String: [UInt8]]) -> [String] {
        let broken = hashes.compactMap { name, hash -> String? in
            guard let bytes = files[name] else { return "\(name) is gone: what lies in logs stays readable" }
            guard Self.hash(bytes) == hash else {
                return "\(name) was changed: what lies in logs stays as it is; a new shape is a new version and file"
            }
            return nil
        }
        let new = files.keys.filter { hashes[$0] == nil }.map { "\($0) is not in SHA256SUMS: UPDATE_GOLDEN=1 adds it" }
        return (broken + new).sorted()
    }

    static func hash(_ bytes: [UInt8]) -> String { Hex.text(SHA256.hash(data: bytes)) }
}

@Suite("Golden manifest")
struct GoldenManifestTests {
    @Test("every payload ever written is still there as it was; UPDATE_GOLDEN=1 adds new ones")
    func whole() throws {
        let text = FileManager.default.contents(atPath: GoldenManifest.path).map { String(decoding: $0, as: UTF8.self) }
        var manifest = try GoldenManifest(text ?? "")
        var files: [String: [UInt8]] = [:]
        for name in try GoldenPayload.files() {
            files[name] = Array(try Data(contentsOf: URL(filePath: GoldenPayload.folder + "/" + name)))
        }
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            // What is known stays as it is known, so this never hides a change.
            for (name, bytes) in files where manifest.hashes[name] == nil {
                manifest.hashes[name] = GoldenManifest.hash(bytes)
            }
            try manifest.text.write(toFile: GoldenManifest.path, atomically: true, encoding: .utf8)
        }
        let complaints = manifest.complaints(about: files)
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
        #expect(!manifest.hashes.isEmpty)
    }

    @Test("a file that was changed, dropped or not entered is named")
    func complains() throws {
        let manifest = try GoldenManifest(
            "\(GoldenManifest.hash([1]))  a.json\n\(GoldenManifest.hash([2]))  b.json\n"
        )
        #expect(manifest.complaints(about: ["a.json": [1], "b.json": [2]]).isEmpty)
        let complaints = manifest.complaints(about: ["a.json": [3], "c.json": [4]])
        #expect(complaints.count == 3)
        #expect(complaints[0].hasPrefix("a.json was changed"))
        #expect(complaints[1].hasPrefix("b.json is gone"))
        #expect(complaints[2].hasPrefix("c.json is not in"))
    }
}
