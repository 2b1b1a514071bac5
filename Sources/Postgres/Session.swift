internal import CLibPQ
internal import Kernel

/// How long a session waits for what.
package struct SessionLimits: Sendable, Equatable {
    /// For a session to be made, whatever number of hosts the connection string names.
    package var connect: Duration
    /// For one statement, enforced by the server; `nil` for no limit.
    package var statement: Duration?
    /// Between two statements of a transaction, enforced by the server; `nil` for no limit.
    package var idleInTransaction: Duration?
    /// How long past ``statement`` the server's own verdict is waited for before the session counts as lost.
    package var grace: Duration

    package init(
        connect: Duration = .seconds(5),
        statement: Duration? = .seconds(30),
        idleInTransaction: Duration? = .seconds(60),
        grace: Duration = .seconds(5)
    ) {
        self.connect = connect
        self.statement = statement
        self.idleInTransaction = idleInTransaction
        self.grace = grace
    }
}

/// The only owner of a `PGconn`; closes it exactly once.
///
/// libpq runs non-blocking here, so that every wait has an end: a deadline, or the cancellation of the task that waits.
/// Unchecked: only the connection's thread touches it.
final class Session: @unchecked Sendable {
    /// How often a wait looks whether its task was cancelled; the price is ten wake-ups a second while waiting.
    private static let tick = Duration.milliseconds(100)
    /// How long the server may take to confirm that it cancelled a statement.
    private static let cancelGrace = Duration.seconds(2)

    let raw: OpaquePointer
    let limits: SessionLimits
    /// The server-side limit now in force; the client's own is this and the grace.
    private(set) var statementLimit: Duration?
    /// Whether the end of the task ends what it waits for; not while something must be put in order.
    var heedsCancellation = true
    /// The names of statements prepared on demand, by their text.
    private var prepared: [String: String] = [:]

    /// Whether the server announced the end of the session while nothing was under way.
    private let goodBye = UnsafeMutablePointer<Bool>.allocate(capacity: 1)

    init(owning raw: OpaquePointer, limits: SessionLimits) {
        self.raw = raw
        self.limits = limits
        goodBye.initialize(to: false)
        PQsetNoticeReceiver(raw, hear_notice, goodBye)
    }

    deinit {
        PQfinish(raw)
        goodBye.deallocate()
    }

    // MARK: Statements

    func run(_ sql: SQL) throws(PostgresError) -> Rows {
        try answer {
            sql.parameters.withPointers { count, types, values, lengths, formats in
                PQsendQueryParams(raw, sql.text, count, types, values, lengths, formats, 1)
            }
        }
    }

    /// Prepares the text the first time it is seen, and runs it by name from then on.
    func runPrepared(_ sql: SQL) throws(PostgresError) -> Rows {
        let name: String
        if let known = prepared[sql.text] {
            name = known
        } else {
            name = "s\(prepared.count)"
            let types = sql.parameters.oids
            _ = try answer { PQsendPrepare(raw, name, sql.text, Int32(types.count), types) }
            prepared[sql.text] = name
        }
        return try execute(name, sql.parameters)
    }

    func script(_ text: String, cancellable: Bool = true) throws(PostgresError) -> Rows {
        try answer(cancellable: cancellable) { PQsendQuery(raw, text) }
    }

    func prepare(_ statement: String, as text: String) throws(PostgresError) {
        _ = try answer { PQsendPrepare(raw, statement, text, 0, nil) }
    }

    func execute(
        _ statement: String,
        _ parameters: Parameters,
        whenSent: () -> Void = {}
    ) throws(PostgresError) -> Rows {
        try begin(cancellable: true) {
            parameters.withPointers { count, _, values, lengths, formats in
                PQsendQueryPrepared(raw, statement, count, values, lengths, formats, 1)
            }
        }
        whenSent()
        return try finish(cancellable: true)
    }

    /// Changes how long statements may take, on both sides.
    func limit(statement limit: Duration?) throws(PostgresError) {
        _ = try script("SET statement_timeout = \(limit?.milliseconds ?? 0)")
        statementLimit = limit
    }

    /// Whether a transaction was begun and not ended.
    var isInTransaction: Bool {
        switch PQtransactionStatus(raw) {
        case PQTRANS_INTRANS, PQTRANS_INERROR: true
        default: false
        }
    }

    /// Whether the next statement can be sent and would stand alone; sees a server that hung up, without asking it.
    var isFresh: Bool {
        guard PQtransactionStatus(raw) == PQTRANS_IDLE else { return false }
        // An idle server has nothing to say but good-bye, a changed setting or a notification.
        while ready(Int16(POLLIN), within: .zero) != 0 {
            guard PQconsumeInput(raw) == 1, PQstatus(raw) == CONNECTION_OK else { return false }
            // Has libpq look at what was read.
            _ = PQisBusy(raw)
        }
        return !goodBye.pointee
    }

    // MARK: The conversation

    /// Sends one request and takes all that the server answers to it: the last result, or the first refusal.
    func answer(cancellable: Bool = true, _ send: () -> Int32) throws(PostgresError) -> Rows {
        try begin(cancellable: cancellable, send)
        return try finish(cancellable: cancellable)
    }

    /// Hands one request to libpq.
    ///
    /// - Throws: ``PostgresError`` of kind `cancelled` when the task was cancelled before, else as for any statement.
    func begin(cancellable: Bool, _ send: () -> Int32) throws(PostgresError) {
        if cancellable && heedsCancellation && Task.isCancelled {
            throw PostgresError(.cancelled, message: "cancelled before it was sent")
        }
        guard send() == 1 else {
            // libpq refuses what can never be sent (too many parameters) and leaves the session as it was.
            throw PQstatus(raw) == CONNECTION_OK ? PostgresError(.shape, message: words) : lost
        }
    }

    func finish(cancellable: Bool) throws(PostgresError) -> Rows {
        var patience = Patience(
            limit: statementLimit.map { $0 + limits.grace },
            whenCancelled: cancellable && heedsCancellation ? .tellServer : .goOn
        )
        var last: Rows?
        var refusal: PostgresError?
        while let rows = try next(&patience) {
            let status = rows.status
            switch status {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                last = .some(rows)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // Nobody would ever end it; only the copying functions may start one.
                throw PostgresError(.lost, message: "a COPY was run as a statement")
            default:
                refusal = refusal ?? rows.refusal
            }
        }
        if let refusal {
            throw PQstatus(raw) == CONNECTION_OK || refusal.kind == .lost ? refusal : lost
        }
        guard let last else { throw lost }
        return last
    }

    /// The next result of the request under way; `nil` after the last one.
    func next(_ patience: inout Patience) throws(PostgresError) -> Rows? {
        try flush(&patience)
        while PQisBusy(raw) == 1 {
            try wait(Int16(POLLIN), &patience)
            guard PQconsumeInput(raw) == 1 else {
                // What arrived before the end may hold the server's reason; libpq makes a result of it.
                guard PQisBusy(raw) == 0 else { throw lost }
                break
            }
        }
        return PQgetResult(raw).map { Rows(owning: $0) }
    }

    /// Sends what libpq still holds; reads meanwhile, for a server that waits for us to read would never take the rest.
    func flush(_ patience: inout Patience) throws(PostgresError) {
        while true {
            switch PQflush(raw) {
            case 0: return
            case 1:
                let events = try wait(Int16(POLLIN | POLLOUT), &patience)
                if events & Int16(POLLIN) != 0, PQconsumeInput(raw) != 1 { throw lost }
            default:
                // The server may have said why before it hung up: the reader finds out.
                return
            }
        }
    }

    /// Waits until the socket is ready, the deadline passes, or the task's cancellation was told to the server and it
    /// does not react.
    @discardableResult
    func wait(_ events: Int16, _ patience: inout Patience) throws(PostgresError) -> Int16 {
        while true {
            let now = ContinuousClock.now
            if patience.whenCancelled != .goOn, Task.isCancelled {
                guard patience.whenCancelled == .tellServer else {
                    throw PostgresError(.cancelled, message: "cancelled while waiting")
                }
                stop(&patience)
            }
            var span = patience.whenCancelled == .goOn ? Duration.seconds(3600) : Self.tick
            if let deadline = patience.deadline {
                guard now < deadline else { throw PostgresError(.lost, message: "no answer in time") }
                span = min(span, deadline - now)
            }
            let got = ready(events, within: span)
            if got != 0 { return got }
        }
    }

    /// Polls the socket once; 0 when the time is over.
    private func ready(_ events: Int16, within span: Duration) -> Int16 {
        var handle = pollfd(fd: PQsocket(raw), events: events, revents: 0)
        // Rounded up, so that a wait never becomes a spin.
        let milliseconds = Int32(clamping: span == .zero ? 0 : span.milliseconds + 1)
        return poll(&handle, 1, milliseconds) > 0 ? handle.revents : 0
    }

    /// Asks the server, over a connection of its own, to give up the statement under way, and bounds the wait for it.
    ///
    /// Blocks this thread, no longer than `tcp_user_timeout`, which libpq copies from the session.
    func stop(_ patience: inout Patience) {
        let end = ContinuousClock.now + Self.cancelGrace
        patience.whenCancelled = .goOn
        patience.deadline = min(patience.deadline ?? end, end)
        guard let handle = PQgetCancel(raw) else { return }
        defer { PQfreeCancel(handle) }
        var reason = [CChar](repeating: 0, count: 256)
        // If it did not get through, the wait that follows ends the session.
        _ = PQcancel(handle, &reason, Int32(reason.count))
    }

    var words: String { String(cString: PQerrorMessage(raw)) }

    var lost: PostgresError { PostgresError(.lost, message: words) }
}

/// How long one request may take.
struct Patience {
    /// What the end of the task that waits means.
    enum WhenCancelled {
        /// The statement ends too, on the server.
        case tellServer
        /// The wait ends; nothing was asked of the server.
        case giveUp
        /// Nothing: the statement must come to its end.
        case goOn
    }

    var deadline: ContinuousClock.Instant?
    var whenCancelled: WhenCancelled

    init(limit: Duration?, whenCancelled: WhenCancelled) {
        deadline = limit.map { ContinuousClock.now + $0 }
        self.whenCancelled = whenCancelled
    }
}
