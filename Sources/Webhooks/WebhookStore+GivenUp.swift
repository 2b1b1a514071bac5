package import Kernel
package import Postgres

/// A webhook that is disabled, with what it could not be told of last.
package struct GivenUpWebhook: Sendable, Equatable {
    package var webhook: UniqueID
    package var organization: OrganizationID
    package var position: Int64
    package var problem: String
}

extension WebhookStore {
    /// The webhooks that are disabled and had something they could not be told of, by id.
    ///
    /// - Parameters:
    ///   - last: Only those after this one; `nil` for all.
    ///   - limit: How many, at most.
    /// - Returns: Those webhooks.
    /// - Throws: `PostgresError`.
    package func givenUp(after last: UniqueID?, limit: Int) async throws(PostgresError) -> [GivenUpWebhook] {
        let last = last?.description
        return try await pool.with { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT e.webhook, e.organization, d.position, coalesce(d.problem, 'status ' || d.answered, 'no answer')
                  FROM hook.endpoint AS e
                 CROSS JOIN LATERAL (
                       SELECT f.position, f.problem, f.answered
                         FROM hook.delivery AS f
                        WHERE f.webhook = e.webhook AND f.status = 'failed'
                        ORDER BY f.position DESC
                        LIMIT 1) AS d
                 WHERE NOT e.enabled AND (\(last == nil) OR e.webhook > \(last)::uuid)
                 ORDER BY e.webhook
                 LIMIT \(Int64(limit))
                """
            )
            var found: [GivenUpWebhook] = []
            for index in 0..<rows.count {
                guard let organization = OrganizationID(try Int64.read(rows, row: index, column: 1)) else { continue }
                found.append(
                    GivenUpWebhook(
                        webhook: try UniqueID.read(rows, row: index, column: 0),
                        organization: organization,
                        position: try Int64.read(rows, row: index, column: 2),
                        problem: try String.read(rows, row: index, column: 3)
                    )
                )
            }
            return found
        }
    }
}
