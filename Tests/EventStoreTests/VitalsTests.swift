import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("The health of the log")
struct VitalsTests {
    @Test("the application sees how old the oldest transaction is, whoever's and wherever it is")
    func oldestTransaction() async throws {
        try await withDatabase { database in
            let other = try await Connection.open(database.server.conninfo())
            try await other.script("BEGIN; SELECT pg_current_xact_id()")
            let connection = try await Connection.open(database.application, role: "signalbox_append")
            // Others of this server may be older still, and may end at any moment.
            let age = try await other.run("SELECT extract(epoch FROM clock_timestamp() - now())::float8")
                .decode(0, Double.self)
            let oldest = try await connection.run("SELECT oldest_transaction FROM log.vitals()").decode(0, Double.self)
            #expect(oldest > age)
            await other.close()
            await connection.close()
        }
    }

    @Test("it counts the events and the write-ahead log that they made")
    func growth() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                func vitals() async throws -> (Int64, Int64) {
                    try await running.pool.with { connection throws(PostgresError) in
                        try connection.run("SELECT newest, wal_bytes FROM log.vitals()")
                            .decode(0, Int64.self, Int64.self)
                    }
                }
                let before = try await vitals()
                _ = try await running.log.append(request("a-1", .none))
                // A session reports what it wrote when it is idle, and at most once a second.
                try await eventually { try await vitals().1 > before.1 }
                #expect(try await vitals().0 == before.0 + 1)
            }
        }
    }

    @Test("a claim says whether the one before let its lease run out")
    func takeovers() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let causation = Causation(actor: "system", command: IDSource.system.unique())
                let work = WorkUpdate(
                    StreamName(category: "chore", id: 1),
                    guard: .create,
                    kind: "chore",
                    status: "queued",
                    wakeAt: IDSource.system.now()
                )
                _ = try await running.log.append(AppendRequest(causation: causation, writes: [], work: [work]))
                func claim(_ lease: Duration) async throws -> [Bool] {
                    try await running.pool.with { connection throws(PostgresError) in
                        try connection.run(
                            """
                            SELECT taken_over
                              FROM log.claim('{chore}', 'me', 1, \(lease.microseconds) * interval '1 microsecond')
                            """
                        ).column(Bool.self)
                    }
                }
                #expect(try await claim(.milliseconds(1)) == [false])
                var second: [Bool] = []
                try await eventually {
                    second = try await claim(.seconds(60))
                    return !second.isEmpty
                }
                #expect(second == [true])
                let item = try #require(
                    try await running.queue.list(kinds: ["chore"], statuses: ["running"]).first
                )
                try await running.queue.release(item)
                #expect(try await claim(.seconds(60)) == [false])
            }
        }
    }
}
