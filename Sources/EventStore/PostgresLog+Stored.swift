package import Kernel
internal import Postgres

extension PostgresLog: LeafDirectory {
    /// The rows after a position and up to the durable frontier, in order and without a hole.
    ///
    /// - Parameters:
    ///   - position: The last position the reader has.
    ///   - through: Nothing above it is read; `nil` means up to the frontier.
    ///   - limit: How many, at most.
    /// - Returns: The first of them is at `position + 1`; none when the frontier is at `position`.
    /// - Throws: ``LogError``; `violated` when a position is missing.
    package func stored(
        after position: Int64,
        through: Int64? = nil,
        limit: Int
    ) async throws(LogError) -> [StoredEvent] {
        let end = min(position + Int64(max(0, limit)), through ?? .max, try await frontier())
        guard end > position else { return [] }
        let rows = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.storedEvents(after: position, through: end)
            }
        }
        if rows.first?.event.position != position + 1,
            let old = try await archived(after: position, through: end)
        {
            return old.rows
        }
        let last = rows.last?.event.position ?? end
        let page = EventPage(events: rows.map(\.event), scannedFrom: position + 1, scannedTo: last)
        try page.assertContiguous()
        return rows
    }

    /// The leaf hash of one event, by which a reader that comes back recognises the history it knows.
    ///
    /// - Parameter position: Where the event is.
    /// - Returns: 32 bytes; `nil` when there is no durable event there.
    /// - Throws: ``LogError``.
    package func leaf(at position: Int64) async throws(LogError) -> [UInt8]? {
        guard position > 0, try await frontier(wanted: position, atLeast: position) >= position else { return nil }
        let leaf = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run("SELECT leaf FROM log.event WHERE position = \(position)", prepared: true)
                    .column([UInt8].self).first
            }
        }
        if let leaf { return leaf }
        return try await archived(after: position - 1, through: position)?.rows.first?.leaf
    }

    /// The last durable position that was recorded at or before a time: the log as it was then.
    ///
    /// - Parameter time: Any.
    /// - Returns: 0 when nothing had happened yet.
    /// - Throws: ``LogError``.
    package func position(at time: Timestamp) async throws(LogError) -> Int64 {
        let (found, isFirst) = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.lastPosition(before: time + .microseconds(1))
            }
        }
        guard isFirst else { return min(found, try await frontier(wanted: found, atLeast: found)) }
        // What lies before the first event of the database is in the archive, in the same order.
        var (low, high) = (Int64(0), found + 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            guard let event = try await archived(after: middle - 1, through: middle)?.rows.first?.event else {
                throw .violated("position \(middle) is missing")
            }
            if event.recordedAt <= time { low = middle } else { high = middle }
        }
        return low
    }
}
