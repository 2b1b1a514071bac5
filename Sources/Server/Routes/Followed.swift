internal import Kernel
internal import Projections

/// Something of which a reader is shown each new state, until it ends.
struct Followed<View: Encodable & Equatable & Sendable>: Sendable {
    /// The name of the server-sent event; `nil` for one that browsers call a message.
    var name: String?
    /// What may change it.
    var topics: [FeedTopic]
    /// Whose members may see it; `nil` when it is the platform's.
    var organization: OrganizationID?
    var isOver: @Sendable (View) -> Bool
    /// What it is at a position, or later; when the read models are behind, what it was before.
    var read: @Sendable (Int64) async -> Result<Reading<View>, Problem>
}

extension API {
    /// Writes a thing whenever it changes, until it ends, the reader has to go or the server stops.
    @concurrent
    func follow<View>(
        _ thing: Followed<View>,
        for call: Call,
        from first: Reading<View>,
        frontier: Int64,
        into sink: inout EventSink
    ) async throws {
        let end = ContinuousClock.now + settings.feedLife
        var (view, position) = (first.value, first.position)
        var shown: View?
        try await sink.retry(milliseconds: 1000)
        switch call.resume {
        case .after(let seen) where seen > max(frontier, position): try await sink.send([.reset(to: position)])
        case .after(let seen) where seen == position: shown = view
        case .start, .after, .unknown: break
        }
        feeds.join(at: frontier)
        defer { feeds.leave() }
        // Up to where everything was looked at, and up to where it has to be shown.
        var (seen, owed) = (frontier, frontier)
        var checked = ids.now()
        while true {
            try await confirm(call, since: &checked)
            if view != shown {
                try await sink.send([.init(id: position, name: thing.name, data: try JSON.encode(view))])
                shown = view
            }
            if thing.isOver(view) || stopping || Task.isCancelled || .now >= end { return }
            if position < owed {
                let reading = try await thing.read(owed).get()
                (view, position) = (reading.value, reading.position)
                if position >= owed || view != shown { continue }
            }
            var deadline = sink.silentUntil(settings.heartbeat)
            // The read models are behind: they are asked again soon, whatever happens.
            if position < owed { deadline = min(deadline, .now + .seconds(1)) }
            switch await feeds.wait(after: seen, on: thing.topics, until: deadline) {
            case .over: return
            case .silence(let head):
                seen = max(seen, head)
                try await sink.heartbeat(after: settings.heartbeat)
            case .some(_, let head, let revoking):
                (seen, owed) = (max(seen, head), max(owed, head))
                if revoking, let organization = thing.organization {
                    // Who has been removed meanwhile is not told any more.
                    try await members(at: head)
                    try await role(of: call, in: organization)
                }
            }
        }
    }

    /// Returns when the read models know who was a member at a position; all who ask at the same time ask once.
    func members(at position: Int64) async throws(Problem) {
        let (reads, patience) = (backend.reads, settings.readWait)
        _ = try await membership.reading(of: 0, reflecting: position) {
            do throws(ReadError) {
                try await reads.wait(position, patience, [Members.self, APIKeys.self])
                return .success(Reading(true, at: position))
            } catch {
                return .failure(.unavailable(cause: error))
            }
        }.get()
    }

    /// What a read model says of something at a position; all who ask at the same time ask once.
    func reading<View>(
        of id: String,
        reflecting position: Int64,
        from shared: SharedReadings<String, View>,
        _ models: [any Projection.Type],
        _ ask: @escaping @Sendable () async throws(ReadError) -> Reading<View?>
    ) async -> Result<Reading<View>, Problem> {
        let (reads, patience) = (backend.reads, settings.readWait)
        return await shared.reading(of: id, reflecting: position) {
            do throws(ReadError) {
                // Behind or not, what is known is told, with the position that it is of.
                try? await reads.wait(position, patience, models)
                let reading = try await ask()
                guard let view = reading.value else { return .failure(.notFound) }
                return .success(Reading(view, at: reading.position))
            } catch {
                return .failure(.unavailable(cause: error))
            }
        }
    }
}
