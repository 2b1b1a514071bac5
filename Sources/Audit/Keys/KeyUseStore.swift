package import Kernel
package import Postgres

/// Where it is kept when keys were used last.
package struct KeyUseStore: Sendable {
    private let pool: Pool

    /// - Parameter pool: As the role `signalbox_append`.
    package init(pool: Pool) {
        self.pool = pool
    }

    /// Keeps when some keys were used, unless a later use is known.
    ///
    /// - Throws: `PostgresError`.
    package func keep(_ uses: [Int64: Timestamp]) async throws(PostgresError) {
        // In one order, so that processes that write the same keys do not wait for each other in a circle.
        let keys = uses.keys.sorted()
        let times = keys.compactMap { uses[$0] }
        try await pool.with { connection throws(PostgresError) in
            _ = try connection.run(
                """
                INSERT INTO audit.key_use AS u (key, used_at)
                SELECT * FROM unnest(\(array: keys), \(array: times))
                    ON CONFLICT (key) DO UPDATE
                   SET used_at = excluded.used_at
                 WHERE u.used_at < excluded.used_at
                """
            )
        }
    }

    /// When some keys were used last, as far as it is known.
    ///
    /// - Throws: `PostgresError`.
    package func uses(of keys: [Int64]) async throws(PostgresError) -> [Int64: Timestamp] {
        try await pool.with { connection throws(PostgresError) in
            let rows = try connection.run("SELECT key, used_at FROM audit.key_use WHERE key = ANY (\(array: keys))")
            var uses: [Int64: Timestamp] = [:]
            for index in 0..<rows.count {
                let (key, moment) = try rows.decode(index, Int64.self, Timestamp.self)
                uses[key] = moment
            }
            return uses
        }
    }
}
