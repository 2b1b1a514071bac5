package import EventStore
package import Postgres

/// A log in a database of its own, running.
package struct RunningLog: Sendable {
    package let log: PostgresLog
    package let queue: PostgresWorkQueue
    /// As `signalbox_append`.
    package let pool: Pool
}

/// Runs `body` with a log over a migrated database; what was accepted is written before this returns.
///
/// - Parameters:
///   - database: Where the log is.
///   - durability: When an append counts as done.
///   - patience: How long an append is held whose fate is unknown.
///   - archive: The folder of what was archived.
///   - body: What uses it.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, or `PostgresError` when the log cannot be opened.
package func withLog<Value: Sendable>(
    in database: TestDatabase,
    durability: Durability = .commit,
    patience: Duration = .seconds(5),
    archive: String? = nil,
    _ body: (RunningLog) async throws -> Value
) async throws -> Value {
    let pool = Pool(conninfo: database.application, size: 4, role: "signalbox_append")
    let log = try await PostgresLog.open(
        conninfo: database.application,
        pool: pool,
        durability: durability,
        patience: patience,
        archive: archive
    )
    let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { group in
        group.addTask { await log.run() }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(RunningLog(log: log, queue: PostgresWorkQueue(pool: pool), pool: pool)))
        } catch {
            outcome = .failure(error)
        }
        log.close()
        return outcome
    }
    await pool.close()
    return try outcome.get()
}
