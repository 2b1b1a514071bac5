internal import Postgres

/// Whoever reads the log finds the same in it, wherever it lies: where rows are missing, the archive is asked.
///
/// It is asked after the database was, so that a partition that leaves meanwhile is missed by nobody: a file is made
/// known to readers before its partition leaves.
extension PostgresLog {
    /// A page as it is with the archive: the page itself when it begins in the database.
    func completed(
        _ page: EventPage,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage {
        let isWhole = filter.isEverything && page.events.first?.position == page.scannedFrom
        guard !isWhole, !filter.isHopeless, page.scannedTo >= page.scannedFrom else { return page }
        // What a filter lets through of a whole file might not fit into memory.
        let end = min(page.scannedTo, page.scannedFrom - 1 + EventFilter.reach)
        guard let found = try await archived(after: page.scannedFrom - 1, through: end, matching: filter)
        else { return page }
        var old = EventPage(events: found.rows.map(\.event), scannedFrom: page.scannedFrom, scannedTo: found.end)
        if old.events.count > limit {
            old.events.removeSubrange(limit...)
            old.scannedTo = old.events.last?.position ?? found.end
        }
        return old
    }

    /// A stretch of the log out of the archive, as far as the file goes in which it begins.
    ///
    /// - Parameters:
    ///   - position: The last position the reader has.
    ///   - end: Nothing above it is read.
    ///   - filter: Which events are wanted.
    /// - Returns: The rows and how far was looked; `nil` when it begins in the database.
    /// - Throws: ``LogError``; `unavailable` when the file is not here.
    func archived(
        after position: Int64,
        through end: Int64,
        matching filter: EventFilter = .everything
    ) async throws(LogError) -> (rows: [StoredEvent], end: Int64)? {
        let archive = archive
        let found = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try archive.rows(after: position, through: end, matching: filter, on: connection)
            }
        }
        do throws(SegmentError) { return try found?.get() } catch { throw LogError(error) }
    }

    /// Events of a stream as they are with the archive: those given when nothing is missing before them.
    func completed(
        _ events: [RecordedEvent],
        of stream: StreamName,
        after version: Int64,
        limit: Int
    ) async throws(LogError) -> [RecordedEvent] {
        guard limit > 0, events.first?.version != version + 1 else { return events }
        let archive = archive
        let found = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try archive.events(of: stream, after: version, limit: limit, on: connection)
            }
        }
        let old: [RecordedEvent]?
        do throws(SegmentError) { old = try found.get() } catch { throw LogError(error) }
        guard let old else { return events }
        guard let last = old.last else {
            // It has events, and the archive has none of them: they were written just now, or are lost.
            let again = events.isEmpty ? try await inDatabase(stream, after: version, limit: limit) : events
            guard !again.isEmpty else { throw .violated("\(stream) has a hole after version \(version)") }
            return again
        }
        if old.count >= limit { return old }
        return old + (try await read(stream, after: last.version, limit: limit - old.count))
    }

    /// Events of a stream that are in the database, and durable there.
    ///
    /// A decision, or an effect, that rests on what a crash took back would rest on nothing.
    func inDatabase(
        _ stream: StreamName,
        after version: Int64,
        limit: Int
    ) async throws(LogError) -> [RecordedEvent] {
        let before = known.position
        let (events, durable) = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) -> ([RecordedEvent], Int64) in
                let events = try connection.streamEvents(stream, after: version, limit: limit)
                guard let last = events.last, last.position > before else { return (events, 0) }
                // In the session that has seen them: a server that restarts in between may have lost them.
                let newest = try connection.newestPosition()
                if try !connection.isFlushed() { try connection.flushLog() }
                return (events, newest)
            }
        }
        known.raise(to: durable)
        return events
    }
}
