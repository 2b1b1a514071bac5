package import EventStore
package import Kernel
internal import Synchronization

/// A log in memory that keeps the promises of the one in Postgres; the same contract suite runs against both.
///
/// Everything is durable at once and nothing waits, so a test that has a clock of its own runs deterministically.
package final class MemoryLog: EventLog, WorkQueue, LeafDirectory {
    /// Rings when an event was written.
    package let bell = Bell()
    /// Rings when leased work was changed by an append.
    package let workBell = Bell()

    private let now: @Sendable () -> Timestamp
    private let state: Mutex<MemoryState>

    /// An empty log.
    ///
    /// - Parameter ids: Its clock; nothing is drawn at random.
    package convenience init(ids: IDSource = .system) {
        self.init(MemoryState(), ids)
    }

    private init(_ content: MemoryState, _ ids: IDSource) {
        now = ids.now
        state = Mutex(content)
    }

    /// Another log with the same content, on a clock of its own.
    package func copy(ids: IDSource) -> MemoryLog {
        MemoryLog(state.withLock { $0 }, ids)
    }

    package func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        if let flaw = request.flaw { throw .invalid(flaw) }
        let moment = now()
        let appended = try state.withLock { state in
            state.revision += 1
            return Result { () throws(AppendError) in try state.append(request, at: moment) }
        }
        .get()
        if appended.firstPosition > 0 { bell.ring() }
        if !request.work.isEmpty { workBell.ring() }
        return appended
    }

    package func read(
        _ stream: StreamName,
        after version: Int64,
        limit: Int
    ) async throws(LogError) -> [RecordedEvent] {
        state.withLock { state in
            Array(state.events.lazy.filter { $0.stream == stream && $0.version > version }.prefix(limit))
        }
    }

    package func read(
        after position: Int64,
        through: Int64?,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage {
        state.withLock { state in
            // As far as Postgres looks without help from an index.
            let reach = filter == .everything ? Int64(limit) : EventFilter.reach
            let end = min(position + reach, through ?? .max, Int64(state.events.count))
            guard end > position else { return EventPage(events: [], scannedFrom: position + 1, scannedTo: position) }
            let events = Array(state.events[Int(position)..<Int(end)].lazy.filter(filter.matches).prefix(limit))
            let isFull = events.count == limit
            return EventPage(
                events: events,
                scannedFrom: position + 1,
                scannedTo: isFull ? events.last?.position ?? end : end
            )
        }
    }

    package func leaf(at position: Int64) async throws(LogError) -> [UInt8]? {
        state.withLock { state in
            guard position > 0, position <= state.events.count else { return nil }
            let event = state.events[Int(position) - 1]
            // Nothing is salted here, for nobody is to be kept from guessing.
            return Leaf(event, payloadHash: Leaf.payloadHash(salt: [], payload: event.payload ?? [])).hash
        }
    }

    package func frontier() async throws(LogError) -> Int64 {
        state.withLock { Int64($0.events.count) }
    }

    /// Everything that was written, in order.
    package var events: [RecordedEvent] { state.withLock { $0.events } }

    /// Takes the payloads of some events.
    func erase(_ positions: [Int64]) {
        state.withLock { state in
            for position in positions where state.events.indices.contains(Int(position) - 1) {
                state.events[Int(position) - 1].payload = nil
            }
        }
    }

    /// Who holds a claim.
    package func holder(of claim: Claim) -> StreamName? { state.withLock { $0.claims[claim] } }

    /// When work can be claimed next; `nil` when never, or when there is no such work.
    ///
    /// A lease that was renewed ends later than its row says it is due.
    package func wakeAt(_ stream: StreamName) -> Timestamp? {
        state.withLock { state in
            guard let row = state.work[stream], let due = row.wakeAt else { return nil }
            return max(due, row.leaseUntil ?? due)
        }
    }

    /// Grows whenever something is changed, or tried to be.
    package var revision: Int { state.withLock { $0.revision } }

    /// What somebody holds a lease of.
    package var leased: [WorkItem] {
        let moment = now()
        return state.withLock { state in state.work.values.filter { $0.isLeased(at: moment) }.map(\.item) }
    }

    /// The leased work as it stands.
    var work: [StreamName: MemoryWork] { state.withLock { $0.work } }

    package func claim(
        kinds: [String],
        owner: String,
        limit: Int,
        lease: Duration
    ) async throws(LogError) -> [WorkItem] {
        let moment = now()
        return state.withLock { state in
            let taken = state.claim(kinds: kinds, owner: owner, limit: limit, until: moment + lease, at: moment)
            if !taken.isEmpty { state.revision += 1 }
            return taken
        }
    }

    package func renew(_ item: WorkItem, lease: Duration) async throws(LogError) -> Bool {
        let moment = now()
        return state.withLock { state in
            guard state.holds(item.stream, fence: item.fence, at: moment) else { return false }
            state.work[item.stream]?.leaseUntil = moment + lease
            state.revision += 1
            return true
        }
    }

    package func release(_ item: WorkItem, after: Duration) async throws(LogError) {
        let moment = now()
        state.withLock { state in
            guard state.holds(item.stream, fence: item.fence, at: moment), let row = state.work[item.stream] else {
                return
            }
            state.revision += 1
            if row.item.status == "running", after > .zero { state.work[item.stream]?.item.status = "waiting" }
            state.work[item.stream]?.giveBack(dueAt: min(moment + after, row.nudgeAt ?? moment + after))
        }
    }

    package func members(ofLane lane: String) async throws(LogError) -> [WorkItem] {
        guard !lane.isEmpty else { return [] }
        return state.withLock { state in
            state.work.values.filter { $0.item.lane == lane && !$0.isEnded }.map(\.item).sorted {
                $0.stream < $1.stream
            }
        }
    }

    package func list(kinds: [String]?, statuses: [String]) async throws(LogError) -> [WorkItem] {
        state.withLock { state in
            state.work.values
                .filter { row in kinds.map { $0.contains(row.item.kind) } ?? true && statuses.contains(row.item.status)
                }
                .map(\.item)
                .sorted { $0.stream < $1.stream }
        }
    }
}
