internal import BenchmarkKit
internal import EventStore
internal import Postgres
internal import SignalboxTestKit

/// Appends while somebody else's old snapshot keeps every dead row alive, as a dump does.
struct HeldSnapshot: Sendable {
    static let without = "no snapshot held"
    /// Few, so that each has many dead rows before the end.
    private static let load = Load(callers: 64, size: 1, streams: 1000)

    let server: PostgresServer

    var contest: Contest {
        Contest(
            title: "Beside an old snapshot, 64 × 1 event on 1,000 streams",
            contenders: [
                Contender(Self.without) { time in
                    try await fresh { database in
                        try await Appends(database: database, durability: .pipelined).measure(Self.load, for: time)
                    }
                },
                Contender("a snapshot held from the beginning", against: Self.without, goal: 0.8) { time in
                    try await fresh { database in
                        let holder = try await Connection.open(database.superuser)
                        try await holder.script(
                            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM log.stream"
                        )
                        let sample = try await Appends(database: database, durability: .pipelined).measure(
                            Self.load,
                            for: time
                        )
                        try await holder.script("COMMIT")
                        await holder.close()
                        return sample
                    }
                },
            ]
        )
    }

    /// Each turn begins with an empty log, so that none inherits the other's dead rows.
    private func fresh(_ body: (TestDatabase) async throws -> Sample) async throws -> Sample {
        let database = try await server.makeDatabase(.migrated)
        let sample = try await body(database)
        let connection = try await Connection.open(server.conninfo())
        try await connection.script("DROP DATABASE \(database.name) WITH (FORCE)")
        await connection.close()
        return sample
    }
}
