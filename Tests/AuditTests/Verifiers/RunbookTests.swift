import Audit
import FoundationEssentials
import Subprocess
import Testing

@Suite("The auditors' runbook", .timeLimit(.minutes(3)))
struct RunbookTests {
    @Test("works as it is written, line by line")
    func lines() async throws {
        let export = try await Export(size: 300)
        defer { export.remove() }
        try export.write(Array((export.key.verifier.description + "\n").utf8), to: "vkey")
        _ = try await export.proof(of: 41)
        _ = try await export.growth(since: 70)
        let script = try Data(contentsOf: URL(filePath: Export.verifiers + "/verify_log.py"))
        try export.write(Array(script), to: "verify_log.py")
        let lines = try Self.commands()
        let result = try await Export.run(.name("bash"), ["-euo", "pipefail", "-c", "cd \(export.folder)\n\(lines)"])
        #expect(result.verified, "\(result.output)")
        #expect(result.output.contains("Signature Verified Successfully"))
        #expect(result.output.split(separator: "\n").filter { $0 == "verified" }.count == 3)
    }

    @Test("has a script that can be read in one sitting")
    func short() throws {
        let script = try Data(contentsOf: URL(filePath: Export.verifiers + "/verify_log.py"))
        #expect(script.count { $0 == UInt8(ascii: "\n") } <= 60)
    }

    /// What is between the fences.
    private static func commands() throws -> String {
        let path = Export.verifiers + "/../../docs/runbooks/verify-the-log.md"
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        return text.split(separator: "\n```sh\n").dropFirst().map { block in
            block.split(separator: "\n```").first.map(String.init) ?? ""
        }.joined(separator: "\n")
    }
}
