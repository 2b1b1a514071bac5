/// What can go wrong between us and Postgres.
///
/// `description` is safe to show anyone; what the server said, which may quote values, is only in
/// `debugDescription`.
package struct PostgresError: Error, Equatable, Sendable {
    /// What the caller may conclude.
    package enum Kind: Sendable, Equatable {
        /// No session was made; nothing was sent.
        case unreachable
        /// The session is gone, and with it the knowledge of what its last statement did.
        case lost
        /// The server said no; the statement did nothing.
        case refused
        /// The statement was cancelled, by us or by a timeout; it did nothing.
        case cancelled
        /// No connection became free in time; nothing was sent.
        case busy
        /// The answer did not have the shape the code expected: a programmer's error.
        case shape
    }

    package let kind: Kind
    /// The five characters of `SQLSTATE`, empty when the server did not speak.
    package let code: String
    /// The server's or libpq's own words; may quote values, so never shown.
    package let message: String
    /// The constraint that was violated, if one was.
    package let constraint: String?

    package init(_ kind: Kind, code: String = "", message: String, constraint: String? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.constraint = constraint
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        switch kind {
        case .unreachable: "the database cannot be reached"
        case .lost: "the connection to the database was lost"
        case .refused: "the database refused the statement (SQLSTATE \(code))"
        case .cancelled: "the statement was cancelled"
        case .busy: "no database connection was free in time"
        case .shape: "the database answered in an unexpected shape"
        }
    }

    package var debugDescription: String {
        "\(kind) \(code) \(message)"
    }
}

extension PostgresError {
    /// What a refusal with this SQLSTATE means for the session (https://www.postgresql.org/docs/15/errcodes-appendix.html).
    static func kind(code: String) -> Kind {
        switch code {
        case "57014": .cancelled
        // The server ends the session after saying so: shutdown, crash of another backend, idle too long.
        case "57P01", "57P02", "57P03", "57P04", "57P05", "25P03": .lost
        case _ where code.hasPrefix("08"): .lost
        default: .refused
        }
    }

    /// A row with this key exists.
    package var isUniqueViolation: Bool { code == "23505" }

    /// The row that is pointed at does not exist, or one that is pointed at would go.
    package var isForeignKeyViolation: Bool { code == "23503" }

    /// A `CHECK` said no.
    package var isCheckViolation: Bool { code == "23514" }

    /// An overlap that an `EXCLUDE` forbids.
    package var isExclusionViolation: Bool { code == "23P01" }

    /// Any constraint said no (class 23).
    package var isConstraintViolation: Bool { code.hasPrefix("23") }

    /// The role may not do this.
    package var isPermissionDenied: Bool { code == "42501" }

    /// There is no such table, schema, database, function, role or column.
    package var isUndefined: Bool { ["42P01", "3F000", "3D000", "42883", "42704", "42703"].contains(code) }

    /// Something of this name exists: table, schema, database, function, role or column.
    package var isDuplicateObject: Bool { ["42P07", "42P06", "42P04", "42723", "42710", "42701"].contains(code) }

    /// A lock was not to be had in time, or at once.
    package var isLockUnavailable: Bool { code == "55P03" }

    /// The same transaction may succeed when it is simply run again: a deadlock, a serialization failure.
    package var isRetryable: Bool { code == "40001" || code == "40P01" }

    /// It is the server's state, not the statement, so that later may be better: unreachable, lost, busy, retryable, or
    /// out of connections, memory or disk (class 53), or shutting down (class 57, but for a cancelled statement).
    package var isTransient: Bool {
        switch kind {
        case .unreachable, .lost, .busy: true
        case .cancelled, .shape: false
        case .refused: isRetryable || isLockUnavailable || code.hasPrefix("53") || code.hasPrefix("57P")
        }
    }
}
