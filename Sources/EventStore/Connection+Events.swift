internal import Kernel
internal import Postgres

extension Connection {
    /// The last position, 0 when the log is empty.
    func newestPosition() throws(PostgresError) -> Int64 {
        try run("SELECT coalesce(max(position), 0) FROM log.event", prepared: true).decode(0, Int64.self)
    }

    /// Events of one stream, by version.
    func streamEvents(
        _ stream: StreamName,
        after version: Int64,
        limit: Int
    ) throws(PostgresError) -> [RecordedEvent] {
        // The positions are there for the partitions: only those between the first and the last are opened.
        try decode(
            run(
                """
                SELECT e.position, e.event_id, s.name, e.org_id, e.version, t.name, e.schema_version, e.recorded_at,
                       e.actor, e.command_id, e.causation_id, e.correlation_id, e.metadata, e.payload
                  FROM log.stream AS s
                  JOIN log.event AS e ON e.stream_id = s.stream_id
                   AND e.position >= s.first_position
                   AND e.position <= s.end_position
                  JOIN log.event_type AS t ON t.type_id = e.type_id
                 WHERE s.name = \(stream.text)
                   AND e.version > \(version)
                 ORDER BY e.version
                 LIMIT \(Int64(limit))
                """,
                prepared: true
            )
        )
    }

    /// The events in a short range of positions, in order; the statement is planned once per connection.
    ///
    /// Those after 16 MiB of payload are left for another page. The server adds up the lengths without reading what is
    /// long.
    func fewEvents(after position: Int64, through end: Int64) throws(PostgresError) -> [RecordedEvent] {
        try decode(
            run(
                """
                SELECT e.position, e.event_id, s.name, e.org_id, e.version, t.name, e.schema_version, e.recorded_at,
                       e.actor, e.command_id, e.causation_id, e.correlation_id, e.metadata, e.payload
                  FROM (
                        SELECT p.*,
                               sum(octet_length(p.payload)) OVER (
                                   ORDER BY p.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                               ) AS taken
                          FROM log.event AS p
                         WHERE p.position > \(position)
                           AND p.position <= \(end)
                       ) AS e
                  JOIN log.stream AS s ON s.stream_id = e.stream_id
                  JOIN log.event_type AS t ON t.type_id = e.type_id
                 WHERE coalesce(e.taken, 0) < \(Int64(EventRows.mostBytes))
                 ORDER BY e.position
                """,
                prepared: true
            )
        )
    }

    /// All columns of the events in a range of positions, in order, or the first of them when they are big.
    func storedEvents(after position: Int64, through end: Int64) throws(PostgresError) -> [StoredEvent] {
        var hashes: [(salt: [UInt8]?, payload: [UInt8], leaf: [UInt8])] = []
        let events = try copyEvents(
            """
            COPY (
                SELECT \(unsafe: EventRows.columns), e.salt, e.payload_hash, e.leaf
                  FROM log.event AS e
                 WHERE e.position > \(unsafe: "\(position)")
                   AND e.position <= \(unsafe: "\(end)")
                 ORDER BY e.position
            ) TO STDOUT (FORMAT binary)
            """
        ) { row throws(PostgresError) in
            hashes.append((try row.optionalBytes(), try row.bytes(), try row.bytes()))
        }.events
        return zip(events, hashes).map {
            StoredEvent(event: $0, salt: $1.salt, payloadHash: $1.payload, leaf: $1.leaf)
        }
    }

    /// Streams what a query selects.
    ///
    /// - Parameters:
    ///   - statement: `COPY` of ``EventRows/columns`` and what `rest` reads.
    ///   - rest: Reads the other columns of each row.
    /// - Returns: The events, and whether they are all; big ones are left for another page.
    /// - Throws: ``PostgresError``.
    func copyEvents(
        _ statement: SQL,
        rest: (inout CopiedRow) throws(PostgresError) -> Void = { _ in }
    ) throws(PostgresError) -> (events: [RecordedEvent], areAll: Bool) {
        var rows = EventRows()
        var areAll = true
        do throws(PostgresError) {
            try copyRows(statement) { row throws(PostgresError) in
                guard !rows.isFull else {
                    areAll = false
                    throw PostgresError(.cancelled, message: "the page is full")
                }
                try rows.take(&row)
                try rest(&row)
            }
        } catch  where !areAll && error.kind != .lost {}
        return (try rows.takeNamed(on: self), areAll)
    }

    private func decode(_ rows: consuming Rows) throws(PostgresError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        events.reserveCapacity(rows.count)
        for row in 0..<rows.count {
            let (position, id, stream, organization, version, type, schema) = try rows.decode(
                row,
                Int64.self,
                UniqueID.self,
                String.self,
                OrganizationID?.self,
                Int64.self,
                String.self,
                Int16.self
            )
            guard let stream = StreamName(stream) else {
                throw PostgresError(.shape, message: "\(stream) is not a stream name")
            }
            func read<Value: Column>(_: Value.Type, _ column: Int) throws(PostgresError) -> Value {
                try Value.read(rows, row: row, column: column)
            }
            events.append(
                RecordedEvent(
                    position: position,
                    id: id,
                    stream: stream,
                    organization: organization,
                    version: version,
                    type: type,
                    schemaVersion: schema,
                    recordedAt: try read(Timestamp.self, 7),
                    actor: try read(String.self, 8),
                    command: try read(UniqueID.self, 9),
                    cause: try read(UniqueID?.self, 10),
                    correlation: try read(UniqueID.self, 11),
                    metadata: try read(String.self, 12),
                    payload: try read([UInt8]?.self, 13)
                )
            )
        }
        return events
    }
}
