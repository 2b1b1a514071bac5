internal import Kernel
package import Postgres

extension Connection {
    /// Up to how many positions a prepared statement is quicker than `COPY`, which is planned each time.
    private static let fewPositions: Int64 = 256
    /// Up to how many events are looked at stream by stream; beyond, the log is read in its order.
    private static let fewVersions: Int64 = 20_000
    private static let fewStreams = 1000

    /// The events after a position and up to another that the filter lets through, in order.
    ///
    /// - Parameters:
    ///   - position: The last position the reader has.
    ///   - end: The last position that may be looked at; everything up to it is there.
    ///   - filter: Which events are wanted.
    ///   - limit: How many, at most.
    /// - Returns: What was found, and how far was looked.
    /// - Throws: ``PostgresError``.
    package func page(
        after position: Int64,
        through end: Int64,
        matching filter: EventFilter,
        limit: Int
    ) throws(PostgresError) -> EventPage {
        var page = EventPage(events: [], scannedFrom: position + 1, scannedTo: position)
        guard limit > 0, end > position else { return page }
        page.scannedTo = end
        guard !filter.isHopeless else { return page }
        // Time agrees with order, so what was recorded too early or too late need not be looked at.
        var (first, last) = (position, end)
        if let from = filter.from {
            let (before, isFirst) = try lastPosition(before: from)
            if !isFirst { first = max(first, before) }
        }
        if let to = filter.to { last = min(last, try lastPosition(before: to).position) }
        guard last > first else { return page }

        let streams = try streams(of: filter, after: first, through: last)
        let reach = filter.isEverything ? Int64(clamping: limit) : EventFilter.reach
        if streams == nil, last - first > reach {
            last = first + reach
            page.scannedTo = last
        }
        var areAll = true
        if streams == nil && last - first <= Self.fewPositions {
            page.events = try fewEvents(after: first, through: last)
            // What is missing at the end was too much for one page.
            if let end = page.events.last?.position, end < last { page.scannedTo = end }
            if !filter.isEverything { page.events = page.events.filter(filter.matches) }
        } else if streams?.isEmpty != true {
            (page.events, areAll) = try copyEvents(
                """
                COPY (
                    SELECT \(unsafe: EventRows.columns)
                      FROM log.event AS e
                     WHERE e.position > \(unsafe: "\(first)")
                       AND e.position <= \(unsafe: "\(last)")
                       \(unsafe: streams.map { "AND e.stream_id IN (\($0.map(\.description).joined(separator: ", ")))" } ?? "")
                       \(unsafe: filter.conditions)
                     ORDER BY e.position
                     LIMIT \(unsafe: "\(limit)")
                ) TO STDOUT (FORMAT binary)
                """
            )
        }
        // Beyond the last event of a full page nothing counts as looked at.
        if page.events.count > limit { page.events.removeSubrange(limit...) }
        if !areAll || page.events.count == limit, let last = page.events.last { page.scannedTo = last.position }
        return page
    }

    /// The streams in which all events lie that the filter can let through, when it names an organization or a stream
    /// that has few events; `nil` when reading the log in its order is no worse.
    private func streams(
        of filter: EventFilter,
        after position: Int64,
        through end: Int64
    ) throws(PostgresError) -> [Int64]? {
        guard end - position > Self.fewPositions else { return nil }
        let rows: [(Int64, Int64)]
        if let stream = filter.stream {
            rows = try run(
                """
                SELECT stream_id, version FROM log.stream_head
                 WHERE name = \(stream.text) AND last_position > \(position) AND first_position <= \(end)
                """,
                prepared: true
            ).all(Int64.self, Int64.self)
        } else if let organization = filter.organization {
            rows = try run(
                """
                SELECT stream_id, version FROM log.stream_head
                 WHERE org_id = \(organization) AND last_position > \(position) AND first_position <= \(end)
                 LIMIT \(Int64(Self.fewStreams + 1))
                """,
                prepared: true
            ).all(Int64.self, Int64.self)
        } else {
            return nil
        }
        guard rows.count <= Self.fewStreams, rows.reduce(0, { $0 + $1.1 }) <= Self.fewVersions else { return nil }
        return rows.map(\.0)
    }

    /// The last position that was recorded before a time.
    ///
    /// Positions are dense and their times never go back, so some twenty look-ups find it in any log.
    ///
    /// - Parameter time: Any.
    /// - Returns: The position, and whether it only is the one before the first event here: 0, or where the archive
    ///   ends, and then the one asked for may be anywhere before.
    /// - Throws: ``PostgresError``.
    func lastPosition(before time: Timestamp) throws(PostgresError) -> (position: Int64, isFirst: Bool) {
        try run(
            """
            WITH RECURSIVE search (first, low, high) AS (
                SELECT coalesce(min(position), 1) - 1, coalesce(min(position), 1) - 1, coalesce(max(position), 0) + 1
                  FROM log.event
                UNION ALL
                SELECT s.first,
                       CASE WHEN m.is_before THEN m.position ELSE s.low END,
                       CASE WHEN m.is_before THEN s.high ELSE m.position END
                  FROM search AS s
                 CROSS JOIN LATERAL (
                        SELECT (s.low + s.high) / 2 AS position,
                               (SELECT e.recorded_at < \(time)
                                  FROM log.event AS e
                                 WHERE e.position = (s.low + s.high) / 2) AS is_before
                       ) AS m
                 WHERE s.high - s.low > 1
            )
            SELECT low, low = first FROM search WHERE high - low <= 1
            """,
            prepared: true
        ).decode(0, Int64.self, Bool.self)
    }
}
