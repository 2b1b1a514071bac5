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

    fileprivate init(_ settings: ConnectionSettings, lease: ThreadLease) throws(PostgresError) {
        self.lease = lease
        self.session = try Session.open(settings)
    }

    /// Connects, on a thread that then belongs to the connection.
    ///
    /// - Parameters:
    ///   - conninfo: A libpq connection string or URI; TLS is chosen there (`sslmode`, `sslrootcert`, …).
    ///   - role: Who to become after the login (`SET ROLE`).
    ///   - applicationName: What `pg_stat_activity` shows, unless the connection string says otherwise.
    ///   - limits: How long to wait for what.
    /// - Returns: A connection that has a session.
    /// - Throws: ``PostgresError`` of kind `unreachable`, with the SQLSTATE when the server refused the login or role.
    package static func open(
        _ conninfo: String,
        role: String? = nil,
        applicationName: String = "signalbox",
        limits: SessionLimits = SessionLimits()
    ) async throws(PostgresError) -> Connection {
        try await open(
            ConnectionSettings(conninfo: conninfo, role: role, applicationName: applicationName, limits: limits)
        )
    }

    static func open(_ settings: ConnectionSettings) async throws(PostgresError) -> Connection {
        try await Doorstep(lease: ThreadLease()).open(settings)
    }

    /// Runs one statement; its values travel in binary, both ways.
    ///
    /// When the task is cancelled the statement is too, on the server.
    ///
    /// - Parameters:
    ///   - sql: The statement.
    ///   - prepared: Whether to have the server parse it only once per session; for texts that come again and again.
    /// - Returns: What the server answered.
    /// - Throws: ``PostgresError``; the session stays usable unless its kind is `lost`.
    @discardableResult
    package func run(_ sql: SQL, prepared: Bool = false) throws(PostgresError) -> Rows {
        try withSession { session throws(PostgresError) in
            prepared ? try session.runPrepared(sql) : try session.run(sql)
        }
    }

    /// Runs a text of many statements that take nothing and whose answers do not matter.
    package func script(_ text: String) throws(PostgresError) {
        _ = try withSession { session throws(PostgresError) in try session.script(text) }
    }

    /// Has the server parse a statement once, to be run by its name.
    package func prepare(_ statement: String, as text: String) throws(PostgresError) {
        try withSession { session throws(PostgresError) in try session.prepare(statement, as: text) }
    }

    /// Runs a prepared statement.
    ///
    /// - Parameters:
    ///   - statement: The name it was prepared under.
    ///   - parameters: Its values.
    ///   - whenSent: Called when it was handed to the socket and nothing was heard yet.
    /// - Returns: What the server answered.
    /// - Throws: ``PostgresError``, as for any statement.
    package func execute(
        _ statement: String,
        _ parameters: Parameters = Parameters(),
        whenSent: () -> Void = {}
    ) throws(PostgresError) -> Rows {
        try withSession { session throws(PostgresError) in
            try session.execute(statement, parameters, whenSent: whenSent)
        }
    }

    /// Changes how long each statement from now on may take; `nil` for as long as it likes.
    package func limit(statement limit: Duration?) throws(PostgresError) {
        try withSession { session throws(PostgresError) in try session.limit(statement: limit) }
    }

    /// Ends the session; what was not committed is rolled back.
    package func close() {
        session = nil
    }

    /// How long a statement may take; `nil` for as long as it likes.
    package var statementLimit: Duration? { session?.statementLimit }

    /// Whether there is a session as far as this side knows.
    package var isOpen: Bool { session != nil }

    /// Runs `body` with the session, and drops the session once it is lost.
    func withSession<Value: ~Copyable>(_ body: (Session) throws(PostgresError) -> Value) throws(PostgresError) -> Value
    {
        guard let session else { throw PostgresError(.lost, message: "closed") }
        do {
            return try body(session)
        } catch {
            if error.kind == .lost { self.session = nil }
            throw error
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

    func open(_ settings: ConnectionSettings) throws(PostgresError) -> Connection {
        try Connection(settings, lease: lease)
    }
}
