internal import Kernel

/// Reads on as the log grows: pages, then live.
///
/// It waits for a bell, and looks anyway after 250 ms to 1 s, so that a lost wake-up delays and never stalls.
package struct LogFollower: Sendable {
    private let log: any EventLog
    private let bell: Bell

    /// - Parameters:
    ///   - log: What is read.
    ///   - bell: Rings when an event was written, e.g. ``PostgresLog/bell``.
    package init(log: any EventLog, bell: Bell) {
        self.log = log
        self.bell = bell
    }

    /// The next stretch of the log; waits until there is one.
    ///
    /// - Parameters:
    ///   - position: The last position the reader has.
    ///   - filter: Which events are wanted; the page moves on over the others.
    ///   - limit: How many events, at most.
    /// - Returns: A page that reaches beyond `position`, or an empty one when the task was cancelled.
    /// - Throws: ``LogError``; after `unavailable` the same call may be made again, after `violated` nobody should.
    package func next(
        after position: Int64,
        matching filter: EventFilter = .everything,
        limit: Int = 1000
    ) async throws(LogError) -> EventPage {
        while true {
            let heard = bell.count
            let page = try await log.read(after: position, through: nil, matching: filter, limit: limit)
            if page.scannedTo > position || Task.isCancelled { return page }
            await bell.wait(after: heard, atMost: .milliseconds(.random(in: 250...1000)))
        }
    }
}
