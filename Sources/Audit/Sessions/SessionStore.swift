package import Kernel
package import Postgres

/// A browser that is signed in: of what it has only hashes.
package struct SessionRecord: Equatable, Sendable {
    /// Hex SHA-256 of its token.
    package var token: String
    /// Hex SHA-256 of the state of its login.
    package var login: String
    package var person: Int64
    package var startedAt: Timestamp
    package var endsAt: Timestamp

    package init(token: String, login: String, person: Int64, startedAt: Timestamp, endsAt: Timestamp) {
        (self.token, self.login, self.person) = (token, login, person)
        (self.startedAt, self.endsAt) = (startedAt, endsAt)
    }
}

/// Where it is kept which browsers are signed in.
package struct SessionStore: Sendable {
    /// A use is written down at most so often.
    private static let grain = Duration.seconds(60)

    private let pool: Pool
    private let idle: Duration

    /// - Parameters:
    ///   - pool: As the role `signalbox_append`.
    ///   - idle: Who is not seen for so long is signed out.
    package init(pool: Pool, idle: Duration = .seconds(4 * 3600)) {
        (self.pool, self.idle) = (pool, idle)
    }

    /// Keeps a new session, and forgets those that are over.
    ///
    /// - Returns: `false` when its login has opened one before.
    /// - Throws: `PostgresError`.
    package func open(_ session: SessionRecord) async throws(PostgresError) -> Bool {
        try await pool.with { connection throws(PostgresError) in
            _ = try connection.run("DELETE FROM access.session WHERE ends_at < \(session.startedAt)")
            let rows = try connection.run(
                """
                INSERT INTO access.session (token, login, person, started_at, used_at, ends_at)
                VALUES (
                       \(session.token), \(session.login), \(session.person), \(session.startedAt),
                       \(session.startedAt), \(session.endsAt)
                )
                    ON CONFLICT DO NOTHING
                RETURNING token
                """
            )
            return rows.count == 1
        }
    }

    /// A session that is good at a moment, and takes note that it is used.
    ///
    /// - Throws: `PostgresError`.
    package func find(_ token: String, at moment: Timestamp) async throws(PostgresError) -> SessionRecord? {
        let (forgotten, noted) = (moment + (.zero - idle), moment + (.zero - Self.grain))
        return try await pool.with { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT login, person, started_at, ends_at, used_at
                  FROM access.session
                 WHERE token = \(token)
                   AND ended_at IS NULL
                   AND ends_at > \(moment)
                   AND used_at > \(forgotten)
                """
            )
            guard rows.count == 1 else { return nil }
            let row = try rows.decode(0, String.self, Int64.self, Timestamp.self, Timestamp.self, Timestamp.self)
            if row.4 <= noted {
                _ = try connection.run(
                    """
                    UPDATE access.session
                       SET used_at = \(moment)
                     WHERE token = \(token)
                       AND used_at < \(moment)
                    """
                )
            }
            return SessionRecord(token: token, login: row.0, person: row.1, startedAt: row.2, endsAt: row.3)
        }
    }

    /// Ends a session; one that is not there is over already.
    ///
    /// - Throws: `PostgresError`.
    package func end(_ token: String, at moment: Timestamp) async throws(PostgresError) {
        try await pool.with { connection throws(PostgresError) in
            _ = try connection.run(
                "UPDATE access.session SET ended_at = \(moment) WHERE token = \(token) AND ended_at IS NULL"
            )
        }
    }
}
