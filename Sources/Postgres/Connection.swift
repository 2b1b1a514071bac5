internal import CLibPQ

/// One session, pinned to a thread of its own.
///
/// libpq blocks, so it never runs on Swift's cooperative pool. What runs `isolated` to a connection is synchronous on
/// this thread: one hop in, one hop out. A closed connection answers every call with `lost`.
package actor Connection {
    private let lease: ThreadLease
    private var session: Session?

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        lease.thread.asUnownedSerialExecutor()
    }

    fileprivate init(_ conninfo: String, lease: ThreadLease) throws(PostgresError) {
        self.lease = lease
        self.session = try Session.open(conninfo)
    }

    /// Connects, on a thread that then belongs to the connection.
    ///
    /// - Parameter conninfo: A libpq connection string or URI; TLS is chosen there (`sslmode`, `sslrootcert`, …).
    /// - Throws: ``PostgresError`` of kind `unreachable`.
    package static func open(_ conninfo: String) async throws(PostgresError) -> Connection {
        try await Doorstep(lease: ThreadLease()).open(conninfo)
    }

    /// Runs one statement; its values travel in binary, both ways.
    ///
    /// - Throws: ``PostgresError``; the session stays usable unless its kind is `lost`.
    @discardableResult
    package func run(_ sql: SQL) throws(PostgresError) -> Rows {
        try open.run(sql)
    }

    /// Runs a text of many statements that take nothing and whose answers do not matter.
    package func script(_ text: String) throws(PostgresError) {
        try open.script(text)
    }

    /// Has the server parse a statement once, to be run by its name.
    package func prepare(_ statement: String, as text: String) throws(PostgresError) {
        try open.prepare(statement, as: text)
    }

    /// Runs a prepared statement.
    package func execute(_ statement: String, _ parameters: Parameters = Parameters()) throws(PostgresError) -> Rows {
        try open.execute(statement, parameters)
    }

    /// Runs `body` between `BEGIN` and `COMMIT` at READ COMMITTED; rolls back when it throws.
    ///
    /// - Throws: What `body` throws; `lost` when nobody knows whether the commit happened.
    package func transaction<Value: Sendable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        try script("BEGIN")
        do {
            let value = try body(self)
            try script("COMMIT")
            return value
        } catch {
            // A rollback that fails means the session is gone, which the next statement will say.
            try? script("ROLLBACK")
            throw error
        }
    }

    /// Ends the session; what was not committed is rolled back.
    package func close() {
        session = nil
    }

    private var open: Session {
        get throws(PostgresError) {
            guard let session else { throw PostgresError(.lost, message: "closed") }
            return session
        }
    }
}

/// Where a connection is opened: already on its thread, because opening blocks too.
private actor Doorstep {
    private let lease: ThreadLease

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        lease.thread.asUnownedSerialExecutor()
    }

    init(lease: ThreadLease) {
        self.lease = lease
    }

    func open(_ conninfo: String) throws(PostgresError) -> Connection {
        try Connection(conninfo, lease: lease)
    }
}

/// The only owner of a `PGconn`; closes it exactly once.
///
/// Unchecked: only the connection's thread touches it.
private final class Session: @unchecked Sendable {
    private let raw: OpaquePointer

    private init(owning raw: OpaquePointer) {
        self.raw = raw
    }

    static func open(_ conninfo: String) throws(PostgresError) -> Session {
        guard let raw = PQconnectdb(conninfo) else { throw PostgresError(.unreachable, message: "out of memory") }
        let session = Session(owning: raw)
        guard PQstatus(raw) == CONNECTION_OK else {
            throw PostgresError(.unreachable, message: String(cString: PQerrorMessage(raw)))
        }
        PQsetNoticeReceiver(raw, ignore_notice, nil)
        return session
    }

    deinit {
        PQfinish(raw)
    }

    func run(_ sql: SQL) throws(PostgresError) -> Rows {
        let result = sql.parameters.withPointers { count, types, values, lengths, formats in
            PQexecParams(raw, sql.text, count, types, values, lengths, formats, 1)
        }
        return try answer(result)
    }

    func script(_ text: String) throws(PostgresError) {
        _ = try answer(PQexec(raw, text))
    }

    func prepare(_ statement: String, as text: String) throws(PostgresError) {
        _ = try answer(PQprepare(raw, statement, text, 0, nil))
    }

    func execute(_ statement: String, _ parameters: Parameters) throws(PostgresError) -> Rows {
        let result = parameters.withPointers { count, _, values, lengths, formats in
            PQexecPrepared(raw, statement, count, values, lengths, formats, 1)
        }
        return try answer(result)
    }

    private func answer(_ result: OpaquePointer?) throws(PostgresError) -> Rows {
        guard let result else { throw PostgresError(.lost, message: String(cString: PQerrorMessage(raw))) }
        let rows = Rows(owning: result)
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            return rows
        default:
            guard PQstatus(raw) == CONNECTION_OK else {
                throw PostgresError(.lost, message: String(cString: PQerrorMessage(raw)))
            }
            throw rows.refusal
        }
    }
}
