import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("Writers that break the rules, or meet")
    struct Locks {
        @Test("a writer that forgets the lock fails on the primary key, and the log stays dense")
        func forgottenLock() async throws {
            try await withDatabase { database in
                try await database.installInstruments()
                let (honest, careless) = (
                    try await Connection.open(database.superuser), try await Connection.open(database.superuser)
                )
                try await honest.script("BEGIN")
                try await honest.run("SELECT torture.write('lane-1', 3)")
                async let failure = Self.failure(
                    careless,
                    "SELECT torture.write('lane-2', 1, true, 'torture.append_without_lock')"
                )
                // It has computed position 1 as well, and waits for what becomes of the first.
                try await Self.someoneWaits(in: database)
                try await honest.script("COMMIT")
                #expect(await failure?.code == "23505")
                try await Self.expectDense(database, 3)
                await honest.close()
                await careless.close()
            }
        }

        @Test("an event written past log.append fails as well, or makes the next append fail, but never doubles")
        func rawInsert() async throws {
            try await withDatabase { database in
                try await database.installInstruments()
                let (honest, careless) = (
                    try await Connection.open(database.superuser), try await Connection.open(database.superuser)
                )
                try await honest.run("SELECT torture.write('lane-1', 3)")
                #expect(await Self.failure(careless, Self.copy(of: 3, to: 3))?.code == "23505")
                #expect(await Self.failure(careless, Self.copy(of: 3, to: 1 << 40))?.code == "23514")
                try await careless.script("BEGIN")
                try await careless.run(Self.copy(of: 3, to: 4))
                async let failure = Self.failure(honest, "SELECT torture.write('lane-1', 1)")
                try await Self.someoneWaits(in: database)
                try await careless.script("COMMIT")
                #expect(await failure?.code == "23505")
                try await Self.expectDense(database, 4)
                await honest.close()
                await careless.close()
            }
        }

        @Test(
            "a session at REPEATABLE READ or SERIALIZABLE is refused",
            arguments: ["repeatable read", "serializable"]
        )
        func isolation(level: String) async throws {
            try await withDatabase { database in
                try await database.installInstruments()
                let connection = try await Connection.open(database.superuser)
                try await connection.script("BEGIN ISOLATION LEVEL \(level)")
                #expect(await Self.failure(connection, "SELECT torture.write('lane-1', 1)")?.code == "25000")
                try await connection.script("ROLLBACK")
                try await connection.script(
                    "ALTER DATABASE \(database.name) SET default_transaction_isolation = '\(level)'"
                )
                try await withLog(in: database) { running in
                    _ = await #expect(throws: AppendError.unavailable) {
                        try await running.log.append(request("lane-1"))
                    }
                }
                try await Self.expectDense(database, 0)
                await connection.close()
            }
        }

        @Test("many sessions that write the same streams in any order never deadlock")
        func deadlocks() async throws {
            let each = Torture.size(bounded: 40, full: 2000)
            try await withDatabase { database in
                try await withLog(in: database) { first in
                    try await withLog(in: database) { second in
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            for writer in 0..<24 {
                                let log = writer.isMultiple(of: 2) ? first.log : second.log
                                group.addTask {
                                    for _ in 0..<each {
                                        let names = (0..<12).shuffled().prefix(5).map { "lane-\($0)" }
                                        let writes = names.map {
                                            StreamWrite(stream($0), expecting: .any, events: [event()])
                                        }
                                        _ = try await log.append(request(writes))
                                    }
                                }
                            }
                            try await group.waitForAll()
                        }
                    }
                }
                try await Self.expectDense(database, Int64(24 * each * 5))
                let connection = try await Connection.open(database.superuser)
                let deadlocks = try await connection.run(
                    "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
                ).decode(0, Int64.self)
                #expect(deadlocks == 0)
                await connection.close()
            }
        }

        @Test("a name that many ask for at once is given to one")
        func claims() async throws {
            let names = Torture.size(bounded: 60, full: 2000)
            try await withDatabase { database in
                try await withLog(in: database) { first in
                    try await withLog(in: database) { second in
                        for name in 0..<names {
                            let claim = Claim(kind: "slug", key: "name-\(name)")
                            let winners = await withTaskGroup(of: Bool.self) { group in
                                for rival in 0..<8 {
                                    let log = rival.isMultiple(of: 2) ? first.log : second.log
                                    let own = stream("lane-\(name).\(rival)")
                                    group.addTask {
                                        let wish = request(
                                            [StreamWrite(own, expecting: .none, events: [event()])],
                                            claims: [.take(claim, for: own)]
                                        )
                                        return (try? await log.append(wish)) != nil
                                    }
                                }
                                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                            }
                            #expect(winners == 1)
                        }
                    }
                }
                try await Self.expectDense(database, Int64(names))
            }
        }

        /// Copies an event to another position, as nobody may.
        private static func copy(of position: Int64, to other: Int64) -> SQL {
            """
            INSERT INTO log.event (
                position, event_id, org_id, stream_id, version, type_id, schema_version, recorded_at, actor, command_id,
                causation_id, correlation_id, metadata, payload, salt, payload_hash, leaf
            )
            SELECT \(other), gen_random_uuid(), org_id, stream_id, version + 1000, type_id, schema_version, recorded_at,
                   actor, command_id, causation_id, correlation_id, metadata, payload, salt, payload_hash, leaf
              FROM log.event
             WHERE position = \(position)
            """
        }

        private static func failure(_ connection: Connection, _ statement: SQL) async -> PostgresError? {
            do throws(PostgresError) {
                try await connection.run(statement)
                return nil
            } catch {
                return error
            }
        }

        /// Waits until a session waits for another's transaction.
        private static func someoneWaits(in database: TestDatabase) async throws {
            let connection = try await Connection.open(database.superuser)
            try await eventually {
                try await connection.run(
                    """
                    SELECT count(*)
                      FROM pg_stat_activity
                     WHERE datname = current_database()
                       AND wait_event_type = 'Lock'
                       AND wait_event = 'transactionid'
                    """
                ).decode(0, Int64.self) > 0
            }
            await connection.close()
        }

        private static func expectDense(_ database: TestDatabase, _ count: Int64) async throws {
            let connection = try await Connection.open(database.superuser)
            let (events, last) = try await connection.run(
                "SELECT count(*), coalesce(max(position), 0) FROM log.event"
            ).decode(0, Int64.self, Int64.self)
            await connection.close()
            #expect(events == count)
            #expect(last == count)
        }
    }
}
