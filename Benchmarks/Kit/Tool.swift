internal import Postgres
internal import Subprocess
internal import SystemPackage

/// Programs of others.
package enum Tool {
    /// Runs one to its end.
    ///
    /// - Parameters:
    ///   - name: A path, or the name of a program of Postgres or of the system.
    ///   - arguments: Its arguments.
    ///   - input: What it reads.
    ///   - limit: How many bytes it may write.
    /// - Returns: What it wrote.
    /// - Throws: ``BenchmarkError`` with its complaint, when it failed.
    package static func run(
        _ name: String,
        _ arguments: [String],
        input: String = "",
        limit: Int = 64 << 20
    ) async throws -> String {
        let path = [Installation.binaries() ?? "", "/usr/bin", "/bin"].joined(separator: ":")
        let result = try await Subprocess.run(
            name.contains("/") ? .path(FilePath(name)) : .name(name),
            arguments: Arguments(arguments),
            environment: .inherit.updating(["PATH": path, "LC_ALL": "C"]),
            input: .string(input),
            output: .string(limit: limit),
            error: .string(limit: 1 << 20)
        )
        guard result.terminationStatus.isSuccess else {
            throw BenchmarkError("\(name): \(result.standardError)")
        }
        return result.standardOutput
    }
}

/// What kept a benchmark from being run.
package struct BenchmarkError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
