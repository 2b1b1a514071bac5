internal import BenchmarkKit
internal import FoundationEssentials
internal import Postgres
internal import SignalboxTestKit

/// The Python library dbos on the same server, in a database of its own: durable steps, without a history of what was tried.
struct DBOSPeer: Sendable {
    private struct Figures: Decodable {
        var workflows: Int
        var seconds: Double
        var latencies: [Int64]
    }

    private let url: String
    /// An interpreter that has the library.
    private let python: String

    static func prepare(on server: PostgresServer, python: String) async throws -> DBOSPeer {
        let connection = try await Connection.open(server.conninfo())
        try await connection.script("CREATE DATABASE dbos")
        await connection.close()
        let folder = server.folder.split(separator: "/").joined(separator: "%2F")
        let url = "postgresql+psycopg://postgres@/dbos?host=%2F\(folder)&port=\(server.port)"
        return DBOSPeer(url: url, python: python)
    }

    /// Runs workflows of three steps that do nothing for a while.
    func measure(atOnce count: Int, for time: Duration) async throws -> Sample {
        let seconds = max(1, Int(time.inSeconds.rounded()))
        let output = try await Tool.run(python, ["Benchmarks/Peers/dbos_sagas.py", url, "\(count)", "\(seconds)"])
        guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix("{") }) else {
            throw BenchmarkError("dbos gave no figures")
        }
        let figures = try JSONDecoder().decode(Figures.self, from: Data(line.utf8))
        return Sample(
            events: figures.workflows,
            elapsed: .microseconds(Int64(figures.seconds * 1_000_000)),
            latencies: figures.latencies
        )
    }
}
