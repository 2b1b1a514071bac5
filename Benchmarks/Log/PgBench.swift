internal import BenchmarkKit
internal import FoundationEssentials
internal import Postgres
internal import SignalboxTestKit

/// Inserts by `pgbench` into a table like ours without hashes: no versions are judged, no command is remembered, the
/// order is a sequence's (with holes, and not that of the commits), and the only index is the primary key.
struct PgBench: Sendable {
    static let table = """
        CREATE TABLE bench.event (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            event_id uuid NOT NULL,
            org_id bigint,
            stream_id bigint NOT NULL,
            version bigint NOT NULL,
            type_id integer NOT NULL,
            schema_version smallint NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            actor text NOT NULL,
            command_id uuid NOT NULL,
            causation_id uuid,
            correlation_id uuid NOT NULL,
            metadata text NOT NULL,
            payload bytea
        )
        """

    /// How a statement is sent.
    enum Mode: String {
        case simple
        case prepared
    }

    private let database: TestDatabase
    private let folder: String

    /// Makes the table and a folder for scripts.
    static func prepare(in database: TestDatabase) async throws -> PgBench {
        let connection = try await Connection.open(database.superuser)
        try await connection.script("CREATE SCHEMA bench")
        try await connection.script(table)
        await connection.close()
        let folder = FileManager.default.temporaryDirectory.path + "/signalbox-bench-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return PgBench(database: database, folder: folder)
    }

    /// Removes the folder.
    func remove() {
        // It lies in the temporary folder; who could not remove it cannot be helped here.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// What the table calls a contender.
    static func name(clients: Int, rows: Int = 1, _ mode: Mode) -> String {
        "pgbench: \(clients) × \(rows) row\(rows == 1 ? "" : "s"), \(mode.rawValue)"
    }

    func contender(clients: Int, rows: Int = 1, _ mode: Mode) -> Contender {
        Contender(Self.name(clients: clients, rows: rows, mode)) { time in
            try await run(clients: clients, rows: rows, mode, for: time)
        }
    }

    private func run(clients: Int, rows: Int, _ mode: Mode, for time: Duration) async throws -> Sample {
        let run = folder + "/\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        try Data(Self.script(rows: rows, mode).utf8).write(to: URL(filePath: run + "/script.sql"))
        let seconds = max(1, Int(time.inSeconds.rounded()))
        let output = try await Tool.run(
            "pgbench",
            [
                "--no-vacuum", "--protocol", mode.rawValue, "--client", "\(clients)", "--jobs", "\(min(clients, 2))",
                "--time", "\(seconds)", "--file", run + "/script.sql",
                "--define", "payload=" + String(decoding: Load.payload, as: UTF8.self),
                "--log", "--log-prefix", run + "/log", "--sampling-rate", "0.1",
                "--host", database.server.folder, "--port", "\(database.server.port)", "--username", "postgres",
                database.name,
            ]
        )
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let word = line.split(separator: " ").dropFirst(2).first, let rate = Double(word)
        else { throw BenchmarkError("pgbench gave no rate: \(output)") }
        return Sample(
            events: Int(rate * Double(rows * seconds)),
            elapsed: .seconds(seconds),
            latencies: try Self.latencies(in: run)
        )
    }

    /// The third word of every line: https://www.postgresql.org/docs/15/pgbench.html, "Per-Transaction Logging".
    private static func latencies(in folder: String) throws -> [Int64] {
        var latencies: [Int64] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("log.") {
            let text = String(decoding: try Data(contentsOf: URL(filePath: folder + "/" + name)), as: UTF8.self)
            for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
                let words = line.split(separator: UInt8(ascii: " "), maxSplits: 3)
                if words.count > 2, let latency = Int64(String(decoding: words[2], as: UTF8.self)) {
                    latencies.append(latency)
                }
            }
        }
        return latencies.sorted()
    }

    private static func script(rows: Int, _ mode: Mode) -> String {
        // A prepared statement carries its values beside the text, a simple one inside.
        let payload = mode == .prepared ? ":payload::bytea" : "':payload'::bytea"
        let id = "'0192f0c1-7d3e-7a55-8c1d-2e3f4a5b6c7d'"
        let row =
            "(gen_random_uuid(), 730111222333444555, :stream, 1, 7, 1, 'key-730111222333444555', \(id), NULL, \(id), '{}', \(payload))"
        return """
            \\set stream random(1, 100000)
            INSERT INTO bench.event (event_id, org_id, stream_id, version, type_id, schema_version, actor, command_id, \
            causation_id, correlation_id, metadata, payload) VALUES \
            \(Array(repeating: row, count: rows).joined(separator: ", "));
            """
    }
}
