internal import Kernel
package import Logging
internal import Metrics
package import Postgres

/// Looks every few seconds at what only the database knows about the log's health, and tells it as metrics.
package struct LogVitals: Sendable {
    private let pool: Pool
    private let pause: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - pool: As a role that may execute `log.vitals`.
    ///   - pause: How long between two looks.
    ///   - logger: For what operators should know.
    package init(pool: Pool, pause: Duration = .seconds(10), logger: Logger) {
        self.pool = pool
        self.pause = pause
        self.logger = logger
    }

    /// Looks until the task is cancelled.
    package func run() async {
        let oldest = Gauge(label: "signalbox_log_oldest_transaction_seconds")
        let wal = Gauge(label: "signalbox_log_wal_bytes_per_event")
        wal.record(0)
        var before: (newest: Int64, bytes: Int64)?
        while !Task.isCancelled {
            do throws(PostgresError) {
                let (newest, age, bytes) = try await pool.with { connection throws(PostgresError) in
                    try connection.run(
                        "SELECT newest, oldest_transaction, wal_bytes FROM log.vitals()"
                    )
                    .decode(0, Int64.self, Double.self, Int64.self)
                }
                oldest.record(age)
                if let before, newest > before.newest, bytes >= before.bytes {
                    wal.record(Double(bytes - before.bytes) / Double(newest - before.newest))
                }
                before = (newest, bytes)
            } catch {
                logger.debug("the health of the log is unknown", metadata: ["error": "\(error)"])
            }
            // Cancelled early: the loop looks whether it is.
            try? await Task.sleep(for: pause)
        }
    }
}
