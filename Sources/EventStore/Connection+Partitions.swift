internal import Metrics
internal import Postgres

extension Connection {
    /// Makes partitions ahead of need, and says in a metric how many are free, also when none could be made.
    func makePartitions() throws(PostgresError) {
        defer {
            // What cannot be counted now is counted at the next attempt.
            if let free = try? freePartitions() { Gauge(label: "signalbox_log_partitions_free").record(free) }
        }
        try run("SELECT log.ensure_partitions()")
    }

    /// How many partitions lie ahead of the newest event, empty.
    func freePartitions() throws(PostgresError) -> Int64 {
        try run(
            """
            SELECT count(*)
              FROM log.partition
             WHERE first_position > (SELECT coalesce(max(position), 0) FROM log.event)
            """
        ).decode(0, Int64.self)
    }
}
