package import Kernel
package import Postgres

/// Where deliveries are kept: claimed by who makes them, listed for who wants to know.
package struct WebhookStore: Sendable {
    let pool: Pool

    /// - Parameter pool: As the role `signalbox_append`.
    package init(pool: Pool) {
        self.pool = pool
    }

    /// A delivery that is somebody's for a while.
    struct Claimed: Sendable {
        var webhook: UniqueID
        var organization: OrganizationID
        var event: UniqueID
        var position: Int64
        /// This one counted.
        var attempts: Int
        var url: String
        /// As the events have them, the newest first.
        var secrets: [String]
        /// Whose it is.
        var claim: String
    }

    /// What became of an attempt.
    enum Outcome: Sendable, Equatable {
        case delivered
        case again(after: Duration)
        case failed
    }

    /// Claims what is due: of each webhook one at a time, so that a slow one is called no faster than it answers.
    ///
    /// - Parameters:
    ///   - limit: How many, at most.
    ///   - span: How long nobody else may try.
    /// - Returns: What was claimed.
    /// - Throws: `PostgresError`.
    func claim(_ limit: Int, for span: Duration) async throws(PostgresError) -> [Claimed] {
        try await pool.with { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                UPDATE hook.delivery AS d
                   SET attempts = d.attempts + 1, claim = gen_random_uuid(), tried_at = now(),
                       claimed_until = now() + \(span.microseconds) * interval '1 microsecond'
                  FROM hook.endpoint AS e,
                       (SELECT c.webhook, c.event
                          FROM hook.endpoint AS o
                         CROSS JOIN LATERAL (
                               SELECT i.webhook, i.event, i.due
                                 FROM hook.delivery AS i
                                WHERE i.webhook = o.webhook AND i.status = 'pending' AND i.due <= now()
                                ORDER BY i.due
                                LIMIT 1) AS c
                         WHERE o.enabled
                           AND NOT EXISTS (SELECT FROM hook.delivery AS b
                                            WHERE b.webhook = o.webhook AND b.claimed_until > now())
                         ORDER BY c.due
                         LIMIT \(Int64(limit))) AS w
                 WHERE d.webhook = w.webhook AND d.event = w.event AND e.webhook = d.webhook
                   AND d.status = 'pending' AND coalesce(d.claimed_until <= now(), true)
                RETURNING d.webhook, e.organization, d.event, d.position, d.attempts, e.url, e.secret,
                          CASE WHEN e.previous_until > now() THEN e.previous END, d.claim::text
                """,
                prepared: true
            )
            var all: [Claimed] = []
            for index in 0..<rows.count {
                let row = try rows.decode(
                    index,
                    UniqueID.self,
                    Int64.self,
                    UniqueID.self,
                    Int64.self,
                    Int32.self,
                    String.self,
                    String.self,
                    String?.self
                )
                let claim = try String.read(rows, row: index, column: 8)
                guard let organization = OrganizationID(row.1) else { continue }
                all.append(
                    Claimed(
                        webhook: row.0,
                        organization: organization,
                        event: row.2,
                        position: row.3,
                        attempts: Int(row.4),
                        url: row.5,
                        secrets: [row.6] + [row.7].compactMap(\.self),
                        claim: claim
                    )
                )
            }
            return all
        }
    }

    /// Notes what became of an attempt, unless somebody else has claimed it meanwhile.
    ///
    /// - Throws: `PostgresError`.
    func settle(
        _ delivery: Claimed,
        _ outcome: Outcome,
        answered: Int?,
        problem: String?
    ) async throws(PostgresError) {
        let (status, wait): (WebhookDelivery.Status, Duration) =
            switch outcome {
            case .delivered: (.delivered, .zero)
            case .again(let span): (.pending, span)
            case .failed: (.failed, .zero)
            }
        // As text: nothing of sixteen bytes is carried into the closure.
        let (webhook, event, claim) = (delivery.webhook.description, delivery.event.description, delivery.claim)
        try await pool.with { connection throws(PostgresError) in
            _ = try connection.run(
                """
                UPDATE hook.delivery
                   SET status = \(status.rawValue), answered = \(answered.map { Int32(clamping: $0) }),
                       problem = \(problem), claim = NULL, claimed_until = NULL,
                       due = now() + \(wait.microseconds) * interval '1 microsecond',
                       ended_at = CASE WHEN \(status != .pending) THEN now() END
                 WHERE webhook = \(webhook)::uuid AND event = \(event)::uuid AND claim = \(claim)::uuid
                """
            )
        }
    }

    /// Has an event told again, at once and on a schedule from its beginning.
    ///
    /// - Returns: Whether there is such a delivery.
    /// - Throws: `PostgresError`.
    package func redeliver(_ event: UniqueID, to webhook: UniqueID) async throws(PostgresError) -> Bool {
        let (webhook, event) = (webhook.description, event.description)
        return try await pool.with { connection throws(PostgresError) in
            try connection.run(
                """
                UPDATE hook.delivery SET status = 'pending', attempts = 0, due = now(), ended_at = NULL
                 WHERE webhook = \(webhook)::uuid AND event = \(event)::uuid
                RETURNING 1
                """
            ).count > 0
        }
    }

    /// Some deliveries of a webhook, newest event first.
    ///
    /// - Parameters:
    ///   - webhook: Whose.
    ///   - before: The position of the last one seen.
    ///   - limit: How many, at most.
    /// - Returns: The deliveries.
    /// - Throws: `PostgresError`.
    package func list(
        of webhook: UniqueID,
        before: Int64?,
        limit: Int
    ) async throws(PostgresError) -> [WebhookDelivery] {
        let webhook = webhook.description
        return try await pool.with { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT event, position, type, status, attempts, due, answered, problem, tried_at, ended_at
                  FROM hook.delivery
                 WHERE webhook = \(webhook)::uuid AND position < \(before ?? .max)
                 ORDER BY position DESC
                 LIMIT \(Int64(limit))
                """
            )
            var all: [WebhookDelivery] = []
            for index in 0..<rows.count {
                guard let status = WebhookDelivery.Status(rawValue: try String.read(rows, row: index, column: 3)) else {
                    throw PostgresError(.shape, message: "a delivery has no known status")
                }
                all.append(
                    WebhookDelivery(
                        event: try UniqueID.read(rows, row: index, column: 0),
                        position: try Int64.read(rows, row: index, column: 1),
                        type: try String.read(rows, row: index, column: 2),
                        status: status,
                        attempts: Int(try Int32.read(rows, row: index, column: 4)),
                        due: try Timestamp.read(rows, row: index, column: 5),
                        answered: try rows.value(Int32.self, row: index, column: 6).map { Int($0) },
                        problem: try rows.value(String.self, row: index, column: 7),
                        triedAt: try rows.value(Timestamp.self, row: index, column: 8),
                        endedAt: try rows.value(Timestamp.self, row: index, column: 9)
                    )
                )
            }
            return all
        }
    }

    /// Forgets what ended so long ago.
    ///
    /// - Throws: `PostgresError`.
    func prune(after span: Duration) async throws(PostgresError) {
        try await pool.with { connection throws(PostgresError) in
            _ = try connection.run(
                """
                DELETE FROM hook.delivery
                 WHERE status <> 'pending' AND ended_at < now() - \(span.microseconds) * interval '1 microsecond'
                """
            )
        }
    }
}
