package import Kernel

/// The log as its writers and readers see it.
///
/// Two implementations pass the same contract suite: Postgres, and memory for tests.
package protocol EventLog: Sendable {
    /// Writes one decision; returns when it is durable.
    ///
    /// - Throws: ``AppendError``; nothing was written then, except that after `unavailable` nobody may know.
    func append(_ request: AppendRequest) async throws(AppendError) -> Appended

    /// The events of one stream with a version above `version`, in order.
    ///
    /// It reads the head, for it is what decisions are made on, and returns when what it read is durable.
    func read(_ stream: StreamName, after version: Int64, limit: Int) async throws(LogError) -> [RecordedEvent]

    /// The events after a position and up to the durable frontier, in order, and how far was looked.
    ///
    /// - Parameters:
    ///   - position: The last position the reader has.
    ///   - through: Nothing above it is read; `nil` means up to the frontier.
    ///   - filter: Which of them are wanted.
    ///   - limit: How many events, at most. A filtered read looks at more positions than that, as many as is cheap, but
    ///     not always at all of them.
    /// - Returns: What was found, and how far was looked; `scannedFrom` is `position + 1`.
    /// - Throws: ``LogError``.
    func read(
        after position: Int64,
        through: Int64?,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage

    /// The last position that is known to survive a crash.
    func frontier() async throws(LogError) -> Int64
}

/// A turn at some work, held for a while.
package struct WorkItem: Sendable, Equatable {
    package var stream: StreamName
    package var kind: String
    package var lane: String
    package var status: String
    package var step: String
    package var target: String
    /// Proves the lease in every append; it only ever grows.
    package var fence: Int64
    package var deadline: Timestamp?
    /// The moment of the claim on the database's clock, by which everything about its time is decided; `nil` when it was
    /// only listed.
    package var claimedAt: Timestamp?

    package init(
        stream: StreamName,
        kind: String,
        lane: String,
        status: String,
        step: String,
        target: String,
        fence: Int64,
        deadline: Timestamp?,
        claimedAt: Timestamp? = nil
    ) {
        self.stream = stream
        self.kind = kind
        self.lane = lane
        self.status = status
        self.step = step
        self.target = target
        self.fence = fence
        self.deadline = deadline
        self.claimedAt = claimedAt
    }
}

/// Work that one process at a time may do; claiming is also how the work of a dead process is taken over.
package protocol WorkQueue: Sendable {
    /// Takes work that is due or whose lease ran out, and raises its fence.
    ///
    /// `queued` work whose lane is free is taken too, and becomes `running`.
    func claim(kinds: [String], owner: String, limit: Int, lease: Duration) async throws(LogError) -> [WorkItem]

    /// Holds on to work for longer.
    ///
    /// - Returns: `false` when the lease is gone.
    func renew(_ item: WorkItem, lease: Duration) async throws(LogError) -> Bool

    /// Holds on to many leases for longer, at once.
    ///
    /// - Returns: Those that are gone.
    func renew(_ items: [WorkItem], lease: Duration) async throws(LogError) -> [WorkItem]

    /// Gives work back, due after a while.
    func release(_ item: WorkItem, after: Duration) async throws(LogError)

    /// The rows in one of these states, whoever holds them, in the order of their streams.
    ///
    /// - Parameters:
    ///   - kinds: `nil` means every kind.
    ///   - statuses: The states wanted.
    /// - Returns: All of them; their leases are not touched.
    /// - Throws: ``LogError``.
    func list(kinds: [String]?, statuses: [String]) async throws(LogError) -> [WorkItem]

    /// What has a lane or waits for it, in the order of the streams; what has ended is not among it.
    func members(ofLane lane: String) async throws(LogError) -> [WorkItem]
}

extension WorkQueue {
    package func renew(_ items: [WorkItem], lease: Duration) async throws(LogError) -> [WorkItem] {
        var gone: [WorkItem] = []
        for item in items where try await !renew(item, lease: lease) { gone.append(item) }
        return gone
    }

    /// Gives work back, due at once.
    package func release(_ item: WorkItem) async throws(LogError) {
        try await release(item, after: .zero)
    }
}
