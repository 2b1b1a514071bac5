import Audit
import FoundationEssentials
import Subprocess
import Testing

@Suite("Programs that know nothing of this one", .timeLimit(.minutes(10)))
struct VerifierTests {
    @Test("Python and openssl verify an export and the proofs from it, and miss nothing that was changed")
    func python() async throws {
        let export = try await Export(size: 600)
        defer { export.remove() }
        let folder = try await export.python(["folder", export.folder])
        #expect(folder.verified, "\(folder.output)")
        let files = [
            "checkpoint", "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001",
            "tile/entries/002.p/88",
        ]
        for (number, file) in files.enumerated() {
            try export.flip(bit: 41 + number, of: file)
            #expect(try await !export.python(["folder", export.folder]).verified, "\(file)")
            try export.flip(bit: 41 + number, of: file)
        }
        for index: Int64 in [0, 255, 256, 599] {
            let proof = try await export.proof(of: index)
            let result = try await export.python(["proof", proof])
            #expect(result.verified, "\(index): \(result.output)")
        }
        try await flips(of: try await export.proof(of: 300), in: export, ["proof"])
        for old: Int64 in [1, 256, 257, 599, 600] {
            let result = try await export.python(["growth"] + export.growth(since: old))
            #expect(result.verified, "\(old): \(result.output)")
        }
        let growth = try await export.growth(since: 70)
        try await flips(of: growth[1], in: export, ["growth", growth[0]])
        let other = try await Export(size: 600)
        defer { other.remove() }
        #expect(try await !other.python(["folder", export.folder]).verified)
        let checkpoint = try export.write(Array("nonsense".utf8), to: "nonsense")
        for arguments in [["folder", "/nowhere"], ["proof", "/nowhere"], ["growth", checkpoint, growth[1]]] {
            let result = try await export.python(arguments)
            #expect(!result.verified)
            // One line that says what is missing or wrong.
            #expect(result.output.hasPrefix("NOT VERIFIED: "), "\(result.output)")
            #expect(result.output.split(separator: "\n").count == 1, "\(result.output)")
        }
    }

    @Test("Python and we say the same of every proof, whether it holds or not")
    func pythonAgrees() async throws {
        let export = try await Export(size: Export.full ? 70_000 : 1000)
        defer { export.remove() }
        let claims = try await Self.claims(over: export, count: Export.full ? 10_000 : 400, notes: 20)
        let path = try Self.write(claims, into: export)
        let result = try await Export.run(.name("python3"), [Export.verifiers + "/agree.py", path])
        Self.compare(claims, with: result.output)
    }

    @Test("Go's sumdb verifies an export and the proofs from it", .enabled(if: Export.full))
    func go() async throws {
        let export = try await Export(size: 66_000)
        defer { export.remove() }
        let key = export.key.verifier.description
        let program = Executable.path(try await export.compileGo())
        let folder = try await Export.run(program, [key, "folder", export.folder])
        #expect(folder.verified, "\(folder.output)")
        for file in ["checkpoint", "tile/0/000", "tile/1/001.p/1", "tile/entries/201"] {
            try export.flip(bit: 41, of: file)
            #expect(try await !Export.run(program, [key, "folder", export.folder]).verified, "\(file)")
            try export.flip(bit: 41, of: file)
        }
        for index: Int64 in [0, 255, 256, 65_535, 65_536, 65_999] {
            let result = try await Export.run(program, [key, "proof", export.proof(of: index)])
            #expect(result.verified, "\(index): \(result.output)")
        }
        for old: Int64 in [1, 255, 256, 65_536, 65_537, 66_000] {
            let result = try await Export.run(program, [key, "growth"] + export.growth(since: old))
            #expect(result.verified, "\(old): \(result.output)")
        }
    }

    @Test("Go's sumdb and we say the same of every proof and read each other's keys", .enabled(if: Export.full))
    func goAgrees() async throws {
        let export = try await Export(size: 70_000)
        defer { export.remove() }
        let program = Executable.path(try await export.compileGo())
        let claims = try await Self.claims(over: export, count: 10_000, notes: 200)
        let path = try Self.write(claims, into: export)
        Self.compare(claims, with: try await Export.run(program, ["agree", path]).output)
        let made = try await Export.run(program, ["sign", "Grüße\n\nvon Go\n"])
        let lines = made.output.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
        try #require(made.verified && lines.count == 3, "\(made.output)")
        let signer = try SigningKey(String(lines[0]))
        #expect(signer.verifier.description == lines[1])
        let note = try SignedNote(lines[2].utf8)
        #expect(try note.signers(among: [VerifierKey(lines[1])]) == [signer.verifier])
        #expect(try SignedNote(signing: note.text, with: [signer]) == note)
    }

    /// Flips some bits of a file, and expects that Python finds each of them.
    private func flips(of file: String, in export: Export, _ arguments: [String]) async throws {
        let count = try Data(contentsOf: URL(filePath: file)).count
        for bit in stride(from: 3, to: 8 * count, by: 8 * count / 12) {
            try export.flip(bit: bit, of: file)
            #expect(try await !export.python(arguments + [file]).verified, "bit \(bit)")
            try export.flip(bit: bit, of: file)
        }
        #expect(try await export.python(arguments + [file]).verified)
    }

    private static func claims(over export: Export, count: Int, notes: Int) async throws -> [Claim] {
        var random = Numbers(6962)
        var claims: [Claim] = []
        for _ in 0..<count { claims.append(try await .random(over: export, &random)) }
        for _ in 0..<notes { claims.append(try await .note(of: export, &random)) }
        return claims
    }

    private static func write(_ claims: [Claim], into export: Export) throws -> String {
        try export.write(Array(claims.map { $0.line + "\n" }.joined().utf8), to: "claims")
    }

    private static func compare(_ claims: [Claim], with output: String) {
        let verdicts = output.split(separator: "\n")
        #expect(verdicts.count == claims.count, "\(output.suffix(500))")
        for (claim, verdict) in zip(claims, verdicts) where verdict != (claim.holds ? "1" : "0") {
            Issue.record("we say \(claim.holds), they say \(verdict): \(claim.line)")
        }
        let held = claims.filter(\.holds).count
        #expect(held > claims.count / 4 && held < claims.count * 3 / 4, "\(held) of \(claims.count) hold")
    }
}
