import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@Suite("Two append connections")
struct TurnsTests {
    @Test("a second flush is sent behind the first when enough wait", arguments: Durability.allCases)
    func behind(durability: Durability) async throws {
        try await Self.withHeldLock(durability) { log, database, release in
            try await withThrowingTaskGroup(of: Appended.self) { group in
                group.addTask { try await log.append(request("a-0", .none)) }
                try await database.waits(1)
                for number in 1...64 {
                    group.addTask { try await log.append(request("a-\(number)", .none)) }
                }
                try await database.waits(2)
                try await release()
                var positions: Set<Int64> = []
                for try await appended in group { positions.insert(appended.lastPosition) }
                #expect(positions == Set(1...65))
            }
        }
    }

    @Test("a few wait for the first, and share a transaction", arguments: Durability.allCases)
    func few(durability: Durability) async throws {
        try await Self.withHeldLock(durability) { log, database, release in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await log.append(request("a-0", .none)) }
                try await database.waits(1)
                // They are in the queue when this has gone through.
                for number in 1...8 {
                    group.addImmediateTask { _ = try await log.append(request("a-\(number)", .none)) }
                }
                try await release()
                try await group.waitForAll()
            }
            let connection = try await Connection.open(database.superuser)
            // Every event of a flush has the same time.
            let flushes = try await connection.run(
                "SELECT count(*) FROM log.event GROUP BY recorded_at ORDER BY min(position)"
            )
            .column(Int64.self)
            #expect(flushes == [1, 8])
            await connection.close()
        }
    }

    /// Runs `body` with a log that nothing can be written to until the last argument is called.
    private static func withHeldLock(
        _ durability: Durability,
        _ body: (any EventLog & Sendable, TestDatabase, () async throws -> Void) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            try await withLog(in: database, durability: durability) { running in
                let holder = try await Connection.open(database.superuser)
                try await holder.script("BEGIN; SELECT pg_advisory_xact_lock(7203)")
                try await body(running.log, database) { try await holder.script("COMMIT") }
                await holder.close()
            }
        }
    }
}

extension TestDatabase {
    /// Returns when so many sessions wait for the log lock.
    fileprivate func waits(_ sessions: Int64) async throws {
        let connection = try await Connection.open(superuser)
        try await eventually {
            try await connection.run(
                """
                SELECT count(*)
                  FROM pg_stat_activity
                 WHERE datname = current_database()
                   AND wait_event = 'advisory'
                """
            ).decode(0, Int64.self) == sessions
        }
        await connection.close()
    }
}
