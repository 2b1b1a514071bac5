internal import Kernel
package import Postgres

/// Begins a new incarnation of the log after an incident; record and effect are one transaction.
package struct PostgresIncarnation: Sendable {
    private let pool: Pool

    /// Works as the owner of the log.
    package init(pool: Pool) {
        self.pool = pool
    }

    /// Begins it.
    ///
    /// - Parameters:
    ///   - epoch: Its number, more than that of the present one.
    ///   - request: The event that records it.
    /// - Returns: Where the record landed; `nil` when an incarnation with this number, or a later one, has begun.
    /// - Throws: ``AppendError``; nothing was changed then.
    package func begin(_ epoch: Int, recording request: AppendRequest) async throws(AppendError) -> Appended? {
        if let flaw = request.flaw { throw .invalid(flaw) }
        let answer: Result<Appended, AppendError>?
        do throws(PostgresError) {
            answer = try await pool.transaction { connection throws(PostgresError) -> Result<Appended, AppendError>? in
                let begun = try connection.run("SELECT log.start_epoch(\(Int32(epoch)))").decode(0, Bool.self)
                guard begun else { return nil }
                let answer = try connection.append(request)
                // A refused record takes the new incarnation back.
                if case .failure = answer { throw PostgresError(.refused, message: "the record was refused") }
                return answer
            }
        } catch {
            throw .because(error)
        }
        return try answer?.get()
    }
}
