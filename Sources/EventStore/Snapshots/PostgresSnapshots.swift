package import Postgres

/// The snapshots of `log.snapshot`.
///
/// Schema version 0 is what `log.erase` leaves: that stream is read whole from then on.
package struct PostgresSnapshots: SnapshotStore {
    private let pool: Pool

    /// Works as a role that may write `log.snapshot`.
    package init(pool: Pool) {
        self.pool = pool
    }

    package func snapshot(of stream: StreamName) async throws(LogError) -> Snapshot? {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) -> Snapshot? in
                let rows = try connection.run(
                    """
                    SELECT n.version, n.schema_version, n.state
                      FROM log.stream_head AS s
                      JOIN log.snapshot AS n ON n.stream_id = s.stream_id
                     WHERE s.name = \(stream.text)
                       AND n.schema_version > 0
                       AND n.version <= s.version
                    """,
                    prepared: true
                )
                guard rows.count > 0 else { return nil }
                let (version, schema, state) = try rows.decode(0, Int64.self, Int16.self, [UInt8].self)
                return Snapshot(version: version, schemaVersion: schema, state: state)
            }
        }
    }

    @discardableResult
    package func keep(_ snapshot: Snapshot, of stream: StreamName) async throws(LogError) -> Bool {
        try await run(
            """
            INSERT INTO log.snapshot AS n (stream_id, version, schema_version, state)
            SELECT s.stream_id, \(snapshot.version), \(snapshot.schemaVersion), \(snapshot.state)
              FROM log.stream_head AS s
             WHERE s.name = \(stream.text)
               AND s.version >= \(snapshot.version)
                ON CONFLICT (stream_id) DO UPDATE
               SET version = excluded.version, schema_version = excluded.schema_version, state = excluded.state
             WHERE n.schema_version > 0
               AND ((excluded.version, excluded.schema_version) > (n.version, n.schema_version)
                    OR n.version > (SELECT s.version FROM log.stream_head AS s WHERE s.stream_id = n.stream_id))
            RETURNING true
            """
        )
    }

    package func discard(_ snapshot: Snapshot, of stream: StreamName) async throws(LogError) {
        _ = try await run(
            """
            DELETE FROM log.snapshot AS n
             USING log.stream AS s
             WHERE s.name = \(stream.text)
               AND n.stream_id = s.stream_id
               AND n.schema_version > 0
               AND n.version = \(snapshot.version)
               AND n.schema_version = \(snapshot.schemaVersion)
            RETURNING true
            """
        )
    }

    /// Whether the statement touched a row, which it returns.
    private func run(_ statement: SQL) async throws(LogError) -> Bool {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in try connection.run(statement).count > 0 }
        }
    }
}
