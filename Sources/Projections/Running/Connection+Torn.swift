internal import EventStore
internal import Postgres

/// What is not in the log any more, or is to be taken as if it were not.
extension Connection {
    /// Those of some streams of which a payload was erased, or an event is passed over for good.
    ///
    /// - Parameters:
    ///   - streams: Any.
    ///   - name: The read model that passes events over.
    /// - Returns: Those.
    /// - Throws: ``PostgresError``.
    func tornStreams(among streams: Set<StreamName>, of name: String) throws(PostgresError) -> Set<StreamName> {
        guard !streams.isEmpty else { return [] }
        let rows = try run(
            """
            SELECT s.name
              FROM log.stream_head AS s
             WHERE s.name = ANY (\(array: streams.map(\.text)))
               AND (
                    EXISTS (
                        SELECT
                          FROM log.event AS e
                         WHERE e.stream_id = s.stream_id
                           AND e.position >= s.first_position
                           AND e.position <= s.last_position
                           AND e.payload IS NULL
                    )
                    -- Of an archived event only the record of its erasure is here, and between which positions it was.
                    OR EXISTS (
                        SELECT
                          FROM log.stream AS r
                          JOIN log.segment AS g
                            ON CASE WHEN r.name ~ '^erasure-[0-9]{1,18}$' THEN split_part(r.name, '-', 2)::bigint END
                               BETWEEN greatest(g.first_position, s.first_position)
                                   AND least(g.last_position, s.last_position)
                         WHERE r.category = 'erasure'
                    )
                    OR EXISTS (
                        SELECT
                          FROM rm.skipped AS k
                         WHERE k.name = \(name)
                           AND k.position BETWEEN s.first_position AND s.last_position
                           AND (
                                EXISTS (
                                    SELECT
                                      FROM log.event AS e
                                     WHERE e.position = k.position
                                       AND e.stream_id = s.stream_id
                                )
                                OR EXISTS (
                                    SELECT
                                      FROM log.segment AS g
                                     WHERE k.position BETWEEN g.first_position AND g.last_position
                                )
                           )
                    )
               )
            """
        )
        return Set(try rows.column(String.self).compactMap { StreamName($0) })
    }

    /// Whether something was erased of events that were read with their payloads.
    func wereErased<P: Projection>(_ events: [RecordedEvent], for _: P.Type) throws(PostgresError) -> Bool {
        let records = events.filter { $0.payload != nil && P.reads.contains($0.type) }.map {
            StreamName(category: "erasure", id: $0.position).text
        }
        guard !records.isEmpty else { return false }
        return try run("SELECT FROM log.stream WHERE name = ANY (\(array: records)) LIMIT 1").count > 0
    }

    /// Runs a transaction that is rolled back when somebody newer has what it is about.
    ///
    /// - Parameters:
    ///   - otherwise: What is returned then.
    ///   - body: Throws `overtaken` to say so.
    /// - Returns: What `body` returns, once it is committed.
    /// - Throws: As ``transaction(_:_:)``, but for `overtaken`.
    func transaction<Value: Sendable>(
        otherwise: Value,
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        do throws(PostgresError) {
            return try transaction(.readCommitted, body)
        } catch {
            guard error == .overtaken else { throw error }
            return otherwise
        }
    }
}

extension PostgresError {
    /// What a transaction is rolled back with when somebody newer has what it is about.
    static let overtaken = PostgresError(.refused, message: "somebody newer has it")
}
