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
                   AND e.position <= s.last_position
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

    /// The events in a range of positions that the filter lets through, in order.
    func events(
        after position: Int64,
        through end: Int64,
        matching filter: EventFilter
    ) throws(PostgresError) -> [RecordedEvent] {
        if filter == .everything {
            return try decode(
                run(
                    """
                    SELECT e.position, e.event_id, s.name, e.org_id, e.version, t.name, e.schema_version, e.recorded_at,
                           e.actor, e.command_id, e.causation_id, e.correlation_id, e.metadata, e.payload
                      FROM log.event AS e
                      JOIN log.stream AS s ON s.stream_id = e.stream_id
                      JOIN log.event_type AS t ON t.type_id = e.type_id
                     WHERE e.position > \(position)
                       AND e.position <= \(end)
                     ORDER BY e.position
                    """,
                    prepared: true
                )
            )
        }
        // An empty list stands for "not asked": a list that was asked and is empty never gets here.
        return try decode(
            run(
                """
                SELECT e.position, e.event_id, s.name, e.org_id, e.version, t.name, e.schema_version, e.recorded_at,
                       e.actor, e.command_id, e.causation_id, e.correlation_id, e.metadata, e.payload
                  FROM log.event AS e
                  JOIN log.stream AS s ON s.stream_id = e.stream_id
                  JOIN log.event_type AS t ON t.type_id = e.type_id
                 WHERE e.position > \(position)
                   AND e.position <= \(end)
                   AND (cardinality(\(array: filter.types ?? [])) = 0 OR t.name = ANY (\(array: filter.types ?? [])))
                   AND (cardinality(\(array: filter.categories ?? [])) = 0
                        OR s.category = ANY (\(array: filter.categories ?? [])))
                   AND (\(filter.organization) IS NULL OR e.org_id = \(filter.organization))
                   AND (\(filter.stream?.text) IS NULL OR s.name = \(filter.stream?.text))
                   AND (\(filter.actor) IS NULL OR e.actor = \(filter.actor))
                   AND (\(filter.from) IS NULL OR e.recorded_at >= \(filter.from))
                   AND (\(filter.to) IS NULL OR e.recorded_at < \(filter.to))
                 ORDER BY e.position
                """,
                prepared: true
            )
        )
    }

    /// All columns of the events in a range of positions, in order.
    func storedEvents(after position: Int64, through end: Int64) throws(PostgresError) -> [StoredEvent] {
        let rows = try run(
            """
            SELECT e.salt, e.payload_hash, e.leaf
              FROM log.event AS e
             WHERE e.position > \(position)
               AND e.position <= \(end)
             ORDER BY e.position
            """,
            prepared: true
        ).all([UInt8]?.self, [UInt8].self, [UInt8].self)
        let events = try events(after: position, through: end, matching: .everything)
        return zip(events, rows).map { StoredEvent(event: $0, salt: $1.0, payloadHash: $1.1, leaf: $1.2) }
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

extension EventFilter {
    /// Whether it lets nothing through, because one of its lists is empty.
    var isHopeless: Bool { types?.isEmpty == true || categories?.isEmpty == true }

    /// Whether an event is let through.
    package func matches(_ event: RecordedEvent) -> Bool {
        types.map { $0.contains(event.type) } ?? true
            && categories.map { $0.contains(event.stream.category) } ?? true
            && organization.map { $0 == event.organization } ?? true
            && stream.map { $0 == event.stream } ?? true
            && actor.map { $0 == event.actor } ?? true
            && from.map { event.recordedAt >= $0 } ?? true
            && to.map { event.recordedAt < $0 } ?? true
    }
}
