internal import Platform
internal import Postgres

extension PortError {
    /// What a failure on a tenant cluster means; the server's words stay out of it, they may quote a statement.
    init(tenant error: PostgresError) {
        let code = error.code.isEmpty ? "\(error.kind)" : error.code
        let name = "postgres.\(code)"
        let message = "tenant database: \(error.description)"
        switch error.kind {
        case .lost:
            self = .unknown(code: name, message: message)
        case .busy, .cancelled:
            self = .transient(code: name, message: message)
        case .shape:
            self = .permanent(code: name, message: message)
        case .refused, .unreachable:
            self = Self.refusal(code, name, message, concurrent: error.message.contains("tuple concurrently"))
        }
    }

    private static func refusal(_ code: String, _ name: String, _ message: String, concurrent: Bool) -> PortError {
        switch code {
        // Somebody made the same thing at the same moment (`pg_database_datname_index`), or it is there already.
        case "23505", "42P04", "42710":
            .conflict(code: name, message: message)
        // In use, waited for too long, dependents that are on their way out: somebody else has to be through first.
        case "55006", "55P03", "2BP01", "55000":
            .pending(code: name, message: message)
        // Serialization, deadlock.
        case "40001", "40P01":
            .transient(code: name, message: message)
        // Rights, passwords, a database for our own login that is not there.
        case "42501", "28000", "28P01", "3D000", "0LP01":
            .blocked(code: name, message: message)
        case _ where code.hasPrefix("08") || code.hasPrefix("53") || code.hasPrefix("57P") || code.hasPrefix("58"):
            .transient(code: name, message: message)
        case "XX000" where concurrent:
            .transient(code: name, message: message)
        // A standby, while a failover is under way.
        case "25006":
            .transient(code: name, message: message)
        // No SQLSTATE: the server was not there.
        case "unreachable":
            .transient(code: name, message: message)
        default:
            .permanent(code: name, message: message)
        }
    }
}
