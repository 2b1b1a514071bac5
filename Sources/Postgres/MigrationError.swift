/// Why a schema was not migrated.
package enum MigrationError: Error, Equatable, Sendable {
    /// A migration was edited after it had been applied; nothing was done.
    case changed(String)
    /// The database has a migration that this binary does not know, so it is newer than the binary; nothing was done.
    case unknown(String)
    /// A migration that was never applied comes before one that was; nothing was done.
    case outOfOrder(String, before: String)
    /// Two scripts have the same name; nothing was done.
    case twice(String)
    /// Another migrator is at work and did not finish in time; nothing was done.
    case locked
    /// The server refused a script; what came before it was applied.
    case failed(String, PostgresError)
    /// The database did not play along; what was applied before stays.
    case database(PostgresError)
}

extension MigrationError: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        switch self {
        case .changed(let name): "\(name) was changed after it had been applied"
        case .unknown(let name): "the database has \(name), which this binary does not know: it is too old for it"
        case .outOfOrder(let name, let later): "\(name) was never applied, but comes before \(later), which was"
        case .twice(let name): "there are two scripts called \(name)"
        case .locked: "another migration is still running"
        case .failed(let name, let error): "\(name): \(error)"
        case .database(let error): "\(error)"
        }
    }

    package var debugDescription: String {
        switch self {
        case .failed(let name, let error): "\(name): \(error.debugDescription)"
        case .database(let error): error.debugDescription
        default: description
        }
    }
}
