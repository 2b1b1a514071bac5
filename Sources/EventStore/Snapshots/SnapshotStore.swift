/// The folded state of one stream at one of its versions: a short cut past the events before it.
///
/// It holds nothing that the events do not, so it can be thrown away at any time.
package struct Snapshot: Sendable, Equatable {
    /// How many events of the stream it has taken in.
    package var version: Int64
    /// Which form of the state it is; readers of another form do not look at it.
    package var schemaVersion: Int16
    /// The state as JSON.
    package var state: [UInt8]

    package init(version: Int64, schemaVersion: Int16, state: [UInt8]) {
        self.version = version
        self.schemaVersion = schemaVersion
        self.state = state
    }
}

/// Where snapshots are kept, one for a stream.
package protocol SnapshotStore: Sendable {
    /// What is kept for a stream; `nil` when nothing is, or when it is ahead of its stream and therefore wrong.
    func snapshot(of stream: StreamName) async throws(LogError) -> Snapshot?

    /// Keeps a snapshot instead of an older one, or of the same one in an older form.
    ///
    /// Nothing is kept for a stream of which a payload was erased, because the state may hold what was in it.
    ///
    /// - Returns: Whether it was kept.
    @discardableResult
    func keep(_ snapshot: Snapshot, of stream: StreamName) async throws(LogError) -> Bool

    /// Throws away what was found to be wrong; what has taken its place since stays.
    func discard(_ snapshot: Snapshot, of stream: StreamName) async throws(LogError)
}
