/// A read model: rows made by folding the log, and nothing else.
///
/// There is no SQL in it and nothing that could cause a side effect; the runner loads the rows that a page touches,
/// folds, and writes them back. Its tables are in `schema/readmodels/<name>.v<shape>.sql`, its line in ``Registry``.
package protocol Projection: Sendable {
    /// What one key holds, stored as one JSON document.
    associatedtype Row: Codable, Equatable, Sendable

    /// Names its tables and its checkpoint. Never reuse one.
    static var name: String { get }

    /// Raised when the rows change shape; the new shape is built beside the old one.
    static var shape: Int { get }

    /// The stored types of the events it reads; others are never decoded for it.
    static var reads: Set<String> { get }

    /// Which row an event belongs to; `nil` when it belongs to none.
    static func key(of entry: Entry) -> String?

    /// Folds one event into its row; setting the row to `nil` deletes it.
    ///
    /// - Throws: When the event cannot be understood: its organization is then blocked for this projection.
    static func fold(into row: inout Row?, _ entry: Entry) throws
}

extension Projection {
    /// The kind of leased work that keeps it fed.
    static var workKind: String { "projection.\(name).v\(shape)" }
}

/// Why a fold cannot go on.
package enum FoldError: Error, Equatable, Sendable {
    /// The event presupposes a row that is not there.
    case missing(key: String)
}
