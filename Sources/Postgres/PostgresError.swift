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
