internal import EventStore
internal import Kernel
internal import Platform
internal import Sagas
internal import SignalboxTestKit

/// The log as one process reaches it: every call passes the same numbered points as every call to the outside.
struct SimulatedLog: EventLog, WorkQueue {
    let log: MemoryLog
    let process: SimulatedProcess
    /// Whether appends prove that their lease is held; switched off to see that something notices.
    var isFenced = true

    func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        guard !process.isDead else { throw .fenced }
        let types = request.writes.flatMap(\.events).map(\.type).joined(separator: " + ")
        let name = SimulatedProcess.Point.append + types
        // An append either is in the log or is not; one that lands later is caught by its expected version.
        let verdict = await process.reach(.before(name))
        guard !process.isDead else { throw .fenced }
        if case .fail = verdict { throw .unavailable }
        let appended = try await log.append(isFenced ? request : try await unfenced(request))
        let answer = await process.reach(.after(name))
        guard !process.isDead else { throw .fenced }
        // Whoever hears nothing asks again, and is told what the first one did.
        if case .lose = answer { return try await log.append(request) }
        return appended
    }

    /// The same request as somebody sends it who does not care whose turn it is.
    private func unfenced(_ request: AppendRequest) async throws(AppendError) -> AppendRequest {
        var request = request
        for index in request.work.indices {
            guard case .holding = request.work[index].guard else { continue }
            let stream = request.work[index].stream
            do throws(LogError) {
                let items = try await log.list(kinds: nil, statuses: Simulation.statuses)
                guard let item = items.first(where: { $0.stream == stream }) else { continue }
                request.work[index].guard = .holding(fence: item.fence)
            } catch { throw .unavailable }
            for index in request.writes.indices { request.writes[index].expected = .any }
        }
        return request
    }

    func read(_ stream: StreamName, after version: Int64, limit: Int) async throws(LogError) -> [RecordedEvent] {
        try await look("stream")
        return try await log.read(stream, after: version, limit: limit)
    }

    func read(
        after position: Int64,
        through: Int64?,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage {
        try await look("log")
        return try await log.read(after: position, through: through, matching: filter, limit: limit)
    }

    func frontier() async throws(LogError) -> Int64 { try await log.frontier() }

    func claim(kinds: [String], owner: String, limit: Int, lease: Duration) async throws(LogError) -> [WorkItem] {
        try await look("work")
        // One at a time, so that the order is that of the queue.
        return try await log.claim(kinds: kinds, owner: owner, limit: min(limit, 1), lease: lease)
    }

    func renew(_ item: WorkItem, lease: Duration) async throws(LogError) -> Bool {
        try alive()
        return try await log.renew(item, lease: lease)
    }

    func release(_ item: WorkItem, after: Duration) async throws(LogError) {
        try alive()
        try await log.release(item, after: after)
    }

    func members(ofLane lane: String) async throws(LogError) -> [WorkItem] {
        try alive()
        return try await log.members(ofLane: lane)
    }

    func list(kinds: [String]?, statuses: [String]) async throws(LogError) -> [WorkItem] {
        try alive()
        return try await log.list(kinds: kinds, statuses: statuses)
    }

    private func look(_ what: String) async throws(LogError) {
        try alive()
        if case .fail(let error) = await process.reach(.before(SimulatedProcess.Point.read + what)) {
            throw .unavailable(error.message)
        }
        try alive()
    }

    private func alive() throws(LogError) {
        guard !process.isDead else { throw .unavailable("the process is dead") }
    }
}
