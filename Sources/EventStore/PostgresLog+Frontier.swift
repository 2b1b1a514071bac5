internal import Kernel
internal import Postgres

extension PostgresLog {
    /// How long a reader waits for others' barriers before it takes what is durable already.
    private static let patience = Duration.milliseconds(500)

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
            let look = try await self.lookForFrontier()
            guard let end = look.undecided, self.known.position < enough else { return self.known.position }
            _ = try await self.wait(for: look.newest, flushedThrough: end)
            return self.known.position
        }
    }

    /// Returns once a position that was seen is durable.
    ///
    /// - Throws: ``LogError``; `unavailable` when the server does not get it to the disk in time.
    func untilDurable(_ position: Int64) async throws(LogError) {
        guard position > known.position else { return }
        let isDurable = try await LogError.wrap { () async throws(PostgresError) in
            for _ in 0..<10 {
                let look = try await self.lookForFrontier()
                guard let end = look.undecided, self.known.position < position else { return true }
                if try await self.wait(for: position, flushedThrough: end) { return true }
            }
            return false
        }
        guard isDurable else { throw .unavailable("position \(position) does not become durable") }
    }

    /// What was seen when looking for the frontier.
    struct FrontierLook: Sendable {
        let newest: Int64
        /// Where the server's write-ahead log ended then, unless all of it was on the disk.
        let undecided: Int64?
    }

    /// Looks at the newest position, then at the end of the write-ahead log: once the server has flushed up to there,
    /// the position is durable, whichever process wrote it.
    ///
    /// - Returns: What was seen; the frontier was raised when everything is on the disk.
    /// - Throws: ``PostgresError``.
    func lookForFrontier() async throws(PostgresError) -> FrontierLook {
        let hint = known.position
        let look = try await pool.with { connection throws(PostgresError) -> FrontierLook in
            let newest = try connection.newestPosition()
            guard newest > hint else { return FrontierLook(newest: newest, undecided: nil) }
            // In this order: an end that was read before the position would say nothing about it.
            let (end, flushed) = try connection.run(
                """
                SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, (pg_current_wal_flush_lsn() - '0/0')::bigint
                """,
                prepared: true
            ).decode(0, Int64.self, Int64.self)
            return FrontierLook(newest: newest, undecided: flushed >= end ? nil : end)
        }
        if look.undecided == nil { known.raise(to: look.newest) }
        return look
    }

    /// Waits until a position is durable because a barrier says so, or because the server has flushed far enough.
    ///
    /// - Returns: Whether it is; `false` when the time is over.
    private func wait(for position: Int64, flushedThrough end: Int64) async throws(PostgresError) -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        while known.position < position {
            guard ContinuousClock.now < deadline, !Task.isCancelled else { return false }
            let heard = bell.count
            let flushed = try await pool.with { connection throws(PostgresError) in
                try connection.run("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint", prepared: true)
                    .decode(0, Int64.self)
            }
            if flushed >= end {
                known.raise(to: position)
                return true
            }
            await bell.wait(after: heard, atMost: .milliseconds(5))
        }
        return true
    }
}
