package import Postgres

/// The keys of `log.subject_key`.
package struct PostgresSubjectKeys: SubjectKeys {
    private let pool: Pool

    /// Works as a role that may write `log.subject_key`.
    package init(pool: Pool) {
        self.pool = pool
    }

    package func wrappedKey(of subject: String) async throws(LogError) -> SubjectKey {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in try Self.state(of: subject, connection) }
        }
    }

    package func keep(_ wrapped: [UInt8], for subject: String) async throws(LogError) -> SubjectKey {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                _ = try connection.run(
                    """
                    INSERT INTO log.subject_key (subject, wrapped_key)
                    VALUES (\(subject), \(wrapped))
                        ON CONFLICT (subject) DO NOTHING
                    """
                )
                return try Self.state(of: subject, connection)
            }
        }
    }

    package func destroy(of subject: String) async throws(LogError) {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                _ = try connection.run(
                    """
                    INSERT INTO log.subject_key (subject, erased_at)
                    VALUES (\(subject), clock_timestamp())
                        ON CONFLICT (subject) DO UPDATE
                       SET wrapped_key = NULL, erased_at = coalesce(log.subject_key.erased_at, clock_timestamp())
                    """
                )
            }
        }
    }

    private static func state(
        of subject: String,
        _ connection: isolated Connection
    ) throws(PostgresError) -> SubjectKey {
        let found = try connection.run("SELECT wrapped_key FROM log.subject_key WHERE subject = \(subject)")
            .column([UInt8]?.self)
        guard let first = found.first else { return .none }
        return first.map(SubjectKey.wrapped) ?? .destroyed
    }
}
