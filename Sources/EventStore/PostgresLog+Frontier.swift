internal import Kernel
internal import Postgres

extension PostgresLog {
    package func frontier() async throws(LogError) -> Int64 {
        try await frontier(wanted: .max, atLeast: .max)
    }

    /// The frontier as fresh as a reader needs it.
    ///
    /// - Parameters:
    ///   - wanted: Nothing beyond this position is of interest.
    ///   - enough: A frontier that is not below this one is not waited for to grow further.
    /// - Returns: The last durable position that is known.
    /// - Throws: ``LogError``.
    func frontier(wanted: Int64, atLeast enough: Int64) async throws(LogError) -> Int64 {
        guard known.position < wanted else { return known.position }
        return try await LogError.wrap { () async throws(PostgresError) in
            let newest = try await self.lookForFrontier()
            if newest > self.known.position, self.known.position < enough { try await self.flush() }
            return self.known.position
        }
    }

    /// Looks at the newest position, then at the end of the write-ahead log: when the server has flushed up to there,
    /// the position is durable, whichever process wrote it.
    ///
    /// - Returns: The newest position; the frontier was raised to it when everything is on the disk.
    /// - Throws: ``PostgresError``.
    func lookForFrontier() async throws(PostgresError) -> Int64 {
        let hint = known.position
        let (newest, isDurable) = try await pool.with { connection throws(PostgresError) -> (Int64, Bool) in
            let newest = try connection.newestPosition()
            guard newest > hint else { return (newest, true) }
            return (newest, try connection.isFlushed())
        }
        if isDurable { known.raise(to: newest) }
        return newest
    }

    /// Makes durable whatever is visible now.
    private func flush() async throws(PostgresError) {
        let newest = try await pool.with { connection throws(PostgresError) in
            // In one session: a server that restarts in between may have lost what was visible.
            let newest = try connection.newestPosition()
            try connection.flushLog()
            return newest
        }
        known.raise(to: newest)
    }
}

extension Connection {
    /// Whether all that was visible before this call is on the disk, as far as the write-ahead log tells.
    func isFlushed() throws(PostgresError) -> Bool {
        let end = try walPosition("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        return try walPosition("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint") >= end
    }

    /// Has the server write its log to the disk, because nobody else may: what a foreign transaction wrote last can
    /// stay in its buffers for as long as it is open.
    func flushLog() throws(PostgresError) {
        try run(
            """
            SELECT CASE current_setting('synchronous_commit')
                       WHEN 'off' THEN set_config('synchronous_commit', 'on', true)
                   END,
                   pg_logical_emit_message(true, 'log', '')
            """,
            prepared: true
        )
    }

    private func walPosition(_ sql: SQL) throws(PostgresError) -> Int64 {
        try run(sql, prepared: true).decode(0, Int64.self)
    }
}
