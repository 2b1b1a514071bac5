internal import BenchmarkKit
internal import EventStore
internal import Kernel
internal import Postgres
internal import SignalboxTestKit

/// Reading the log from its beginning, as a projection does that is built again.
struct Reads: Sendable {
    private static let columns = """
        e.position, e.event_id, s.name, e.org_id, e.version, t.name, e.schema_version, e.recorded_at, e.actor, \
        e.command_id, e.causation_id, e.correlation_id, e.metadata, e.payload
        """

    let database: TestDatabase
    /// The last position that is read.
    let end: Int64

    /// Fills a log with this many events.
    static func prepare(in database: TestDatabase, events: Int) async throws -> Reads {
        let appends = Appends(database: database, durability: .pipelined)
        var end: Int64 = 0
        while end < Int64(events) {
            Progress.say("Catch-up reads: \(end) of \(events) events are written")
            _ = try await appends.measure(Load(callers: 8, size: 100), for: .seconds(2))
            let connection = try await Connection.open(database.superuser)
            end = try await connection.run("SELECT coalesce(max(position), 0) FROM log.event").decode(0, Int64.self)
            await connection.close()
        }
        let connection = try await Connection.open(database.superuser)
        // As autovacuum would have left it after a while.
        try await connection.script("VACUUM (ANALYZE) log.event, log.stream, log.event_type")
        await connection.close()
        return Reads(database: database, end: Int64(events))
    }

    /// What a consumer gets: pages of decoded envelopes, each checked for holes.
    func log(page: Int, against peer: String, goal: Double) -> Contender {
        Contender("log: pages of \(page)", against: peer, goal: goal) { _ in
            let pool = Pool(conninfo: database.application, size: 1, role: "signalbox_append")
            let log = PostgresLog.reader(pool: pool)
            let start = ContinuousClock.now
            var position: Int64 = 0
            var bytes = 0
            while position < end {
                let found = try await log.read(after: position, through: end, matching: .everything, limit: page)
                guard found.scannedTo > position else { throw BenchmarkError("the log ends at \(position)") }
                for event in found.events { bytes += event.payload?.count ?? 0 }
                position = found.scannedTo
            }
            let elapsed = ContinuousClock.now - start
            await pool.close()
            guard bytes == Int(end) * Load.payload.count else { throw BenchmarkError("\(bytes) bytes were read") }
            return Sample(events: Int(end), elapsed: elapsed)
        }
    }

    /// `psql` that copies the same columns to nowhere; nothing is decoded.
    func copy(_ format: String) -> Contender {
        Contender("psql: COPY, \(format)") { _ in
            let start = ContinuousClock.now
            _ = try await Tool.run(
                "psql",
                [
                    "--no-psqlrc", "--quiet", "--output", "/dev/null", "--command",
                    """
                    COPY (
                        SELECT \(Self.columns)
                          FROM log.event AS e
                          JOIN log.stream AS s ON s.stream_id = e.stream_id
                          JOIN log.event_type AS t ON t.type_id = e.type_id
                         WHERE e.position > 0 AND e.position <= \(end)
                         ORDER BY e.position
                    ) TO STDOUT (FORMAT \(format))
                    """, database.superuser,
                ]
            )
            return Sample(events: Int(end), elapsed: ContinuousClock.now - start)
        }
    }
}
