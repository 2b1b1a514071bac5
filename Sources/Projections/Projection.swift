package import EventStore

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

    /// Whether a row may be made of events of several organizations: everything is fed by one slice then.
    static var isShared: Bool { get }

    /// Whether it looks at the envelope of an event alone: what an erased event said, or one that nobody can read, is all
    /// the same to it.
    static var readsEnvelopes: Bool { get }

    /// The fields of a row that are never shown to anybody.
    static var secrets: Set<String> { get }

    /// What makes its tables; `nil` when nothing is embedded for it.
    static var file: Schema.File? { get }

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

    package static var file: Schema.File? { Schema.readModel(name, shape: shape) }
    package static var isShared: Bool { false }
    package static var readsEnvelopes: Bool { false }

    package static var secrets: Set<String> { [] }

    /// Which slice of a build what belongs to an organization is fed by; 0 stands for none.
    package static func slice(of organization: Int64, among count: Int) -> Int {
        isShared ? 0 : Slicing.slice(of: organization, among: count)
    }
}

/// Why a fold cannot go on.
package enum FoldError: Error, Equatable, Sendable {
    /// The event presupposes a row that is not there.
    case missing(key: String)
}
