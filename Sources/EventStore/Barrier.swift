internal import Postgres

/// What a barrier tells other processes.
struct News: Sendable {
    /// A position that this process has written or seen.
    let position: Int64
    let hasWork: Bool

    fileprivate var parameters: Parameters {
        var parameters = Parameters()
        parameters.add(position)
        parameters.add(hasWork)
        return parameters
    }
}

/// Waiting for the disk on behalf of others, and waking other processes, over a connection of its own.
///
/// The barrier's transaction writes a record of its own, so its commit flushes the whole write-ahead log before it: with
/// it every append that was committed before. `NOTIFY` is here and never in an append, where its lock would be held
/// until the disk has flushed.
extension Connection {
    /// Makes the connection ready for ``pass(_:)`` and ``tell(_:)``.
    func prepareBarrier() throws(PostgresError) {
        // A transaction with an id but without a record would not be flushed, hence the message.
        try prepare(
            "barrier",
            as: """
                SELECT n.position, pg_logical_emit_message(true, 'log', ''),
                       CASE WHEN n.position > 0 THEN pg_notify('log', n.position::text) END,
                       CASE WHEN $2 THEN pg_notify('work', '') END
                  FROM (VALUES (true)) AS one
                  LEFT JOIN LATERAL (
                    SELECT e.position
                      FROM log.event AS e
                     WHERE e.position >= $1::bigint
                       AND e.position < $1::bigint + \(PositionWindow.width)
                     ORDER BY e.position DESC
                     LIMIT 1
                  ) AS n ON true
                """
        )
        // Only a wake-up: it need not survive anything.
        try prepare(
            "tell",
            as: """
                SELECT set_config('synchronous_commit', 'off', true),
                       CASE WHEN $1::bigint > 0 THEN pg_notify('log', $1::text) END,
                       CASE WHEN $2 THEN pg_notify('work', '') END
                """
        )
        // A barrier means durable, whatever the server says; anything stronger than `on` stays as it is.
        if try run("SHOW synchronous_commit").column(String.self).first == "off" {
            try script("SET synchronous_commit = on")
        }
    }

    /// Returns once everything that was committed before is durable.
    ///
    /// - Parameter news: What this process has written.
    /// - Returns: The newest position that was visible when it began, whichever process wrote it.
    /// - Throws: ``PostgresError``; nothing is known then.
    func pass(_ news: News) throws(PostgresError) -> Int64 {
        let newest = try execute("barrier", news.parameters).value(Int64.self, row: 0, column: 0) ?? 0
        guard newest >= news.position else {
            throw PostgresError(.shape, message: "position \(news.position) is gone from the log")
        }
        return newest
    }

    /// Tells others of what is durable already; waits for nothing.
    func tell(_ news: News) throws(PostgresError) {
        _ = try execute("tell", news.parameters)
    }
}

/// How far beyond a known position the end of the log is looked for: two partitions, so that a plan opens few.
enum PositionWindow {
    static let width: Int64 = 33_554_432
}
