import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("Others hold transactions open")
    struct Foreigners {
        private static let patient = SessionLimits(statement: nil, idleInTransaction: nil)

        @Test(
            "long, idle and prepared transactions, here and in another database, stall nobody",
            arguments: Torture.durabilities
        )
        func nobodyStalls(durability: Durability) async throws {
            let server = try await PostgresServer.start(settings: ["max_prepared_transactions": "4"])
            let database = try await server.makeDatabase(.migrated)
            let elsewhere = try await server.makeDatabase(.empty)
            let foreigners = try await Self.foreigners(database, elsewhere)
            try await withLog(in: database, durability: durability) { running in
                let total = Torture.size(bounded: 2000, full: 100_000)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<8 {
                        group.addTask {
                            for number in 0..<(total / 8) {
                                _ = try await running.log.append(request("lane-\(writer)", .version(Int64(number))))
                            }
                        }
                    }
                    let (follower, shown) = (Reader(log: running.log, bell: running.log.bell, shown: Shown()), total)
                    group.addTask { try await follower.run(through: Int64(shown)) }
                    try await group.waitForAll()
                }
                try await Self.keepsHouse(running)
                let frontier = try await running.log.frontier()
                #expect(frontier == Int64(total))
            }
            for connection in foreigners {
                // They were there all the time.
                try await connection.run("SELECT 1")
                await connection.close()
            }
            try await server.remove()
        }

        @Test("an old snapshot costs little: the ratio is printed, not asserted")
        func heldSnapshot() async throws {
            let calls = Torture.size(bounded: 400, full: 4000)
            let server = try await PostgresServer.start(durable: Torture.Size.current == .full)
            var rates: [Double] = []
            for isHeld in [false, true, false, true] {
                let database = try await server.makeDatabase(.migrated)
                try await database.installInstruments()
                let holder = try await Connection.open(database.superuser, limits: Self.patient)
                if isHeld {
                    try await holder.script("BEGIN ISOLATION LEVEL REPEATABLE READ")
                    try await holder.run("SELECT count(*) FROM log.event")
                }
                let start = ContinuousClock.now
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<8 {
                        group.addTask {
                            let connection = try await Connection.open(database.superuser)
                            for _ in 0..<calls {
                                try await connection.run("SELECT torture.write(\("lane-\(writer)"), 1)", prepared: true)
                            }
                            await connection.close()
                        }
                    }
                    try await group.waitForAll()
                }
                rates.append(Double(8 * calls) / ((ContinuousClock.now - start) / .seconds(1)))
                let count = try await holder.run("SELECT count(*) FROM log.event").decode(0, Int64.self)
                #expect(count == (isHeld ? 0 : Int64(8 * calls)))
                await holder.close()
            }
            var verdict = Verdict("one old snapshot held")
            verdict.events = 4 * 8 * calls
            let ratio = (rates[1] + rates[3]) / (rates[0] + rates[2])
            verdict.notes = ["rate with it / without it \((ratio * 100).rounded() / 100)"]
            verdict.publish()
            try await server.remove()
        }

        /// Sessions that do nothing but hold what they have.
        private static func foreigners(
            _ database: TestDatabase,
            _ elsewhere: TestDatabase
        ) async throws -> [Connection] {
            var connections: [Connection] = []
            for conninfo in [database.superuser, elsewhere.superuser] {
                for statements in [
                    // An old snapshot, an open transaction with a number, an idle one that has written.
                    ["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM pg_class"],
                    ["BEGIN", "SELECT txid_current()"],
                    ["BEGIN", "CREATE TABLE foreign_\(connections.count) (a integer)"],
                ] {
                    let connection = try await Connection.open(conninfo, limits: patient)
                    for statement in statements { try await connection.script(statement) }
                    connections.append(connection)
                }
                let connection = try await Connection.open(conninfo, limits: patient)
                try await connection.script("BEGIN; SELECT txid_current(); PREPARE TRANSACTION 'p\(connections.count)'")
                connections.append(connection)
            }
            // Somebody who reads the log itself and does not come to an end.
            let reader = try await Connection.open(database.superuser, limits: patient)
            try await reader.script("BEGIN; SELECT count(*) FROM log.event; SELECT count(*) FROM log.stream")
            return connections + [reader]
        }

        /// What leases, wakes and makes partitions gets through as well.
        private static func keepsHouse(_ running: RunningLog) async throws {
            let job = stream("job-1")
            let due = Timestamp(microseconds: 0)
            _ = try await running.log.append(
                request(
                    [],
                    work: [WorkUpdate(job, guard: .create, kind: "chore", status: "queued", wakeAt: due)]
                )
            )
            let items = try await running.queue.claim(kinds: ["chore"], owner: "me", limit: 1, lease: .seconds(60))
            #expect(items.map(\.stream) == [job])
            try await running.pool.with { connection throws(PostgresError) in
                _ = try connection.run("SELECT log.ensure_partitions(), log.forget_commands(10)")
            }
        }
    }
}
