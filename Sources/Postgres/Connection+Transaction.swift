/// How a transaction sees others.
package enum Isolation: String, Sendable {
    /// Each statement sees what was committed before it began.
    case readCommitted = "READ COMMITTED"
    /// All statements see one moment; nothing is written.
    case snapshot = "REPEATABLE READ, READ ONLY"
    /// As `snapshot`, and writes; retry on ``PostgresError/isRetryable``.
    case repeatable = "REPEATABLE READ"
    /// As if there were no others; retry on ``PostgresError/isRetryable``.
    case serializable = "SERIALIZABLE"
}

extension Connection {
    /// Runs `body` between `BEGIN` and `COMMIT`; rolls back when it throws.
    ///
    /// Cancelling the task ends the statement under way, but never a `COMMIT` that was sent.
    ///
    /// - Parameters:
    ///   - isolation: How it sees others.
    ///   - body: What happens in it; synchronous on the connection's thread.
    /// - Returns: What `body` returns, once it is committed.
    /// - Throws: What `body` throws; `lost` when nobody knows whether the commit happened.
    package func transaction<Value: Sendable>(
        _ isolation: Isolation = .readCommitted,
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        try script("BEGIN ISOLATION LEVEL \(isolation.rawValue)")
        do throws(PostgresError) {
            let value = try body(self)
            if Task.isCancelled, try heedsCancellation() {
                throw PostgresError(.cancelled, message: "cancelled before the commit")
            }
            try commit()
            return value
        } catch {
            rollback()
            throw error
        }
    }

    private func heedsCancellation() throws(PostgresError) -> Bool {
        try withSession { session throws(PostgresError) in session.heedsCancellation }
    }

    func commit() throws(PostgresError) {
        let rows = try withSession { session throws(PostgresError) in try session.script("COMMIT", cancellable: false) }
        // A body that swallowed a refusal left a failed transaction, and to that a COMMIT answers ROLLBACK.
        guard rows.command == "COMMIT" else {
            throw PostgresError(.refused, code: "25P02", message: "a statement of the transaction had failed")
        }
    }

    /// Leaves a transaction, even for a cancelled task.
    func rollback() {
        // A rollback that fails means the session is gone, which the next statement will say.
        try? withSession { session throws(PostgresError) in
            guard session.isInTransaction else { return }
            _ = try session.script("ROLLBACK", cancellable: false)
        }
    }

    /// What became of a body that a pool lent this connection to.
    enum Use<Value: Sendable>: Sendable {
        /// The session had gone before anything was sent.
        case stale
        /// It ran; the connection may be lent again, or not.
        case ran(Result<Value, PostgresError>, reusable: Bool)
    }

    /// Runs `body` if the session is still there, and makes sure that no transaction is left open.
    func use<Value: Sendable>(
        heedingCancellation heeds: Bool,
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) -> Use<Value> {
        guard isFresh else {
            close()
            return .stale
        }
        let outcome: Result<Value, PostgresError>
        do throws(PostgresError) {
            try withSession { session throws(PostgresError) in session.heedsCancellation = heeds }
            outcome = .success(try body(self))
        } catch {
            outcome = .failure(error)
        }
        rollback()
        return .ran(outcome, reusable: isFresh)
    }

    private var isFresh: Bool {
        // The only error would be that there is none.
        (try? withSession { session throws(PostgresError) in session.isFresh }) ?? false
    }
}
