internal import Logging
internal import Metrics
internal import Postgres

/// How far one slice of a build is behind the log, whoever feeds it.
struct SliceLag: Sendable, Equatable {
    var projection: String
    var slice: Int
    /// How many events it has not folded.
    var events: Int64
    /// How long ago the oldest of those was recorded; 0 when there is none.
    var seconds: Double
}

extension ProjectionRunner {
    /// Tells how far every slice is behind, until the task is cancelled.
    ///
    /// It looks into the database and not at its own feeding, so that a slice that nobody feeds is seen to fall behind.
    func watchLag() async {
        while !Task.isCancelled {
            do throws(PostgresError) {
                for lag in try await pool.with({ connection throws(PostgresError) in try connection.lags() }) {
                    let labels = [("projection", lag.projection), ("slice", "\(lag.slice)")]
                    Gauge(label: "signalbox_projection_lag_events", dimensions: labels).record(lag.events)
                    Gauge(label: "signalbox_projection_lag_seconds", dimensions: labels).record(lag.seconds)
                }
            } catch {
                logger.debug("the lag of the read models is unknown", metadata: ["error": "\(error)"])
            }
            // Cancelled early: the loop looks whether it is.
            try? await Task.sleep(for: settings.look)
        }
    }
}

extension Connection {
    /// How far the slices of all live builds are behind.
    ///
    /// - Throws: ``PostgresError``.
    func lags() throws(PostgresError) -> [SliceLag] {
        let rows = try run(
            """
            SELECT c.name, c.slice, greatest(0, l.newest - c.position),
                   coalesce(extract(epoch FROM clock_timestamp() - n.recorded_at), 0)::float8
              FROM rm.build AS b
              JOIN rm.checkpoint AS c USING (name, shape, build)
             CROSS JOIN (SELECT coalesce(max(e.position), 0) AS newest FROM log.event AS e) AS l
              LEFT JOIN log.event AS n ON n.position = c.position + 1
             WHERE b.live
            """
        )
        var lags: [SliceLag] = []
        for row in 0..<rows.count {
            let (projection, slice, events, seconds) = try rows.decode(
                row,
                String.self,
                Int.self,
                Int64.self,
                Double.self
            )
            lags.append(SliceLag(projection: projection, slice: slice, events: events, seconds: max(0, seconds)))
        }
        return lags
    }
}
