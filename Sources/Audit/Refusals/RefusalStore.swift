package import Kernel
package import Postgres

/// Somebody asked for a change and was refused.
package struct Refusal: Codable, Equatable, Sendable {
    package var at: Timestamp
    package var principal: String
    /// Whose things it was about, as far as the request said.
    package var organization: Int64?
    /// The operation, as the API's document calls it.
    package var action: String
    /// Why, by the slug of the problem.
    package var problem: String
    package var request: String

    package init(
        at: Timestamp,
        principal: String,
        organization: Int64? = nil,
        action: String,
        problem: String,
        request: String
    ) {
        self.at = at
        self.principal = principal
        self.organization = organization
        self.action = action
        self.problem = problem
        self.request = request
    }
}

/// Where refusals are kept for 90 days.
package struct RefusalStore: Sendable {
    private let pool: Pool

    /// - Parameter pool: As the role `signalbox_append`.
    package init(pool: Pool) {
        self.pool = pool
    }

    /// Keeps some.
    ///
    /// - Throws: `PostgresError`.
    package func keep(_ refusals: [Refusal]) async throws(PostgresError) {
        try await pool.with { connection throws(PostgresError) in
            _ = try connection.run(
                """
                INSERT INTO audit.refusal (at, principal, organization, action, problem, request)
                SELECT *
                  FROM unnest(
                       \(array: refusals.map(\.at)),
                       \(array: refusals.map(\.principal)),
                       \(array: refusals.map(\.organization)),
                       \(array: refusals.map(\.action)),
                       \(array: refusals.map(\.problem)),
                       \(array: refusals.map(\.request))
                  )
                """
            )
        }
    }

    /// Some of them, newest first.
    ///
    /// - Parameters:
    ///   - organization: Only what was about its things; `nil` for all.
    ///   - before: The number of the last one seen.
    ///   - limit: How many, at most.
    /// - Returns: Each with its number.
    /// - Throws: `PostgresError`.
    package func list(
        of organization: Int64?,
        before: Int64?,
        limit: Int
    ) async throws(PostgresError) -> [(number: Int64, refusal: Refusal)] {
        try await pool.with { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT id, at, principal, organization, action, problem, request
                  FROM audit.refusal
                 WHERE (\(organization == nil) OR organization = \(organization))
                   AND id < \(before ?? .max)
                 ORDER BY id DESC
                 LIMIT \(Int64(limit))
                """
            )
            return try (0..<rows.count).map { index throws(PostgresError) in
                let row = try rows.decode(
                    index,
                    Int64.self,
                    Timestamp.self,
                    String.self,
                    Int64?.self,
                    String.self,
                    String.self,
                    String.self
                )
                let refusal = Refusal(
                    at: row.1,
                    principal: row.2,
                    organization: row.3,
                    action: row.4,
                    problem: row.5,
                    request: row.6
                )
                return (row.0, refusal)
            }
        }
    }

    /// Throws away what was kept long enough.
    ///
    /// - Returns: How many.
    /// - Throws: `PostgresError`.
    package func forget(before moment: Timestamp) async throws(PostgresError) -> Int {
        try await pool.with { connection throws(PostgresError) in
            try connection.run("DELETE FROM audit.refusal WHERE at < \(moment) RETURNING id").count
        }
    }
}
