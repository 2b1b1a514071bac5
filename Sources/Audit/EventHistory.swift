package import EventStore
internal import Kernel

/// The log as auditors ask for it: a list, one event, or what happens from now on.
package struct EventHistory: Sendable {
    /// How many events are read in one go, at most.
    static let stride = 2000

    let log: any EventLog & LeafDirectory
    private let bell: Bell

    /// Looks into a log.
    ///
    /// - Parameters:
    ///   - log: What is read, up to its frontier.
    ///   - bell: Rings when an event was written.
    package init(log: any EventLog & LeafDirectory, bell: Bell) {
        self.log = log
        self.bell = bell
    }

    /// The events after a position that a filter lets through; looks as far as it must to find them, or to the end.
    ///
    /// - Parameters:
    ///   - filter: Which events are wanted.
    ///   - position: The last one the reader has; 0 to begin at the beginning.
    ///   - limit: How many events, at most.
    /// - Returns: The events, and how far was looked; the next page begins after that.
    /// - Throws: ``LogError``.
    package func list(
        _ filter: EventFilter = .everything,
        after position: Int64,
        limit: Int
    ) async throws(LogError) -> EventPage {
        if let stream = filter.stream { return try await list(stream, filter, after: position, limit: limit) }
        var page = EventPage(events: [], scannedFrom: position + 1, scannedTo: position)
        while page.events.count < limit {
            let more = try await log.read(
                after: page.scannedTo,
                through: nil,
                matching: filter,
                limit: min(limit - page.events.count, Self.stride)
            )
            try more.check(after: page.scannedTo, isWhole: filter == .everything, for: .history)
            guard more.scannedTo > page.scannedTo else { break }
            page.events += more.events
            page.scannedTo = more.scannedTo
        }
        return page.cut(to: limit)
    }

    /// A stream is found by its name, not by looking through the log.
    private func list(
        _ stream: StreamName,
        _ filter: EventFilter,
        after position: Int64,
        limit: Int
    ) async throws(LogError) -> EventPage {
        var page = EventPage(
            events: [],
            scannedFrom: position + 1,
            scannedTo: max(position, try await log.frontier())
        )
        var version: Int64 = 0
        while page.events.count < limit {
            let more = try await log.read(stream, after: version, limit: Self.stride)
            guard let last = more.last else { break }
            version = last.version
            page.events += more.filter { event in
                event.position > position && event.position <= page.scannedTo && filter.matches(event)
            }
        }
        return page.cut(to: limit)
    }

    /// As ``list(_:after:limit:)``, but waits for an event, for a while.
    ///
    /// - Parameters:
    ///   - filter: Which events are wanted.
    ///   - position: The last one the reader has.
    ///   - limit: How many events, at most.
    ///   - patience: How long to wait when there is none.
    /// - Returns: As ``list(_:after:limit:)``; without events when the time is over or the task was cancelled.
    /// - Throws: ``LogError``.
    package func next(
        _ filter: EventFilter = .everything,
        after position: Int64,
        limit: Int,
        within patience: Duration
    ) async throws(LogError) -> EventPage {
        let end = ContinuousClock.now + patience
        var page = EventPage(events: [], scannedFrom: position + 1, scannedTo: position)
        while true {
            let heard = bell.count
            let more = try await list(filter, after: page.scannedTo, limit: limit)
            page.events = more.events
            page.scannedTo = more.scannedTo
            let left = end - ContinuousClock.now
            if !page.events.isEmpty || left <= .zero || Task.isCancelled { return page }
            // It looks by itself too, so that a lost wake-up delays and never stalls.
            await bell.wait(after: heard, atMost: min(left, .milliseconds(.random(in: 250...1000))))
        }
    }

    /// The event at a position; `nil` when there is none yet.
    ///
    /// - Throws: ``LogError``.
    package func event(at position: Int64) async throws(LogError) -> RecordedEvent? {
        guard position > 0 else { return nil }
        return try await log.read(after: position - 1, through: position, matching: .everything, limit: 1).events.first
    }

    /// With what a reader comes back that has everything up to a position.
    ///
    /// - Parameter position: 0 for a reader that has nothing.
    /// - Returns: A token that recognises the history, or the position alone where there is no event.
    /// - Throws: ``LogError``.
    package func token(at position: Int64) async throws(LogError) -> ResumeToken {
        ResumeToken(position: position, leaf: position > 0 ? try await log.leaf(at: position) : nil)
    }

    /// What a reader that comes back knows of the log.
    package enum Standing: Sendable, Equatable {
        /// The history that the log has.
        case known
        /// Another one: the log was restored meanwhile.
        case forked
        /// A position that the log has not got to; it ends here.
        case beyond(end: Int64)
    }

    /// Whether a reader that comes back knows the history that the log has.
    ///
    /// - Parameter token: What the reader was given.
    /// - Returns: `forked` when the log has another event at that position, or none.
    /// - Throws: ``LogError``.
    package func standing(of token: ResumeToken) async throws(LogError) -> Standing {
        guard token.leaf == nil else {
            return token.matches(try await log.leaf(at: token.position)) ? .known : .forked
        }
        let end = try await log.frontier()
        return token.position <= end ? .known : .beyond(end: end)
    }

    /// The last position that is known to survive a crash.
    ///
    /// - Throws: ``LogError``.
    package func frontier() async throws(LogError) -> Int64 {
        try await log.frontier()
    }
}

extension EventPage {
    /// At most so many events; what lies after the last of them counts as not looked at.
    fileprivate func cut(to limit: Int) -> EventPage {
        guard events.count > limit else { return self }
        let events = Array(events.prefix(limit))
        return EventPage(events: events, scannedFrom: scannedFrom, scannedTo: events.last?.position ?? scannedTo)
    }
}
