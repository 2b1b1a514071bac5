package import Postgres

/// Why nothing, or not all, was archived; what was under way is completed by the next run.
package enum ArchiveError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was asked for may not be done now.
    case refused(String)
    /// A file cannot be written, is missing or is damaged.
    case file(SegmentError)
    case database(PostgresError)

    package var description: String {
        switch self {
        case .refused(let text): text
        case .file(let error): error.description
        case .database(let error): error.description
        }
    }

    /// Runs what may fail because of a file.
    static func filing<Value>(_ body: () throws(SegmentError) -> Value) throws(ArchiveError) -> Value {
        do throws(SegmentError) { return try body() } catch { throw .file(error) }
    }

    /// Runs what may fail because of the database.
    static func asking<Value>(_ body: () throws(PostgresError) -> Value) throws(ArchiveError) -> Value {
        do throws(PostgresError) { return try body() } catch { throw .database(error) }
    }
}
