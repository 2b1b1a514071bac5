import EventStore
import Postgres
import SignalboxTestKit
import Testing

/// Runs `body` with a log that nothing can be written to until the last argument is called.
func withHeldLock(
    _ durability: Durability,
    stuckAfter: Duration = .seconds(60),
    probe: (@Sendable (LogStep) -> Void)? = nil,
    _ body: (PostgresLog, Sessions, () async throws -> Void) async throws -> Void
) async throws {
    try await withDatabase { database in
        let pool = Pool(conninfo: database.application, size: 4, role: "signalbox_append")
        let log = try await PostgresLog.open(
            conninfo: database.application,
            pool: pool,
            durability: durability,
            stuckAfter: stuckAfter,
            probe: probe
        )
        let holder = try await Connection.open(database.superuser)
        let sessions = Sessions(try await Connection.open(database.superuser))
        try await holder.script("BEGIN; SELECT pg_advisory_xact_lock(7203)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await log.run() }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(log, sessions) { try await holder.script("COMMIT") })
            } catch {
                outcome = .failure(error)
            }
            await holder.close()
            log.close()
            try await group.waitForAll()
            try outcome.get()
        }
        await sessions.connection.close()
        await pool.close()
    }
}

/// The sessions of the log's writer, as the server sees them.
struct Sessions {
    let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    func all() async throws -> [Int32] {
        try await connection.run(
            """
            SELECT pid
              FROM pg_stat_activity
             WHERE datname = current_database()
               AND application_name = 'signalbox-log'
            """
        ).column(Int32.self)
    }

    /// Those that wait for the log lock, once there are so many.
    func waiting(_ count: Int) async throws -> [Int32] {
        var pids: [Int32] = []
        try await eventually {
            pids = try await connection.run(
                """
                SELECT pid
                  FROM pg_stat_activity
                 WHERE datname = current_database()
                   AND application_name = 'signalbox-log'
                   AND wait_event = 'advisory'
                """
            ).column(Int32.self)
            return pids.count == count
        }
        return pids
    }

    func terminate(_ pids: [Int32]) async throws {
        for pid in pids { try await connection.run("SELECT pg_terminate_backend(\(pid))") }
    }

    func gone(_ pids: [Int32]) async throws {
        try await eventually { try await all().allSatisfy { !pids.contains($0) } }
    }
}
