internal import Kernel
internal import Metrics
internal import Synchronization

/// A bounded set of connections, lent one at a time.
///
/// A connection whose session is gone is replaced before it is lent, so that nothing notices a restart of the server but
/// the statements that were under way. Whoever finds all lent waits in line, and not for ever.
package final class Pool: Sendable {
    private let settings: ConnectionSettings
    private let waitLimit: Duration
    private let state: Mutex<State>
    /// How long each borrower waited, made a connection or not.
    private let waited: Timer

    /// A pool that connects when first needed.
    ///
    /// - Parameters:
    ///   - conninfo: A libpq connection string or URI; TLS is chosen there.
    ///   - size: How many connections there may be.
    ///   - role: Who each connection becomes after the login (`SET ROLE`).
    ///   - applicationName: What `pg_stat_activity` shows.
    ///   - waitLimit: How long to wait for a free connection; then `busy`.
    ///   - limits: How long a connection waits for what.
    package init(
        conninfo: String,
        size: Int,
        role: String? = nil,
        applicationName: String = "signalbox",
        waitLimit: Duration = .seconds(5),
        limits: SessionLimits = SessionLimits()
    ) {
        precondition(size > 0, "a pool without connections")
        settings = ConnectionSettings(conninfo: conninfo, role: role, applicationName: applicationName, limits: limits)
        self.waitLimit = waitLimit
        state = Mutex(State(free: size))
        waited = Timer(
            label: "signalbox_pool_wait_seconds",
            dimensions: [("application", applicationName), ("role", role ?? "")]
        )
    }

    /// Lends a connection to `body`, which runs synchronously on the connection's thread.
    ///
    /// A transaction that `body` leaves open is rolled back.
    ///
    /// - Parameters:
    ///   - evenIfCancelled: Whether it is done for a cancelled task too, as putting things in order must be: a lease is
    ///     given back, a door shut. Waiting for a free connection then has no limit but that of the others' statements.
    ///   - body: What uses the connection; it is run at most once.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; `busy` when no connection became free in time, `unreachable` when none could be
    ///   made, `cancelled`: then nothing was sent.
    package func with<Value: Sendable>(
        evenIfCancelled: Bool = false,
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        var settings = settings
        settings.heedsCancellation = !evenIfCancelled
        var loan = try await borrow(evenIfCancelled: evenIfCancelled)
        while true {
            let connection: Connection
            switch loan {
            case .connection(let idle):
                connection = idle
            case .permit:
                do throws(PostgresError) {
                    connection = try await Connection.open(settings)
                } catch {
                    give(back: .permit)
                    throw error
                }
            }
            switch await connection.use(heedingCancellation: !evenIfCancelled, body) {
            case .stale:
                loan = .permit
            case .ran(let outcome, let reusable):
                if reusable {
                    give(back: .connection(connection))
                } else {
                    await connection.close()
                    give(back: .permit)
                }
                return try outcome.get()
            }
        }
    }

    /// Runs `body` in a transaction on a connection of the pool; see ``Connection/transaction(_:_:)``.
    ///
    /// - Parameters:
    ///   - isolation: How it sees others.
    ///   - body: What happens in it.
    /// - Returns: What `body` returns, once it is committed.
    /// - Throws: As ``with(_:)``; `lost` when nobody knows whether the commit happened.
    package func transaction<Value: Sendable>(
        _ isolation: Isolation = .readCommitted,
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await with { connection throws(PostgresError) in try connection.transaction(isolation, body) }
    }

    /// Closes every connection that is not lent, and the others when they come back; who waits or comes later is
    /// answered `busy`.
    package func close() async {
        let (idle, waiting) = state.withLock { $0.close() }
        for waiter in waiting { waiter.resume(returning: .failure(Self.closed)) }
        for connection in idle { await connection.close() }
    }

    // MARK: Lending

    /// What one gets: a connection, or the right to make one.
    private enum Loan: Sendable {
        case connection(Connection)
        case permit
    }

    private typealias Waiter = CheckedContinuation<Result<Loan, PostgresError>, Never>

    private static let closed = PostgresError(.busy, message: "the pool is closed")

    private func borrow(evenIfCancelled: Bool) async throws(PostgresError) -> Loan {
        if Task.isCancelled, !evenIfCancelled {
            throw PostgresError(.cancelled, message: "cancelled before it was sent")
        }
        if let outcome = state.withLock({ $0.take() }) {
            waited.recordNanoseconds(0)
            return try outcome.get()
        }
        let start = ContinuousClock.now
        let outcome = await wait(evenIfCancelled: evenIfCancelled)
        waited.recordMicroseconds((ContinuousClock.now - start).microseconds)
        return try outcome.get()
    }

    private func wait(evenIfCancelled: Bool) async -> Result<Loan, PostgresError> {
        let ticket = state.withLock { $0.ticket() }
        let outcome: Result<Loan, PostgresError> = await withTaskGroup { group in
            group.addTask {
                // Cancelled when the wait is over, and then there is nobody to turn away.
                do { try await Task.sleep(for: self.waitLimit) } catch { return }
                self.turnAway(ticket, because: PostgresError(.busy, message: "no free connection"))
            }
            let outcome = await withTaskCancellationHandler {
                await withCheckedContinuation { waiter in
                    let now = self.state.withLock { $0.line(up: waiter, ticket) }
                    if let now { waiter.resume(returning: now) }
                }
            } onCancel: {
                guard !evenIfCancelled else { return }
                self.turnAway(ticket, because: PostgresError(.cancelled, message: "cancelled before it was sent"))
            }
            group.cancelAll()
            return outcome
        }
        return outcome
    }

    private func turnAway(_ ticket: Int, because error: PostgresError) {
        state.withLock { $0.turnAway(ticket, because: error) }?.resume(returning: .failure(error))
    }

    private func give(back loan: Loan) {
        let (waiter, rest) = state.withLock { $0.give(back: loan) }
        waiter?.resume(returning: .success(loan))
        // Dropping the last reference ends the session, outside the lock.
        _ = rest
    }

    private struct State {
        /// How many more connections may be made.
        var free: Int
        /// The last used first: the others may rest.
        var idle: [Connection] = []
        /// In the order they came.
        var waiting: [(ticket: Int, waiter: Waiter)] = []
        /// Who is about to line up, and why they were turned away before they had.
        var coming: Set<Int> = []
        var turnedAway: [Int: PostgresError] = [:]
        var tickets = 0
        var isClosed = false

        mutating func take() -> Result<Loan, PostgresError>? {
            if isClosed { return .failure(Pool.closed) }
            if let connection = idle.popLast() { return .success(.connection(connection)) }
            guard free > 0 else { return nil }
            free -= 1
            return .success(.permit)
        }

        mutating func ticket() -> Int {
            tickets += 1
            coming.insert(tickets)
            return tickets
        }

        /// Lines up, unless something came free, or the wait is over, meanwhile.
        mutating func line(up waiter: Waiter, _ ticket: Int) -> Result<Loan, PostgresError>? {
            coming.remove(ticket)
            if let error = turnedAway.removeValue(forKey: ticket) { return .failure(error) }
            if let outcome = take() { return outcome }
            waiting.append((ticket, waiter))
            return nil
        }

        mutating func turnAway(_ ticket: Int, because error: PostgresError) -> Waiter? {
            if coming.contains(ticket) { turnedAway[ticket] = error }
            // In neither place: the wait is over.
            return waiting.firstIndex { $0.ticket == ticket }.map { waiting.remove(at: $0).waiter }
        }

        mutating func give(back loan: Loan) -> (waiter: Waiter?, rest: Connection?) {
            if !waiting.isEmpty { return (waiting.removeFirst().waiter, nil) }
            switch loan {
            case .permit:
                free += 1
            case .connection(let connection):
                if isClosed { return (nil, connection) }
                idle.append(connection)
            }
            return (nil, nil)
        }

        mutating func close() -> (idle: [Connection], waiting: [Waiter]) {
            isClosed = true
            defer {
                idle = []
                waiting = []
            }
            return (idle, waiting.map(\.waiter))
        }
    }
}
