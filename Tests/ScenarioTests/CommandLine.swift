import Kernel
import Subprocess
import SystemPackage

/// The program as a person calls it, against a database or a folder that it is told of.
struct CommandLine: Sendable {
    var database: String?
    var environment: [String: String] = [:]

    /// How it ended, and what it printed.
    struct Outcome {
        var code: Int32
        var output: String
        var errors: String
        var json: JSONValue { (try? JSON.decode(JSONValue.self, from: output.utf8)) ?? .null }
        var lines: [JSONValue] {
            output.split(separator: "\n").compactMap { try? JSON.decode(JSONValue.self, from: $0.utf8) }
        }
    }

    func callAsFunction(_ arguments: String...) async throws -> Outcome {
        try await call(arguments)
    }

    private var known: [String: String] { database.map { ["DATABASE_URL": $0] } ?? [:] }

    func call(_ arguments: [String]) async throws -> Outcome {
        let result = try await Subprocess.run(
            .path(FilePath(DevProcess.program)),
            arguments: Arguments(arguments),
            environment: .inheriting(known.merging(environment) { _, own in own }),
            output: .string(limit: 64 << 20),
            error: .string(limit: 1 << 20)
        )
        guard case .exited(let code) = result.terminationStatus else {
            throw DevProcess.Failure(description: "killed: \(result.terminationStatus)")
        }
        return Outcome(
            code: code,
            output: result.standardOutput,
            errors: result.standardError
        )
    }
}
