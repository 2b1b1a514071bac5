package import EventStore
internal import Kernel
package import Postgres

/// The board in `saga.target` and `saga.visit`, on the database's clock; the rules are those of `schema/functions/admit.sql`
/// and `settle.sql`.
package struct PostgresTargetBoard: TargetBoard {
    private let pool: Pool
    private let limits: [String: TargetLimits]

    /// - Parameters:
    ///   - pool: As the role `signalbox_append`.
    ///   - limits: How much each target takes.
    package init(pool: Pool, limits: [String: TargetLimits] = TargetLimits.defaults) {
        self.pool = pool
        self.limits = limits
    }

    package func admit(
        _ target: String,
        by visitor: StreamName,
        atMost span: Duration,
        counted: Bool
    ) async throws(LogError) -> TargetAdmission {
        let limits = limits[target] ?? TargetLimits()
        let (why, wait) = try await asked { connection throws(PostgresError) in
            try connection.run(
                """
                SELECT why, (extract(epoch FROM wait) * 1000000)::bigint
                  FROM saga.admit(\(target), \(visitor.text), \(span.microseconds) * interval '1 microsecond', \(counted),
                       \(limits.most.map { Int32(clamping: $0) }), \(limits.rate), \(limits.burst))
                """,
                prepared: true
            ).decode(0, String?.self, Int64?.self)
        }
        guard let why else { return .granted }
        guard let reason = TargetAdmission.Reason(rawValue: why) else { throw .violated("saga.admit says \(why)") }
        return .refused(reason, wait: .microseconds(max(1000, wait ?? 0)))
    }

    package func settle(_ target: String, by visitor: StreamName, _ outcome: TargetOutcome) async {
        var answered: Bool?
        var rest: Duration?
        var error: String?
        switch outcome {
        case .answered: answered = true
        case .failed(let message, let retryAfter): (answered, error, rest) = (false, message, retryAfter)
        case .unknown: break
        }
        let (wasAnswered, resting, message) = (answered, rest.map(\.microseconds), error)
        // A visit that nobody ends, ends by itself.
        try? await asked { connection throws(PostgresError) in
            _ = try connection.run(
                """
                SELECT saga.settle(\(target), \(visitor.text), \(wasAnswered),
                       \(resting) * interval '1 microsecond', \(message))
                """,
                prepared: true
            )
        }
    }

    package func list() async throws(LogError) -> [TargetView] {
        try await asked { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT t.name,
                       CASE
                           WHEN t.held_because IS NOT NULL THEN 'held'
                           WHEN t.open_until > now() OR t.rests_until > now() THEN 'open'
                           WHEN t.open_until IS NOT NULL THEN 'half-open'
                           ELSE 'closed'
                       END,
                       nullif(greatest(t.open_until, t.rests_until, now()), now()), t.held_because, t.failed_in_a_row,
                       CASE WHEN t.window_from < now() - interval '60 s' THEN 0 ELSE t.window_calls END,
                       CASE WHEN t.window_from < now() - interval '60 s' THEN 0 ELSE t.window_failures END,
                       t.openings,
                       (
                        SELECT count(*)
                          FROM saga.visit AS v
                         WHERE v.target = t.name
                           AND v.until > now()
                       ),
                       t.most, t.rate, t.burst, t.last_error, t.changed_at
                  FROM saga.target AS t
                 ORDER BY t.name COLLATE "C"
                """
            )
            var views: [TargetView] = []
            for row in 0..<rows.count { views.append(try rows.target(row)) }
            return views
        }
    }

    package func hold(_ target: String, because reason: String) async throws(LogError) {
        try await asked { connection throws(PostgresError) in
            _ = try connection.run("SELECT saga.hold_target(\(target), \(reason))")
        }
    }

    package func free(_ target: String) async throws(LogError) {
        try await asked { connection throws(PostgresError) in
            _ = try connection.run("SELECT saga.free_target(\(target))")
        }
    }

    private func asked<Value: Sendable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(LogError) -> Value {
        do throws(PostgresError) {
            return try await pool.with(evenIfCancelled: true, body)
        } catch { throw .unavailable("\(error)") }
    }
}

extension Rows {
    fileprivate func target(_ row: Int) throws(PostgresError) -> TargetView {
        let (name, status, until, reason, failedInARow, calls, failures, openings, inFlight) = try decode(
            row,
            String.self,
            String.self,
            Timestamp?.self,
            String?.self,
            Int32.self,
            Int32.self,
            Int32.self,
            Int32.self,
            Int64.self
        )
        return TargetView(
            name: name,
            status: status,
            until: until,
            reason: reason,
            failedInARow: Int(failedInARow),
            calls: Int(calls),
            failures: Int(failures),
            openings: Int(openings),
            inFlight: Int(inFlight),
            limits: TargetLimits(
                most: try Int32?.read(self, row: row, column: 9).map(Int.init),
                rate: try Double?.read(self, row: row, column: 10),
                burst: try Double?.read(self, row: row, column: 11)
            ),
            lastError: try String?.read(self, row: row, column: 12),
            changedAt: try Timestamp.read(self, row: row, column: 13)
        )
    }
}
