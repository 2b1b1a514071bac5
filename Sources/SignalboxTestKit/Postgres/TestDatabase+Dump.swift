internal import Postgres
internal import Subprocess

extension TestDatabase {
    /// The schema as `pg_dump` writes it, without what differs from run to run and from version to version.
    ///
    /// - Returns: Statements only: no comments of pg_dump's, no settings, no empty lines in a row.
    /// - Throws: ``PostgresServer/Failure`` when `pg_dump` fails.
    package func dump() async throws -> String {
        let result = try await Subprocess.run(
            .name("pg_dump"),
            arguments: ["--schema-only", "--dbname", superuser],
            environment: .custom(["PATH": "\(Installation.binaries() ?? ""):/usr/bin:/bin", "LC_ALL": "C"]),
            output: .string(limit: 16 << 20),
            error: .string(limit: 64 << 10)
        )
        guard result.terminationStatus.isSuccess else {
            throw PostgresServer.Failure(description: "pg_dump: \(result.standardError)")
        }
        var lines: [Substring] = []
        for line in result.standardOutput.split(separator: "\n", omittingEmptySubsequences: false) {
            // `\restrict` carries a random word (https://www.postgresql.org/docs/release/15.14/).
            let isNoise =
                line.hasPrefix("--") || line.hasPrefix("SET ") || line.hasPrefix("\\")
                || line.hasPrefix("SELECT pg_catalog.set_config(")
            guard !isNoise, !(line.isEmpty && lines.last?.isEmpty ?? true) else { continue }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }
}
