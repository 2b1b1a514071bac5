internal import Kernel
package import Postgres

/// Secrets that others gave us and that cannot be derived again, beside the log in `log.secret`.
///
/// What is kept here is sealed already; only the holder of the master key can use it.
package struct PostgresSecrets: Sendable {
    private let pool: Pool

    /// - Parameter pool: As a role that may write `log.secret`.
    package init(pool: Pool) {
        self.pool = pool
    }

    /// What is kept under a name; `nil` when nothing is.
    ///
    /// - Throws: ``LogError/unavailable(_:)``.
    package func sealed(_ name: String) async throws(LogError) -> [UInt8]? {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run("SELECT sealed FROM log.secret WHERE name = \(name)").column([UInt8].self).first
            }
        }
    }

    /// Keeps a secret, in place of what was there.
    ///
    /// - Throws: ``LogError/unavailable(_:)``.
    package func keep(_ sealed: [UInt8], as name: String) async throws(LogError) {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                _ = try connection.run(
                    """
                    INSERT INTO log.secret (name, sealed)
                    VALUES (\(name), \(sealed))
                        ON CONFLICT (name) DO UPDATE SET sealed = EXCLUDED.sealed, written_at = clock_timestamp()
                    """
                )
            }
        }
    }

    /// Forgets a secret; fine when there is none.
    ///
    /// - Throws: ``LogError/unavailable(_:)``.
    package func remove(_ name: String) async throws(LogError) {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                _ = try connection.run("DELETE FROM log.secret WHERE name = \(name)")
            }
        }
    }
}
