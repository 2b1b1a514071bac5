internal import BenchmarkKit
internal import FoundationEssentials
internal import Postgres
internal import SignalboxTestKit

/// The Python library eventsourcing on the same server, in a database of its own: versions are judged and the order is
/// total, without hashes and without a memory of commands.
struct EventSourcing: Sendable {
    private struct Figures: Decodable {
        var events: Int
        var seconds: Double
        var latencies: [Int64]?
    }

    private let server: PostgresServer
    private let database: String
    /// An interpreter that has the library.
    private let python: String

    static func prepare(
        on server: PostgresServer,
        python: String,
        named database: String = "eventsourcing"
    ) async throws -> EventSourcing {
        let connection = try await Connection.open(server.conninfo())
        try await connection.script("CREATE DATABASE \(SQL.quoted(identifier: database))")
        await connection.close()
        return EventSourcing(server: server, database: database, python: python)
    }

    static func name(threads: Int, size: Int = 1) -> String {
        "python eventsourcing: \(threads) × \(size) event\(size == 1 ? "" : "s")"
    }

    func contender(threads: Int, size: Int = 1) -> Contender {
        Contender(Self.name(threads: threads, size: size)) { time in
            let seconds = max(1, Int(time.inSeconds.rounded()))
            let output = try await Tool.run(
                python,
                [
                    "Benchmarks/Peers/eventsourcing_appends.py", server.folder, "\(server.port)", database,
                    "\(threads)", "\(size)", "\(seconds)",
                ],
                input: String(decoding: Load.payload, as: UTF8.self)
            )
            let figures = try JSONDecoder().decode(Figures.self, from: Data(output.utf8))
            return Sample(
                events: figures.events,
                elapsed: .microseconds(Int64(figures.seconds * 1_000_000)),
                latencies: figures.latencies ?? []
            )
        }
    }

    /// Reads so many events, and does nothing with them.
    func reader(of events: Int) -> Contender {
        Contender("python eventsourcing: raw reading") { _ in
            let output = try await Tool.run(
                python,
                [
                    "Benchmarks/Peers/eventsourcing_reads.py", server.folder, "\(server.port)", database, "\(events)",
                ],
                input: String(decoding: Load.payload, as: UTF8.self)
            )
            let figures = try JSONDecoder().decode(Figures.self, from: Data(output.utf8))
            guard figures.events == events else { throw BenchmarkError("\(figures.events) events were read") }
            return Sample(events: figures.events, elapsed: .microseconds(Int64(figures.seconds * 1_000_000)))
        }
    }
}
