internal import CLibPQ
internal import Kernel

extension Session {
    /// What every session starts with unless the connection string says otherwise.
    ///
    /// The keep-alives find a vanished peer in about a minute while nothing is under way; `tcp_user_timeout` (ms) bounds
    /// how long sent data may stay unacknowledged.
    private static let defaults = [
        "client_encoding": "UTF8", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
        "tcp_user_timeout": "15000",
    ]

    /// Connects, within the limit.
    static func open(_ settings: ConnectionSettings) throws(PostgresError) -> Session {
        var options = try parse(settings.conninfo)
        let fallbacks = defaults.merging(["application_name": settings.applicationName]) { $1 }
        options.merge(fallbacks) { told, _ in told }
        let session = try start(options, limits: settings.limits)
        session.heedsCancellation = settings.heedsCancellation
        // Verbose while connecting: the only way to learn the SQLSTATE of a refused login from libpq 15.
        PQsetErrorVerbosity(session.raw, PQERRORS_VERBOSE)
        try session.connect()
        PQsetErrorVerbosity(session.raw, PQERRORS_DEFAULT)
        PQsetnonblocking(session.raw, 1)
        try session.prepareForUse(role: settings.role)
        return session
    }

    private static func start(_ options: [String: String], limits: SessionLimits) throws(PostgresError) -> Session {
        let pairs = options.sorted { $0.key < $1.key }
        var keywords: [UnsafePointer<CChar>?] = pairs.map { duplicate_text($0.key) } + [nil]
        var values: [UnsafePointer<CChar>?] = pairs.map { duplicate_text($0.value) } + [nil]
        defer { for text in keywords + values { free_text(text) } }
        guard let raw = PQconnectStartParams(&keywords, &values, 0) else {
            throw PostgresError(.unreachable, message: "out of memory")
        }
        return Session(owning: raw, limits: limits)
    }

    private func connect() throws(PostgresError) {
        var patience = Patience(limit: limits.connect, whenCancelled: heedsCancellation ? .giveUp : .goOn)
        guard PQstatus(raw) != CONNECTION_BAD else { throw unreachable }
        var wanted = Int16(POLLOUT)
        while true {
            do throws(PostgresError) {
                try wait(wanted, &patience)
            } catch  where error.kind == .lost {
                throw PostgresError(.unreachable, message: error.message)
            }
            switch PQconnectPoll(raw) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: wanted = Int16(POLLIN)
            case PGRES_POLLING_WRITING: wanted = Int16(POLLOUT)
            default: throw unreachable
            }
        }
    }

    private func prepareForUse(role: String?) throws(PostgresError) {
        do throws(PostgresError) {
            var text = "SET idle_in_transaction_session_timeout = \(limits.idleInTransaction?.milliseconds ?? 0)"
            if let role { text += "; SET ROLE \(SQL.quoted(identifier: role))" }
            _ = try script(text)
            try limit(statement: limits.statement)
        } catch  where error.kind == .refused {
            throw PostgresError(.unreachable, code: error.code, message: error.message)
        }
    }

    /// Splits a connection string or URI into its options.
    static func parse(_ conninfo: String) throws(PostgresError) -> [String: String] {
        var reason: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(conninfo, &reason) else {
            defer { PQfreemem(reason) }
            // libpq's words quote the string, which may hold a password: not even for the log.
            throw PostgresError(.unreachable, message: "malformed connection string")
        }
        defer { PQconninfoFree(parsed) }
        var options: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return options
    }

    /// Why no session came about, with the SQLSTATE out of the verbose text (`FATAL:  28P01: password …`).
    private var unreachable: PostgresError {
        let words = words
        var code = ""
        for line in words.split(separator: "\n") {
            let parts = line.split(separator: ":").map { $0.drop { $0 == " " } }
            guard let severity = parts.firstIndex(where: { $0.hasSuffix("FATAL") || $0.hasSuffix("ERROR") }),
                severity + 1 < parts.count, parts[severity + 1].utf8.count == 5
            else { continue }
            code = String(parts[severity + 1])
        }
        return PostgresError(.unreachable, code: code, message: words)
    }
}

/// Everything that decides what session one gets.
struct ConnectionSettings: Sendable {
    var conninfo: String
    var role: String?
    var applicationName: String
    var limits: SessionLimits
    /// Whether the end of the task ends the attempt.
    var heedsCancellation = true
}
