internal import Domain
package import Kernel
internal import Postgres

extension ProjectionDesk {
    /// Folds what a blocked organization missed, in every build, and has it fed like any other again.
    ///
    /// - Parameters:
    ///   - name: Which read model.
    ///   - organization: Whose events; `nil` stands for what belongs to none.
    ///   - skipping: Whether the event that blocks it is passed over from now on, in every build there will ever be.
    ///   - deed: Who, and why.
    /// - Returns: The event that is in the way now; `nil` when there is none.
    /// - Throws: ``RebuildError``.
    package func unblock(
        _ name: String,
        _ organization: OrganizationID?,
        skipping: Bool,
        by deed: ProjectionDeed
    ) async throws(RebuildError) -> Int64? {
        let projection = try projection(name)
        let id = organization?.value ?? 0
        return try await doing { () async throws in
            let (fact, _) = try await noted(deed) {
                let blockage = try await runner.pool.with { connection throws(PostgresError) in
                    try connection.blockage(of: id, in: projection)
                }
                guard let blocked = blockage?.from else { throw RebuildError.notPossible("it is not blocked") }
                return .init(
                    projection: name,
                    verb: skipping ? "skip" : "retry",
                    organization: organization,
                    position: blocked,
                    reason: deed.reason
                )
            }
            func attempt<P: Projection>(_: P.Type) async throws -> Unblocking {
                let skipped = skipping ? fact.position : nil
                return try await runner.retry(P.self, organization: organization, skipping: skipped)
            }
            // One build after the other, the live one first.
            while true {
                switch try await attempt(projection) {
                case .unblocked: continue
                case .blocked(let position): return position
                case .notBlocked: return nil
                case .outrun: throw RebuildError.notPossible("the log grows too fast; try again")
                }
            }
        }
    }
}
