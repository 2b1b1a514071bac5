package import EventStore

/// Waits for what follows a position: as `LogFollower.next(after:matching:limit:)`.
package typealias EventFeed =
    @Sendable (_ position: Int64, _ filter: EventFilter, _ limit: Int) async throws(LogError) -> EventPage

extension LogFollower {
    /// What keeps a ``ProjectionRunner`` fed.
    package var feed: EventFeed {
        { position, filter, limit async throws(LogError) in
            try await next(after: position, matching: filter, limit: limit)
        }
    }
}
