package import EventStore
package import Postgres

/// The starter's place in the log, in the table `saga.checkpoint`.
package struct PostgresCheckpoint: SagaCheckpoint {
    private let pool: Pool
    private let name: String

    /// - Parameters:
    ///   - pool: As the role `signalbox_append`.
    ///   - name: Whose place it is.
    package init(pool: Pool, name: String = "starter") {
        self.pool = pool
        self.name = name
    }

    package func position() async throws(LogError) -> Int64 {
        try await asked { connection throws(PostgresError) in
            let rows = try connection.run(
                "SELECT position FROM saga.checkpoint WHERE name = \(name)",
                prepared: true
            )
            return rows.count == 0 ? 0 : try rows.decode(0, Int64.self)
        }
    }

    /// Never moves back: another process may be further.
    package func advance(to position: Int64) async throws(LogError) {
        try await asked { connection throws(PostgresError) in
            _ = try connection.run(
                """
                INSERT INTO saga.checkpoint AS c (name, position)
                VALUES (\(name), \(position))
                ON CONFLICT (name) DO UPDATE SET position = excluded.position
                 WHERE c.position < excluded.position
                """,
                prepared: true
            )
        }
    }

    private func asked<Value: Sendable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(LogError) -> Value {
        do throws(PostgresError) {
            return try await pool.with(body)
        } catch { throw .unavailable("\(error)") }
    }
}
