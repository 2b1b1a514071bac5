import EventStore
import Kernel
import Postgres
import SignalboxTestKit

/// Follows the log through everything that happens to it, and notes what it was shown.
struct Reader: Sendable {
    let log: any EventLog
    /// Of a process that hears of appends; `nil` for one that looks again and again, a thousand times a second.
    let bell: Bell?
    let shown: Shown

    /// Reads until it has seen `end`, or until the task is cancelled when there is none.
    ///
    /// - Throws: ``LogError`` of kind `violated`; a log that is away is asked again.
    func run(through end: Int64 = .max) async throws {
        var position: Int64 = 0
        while position < end, !Task.isCancelled {
            do throws(LogError) {
                let page = try await next(after: position)
                for event in page.events {
                    shown.note(event.id, at: event.position, after: position)
                    position = event.position
                }
            } catch {
                guard case .unavailable = error else { throw error }
                await Bell().wait(after: 0, atMost: .milliseconds(50))
            }
        }
    }

    private func next(after position: Int64) async throws(LogError) -> EventPage {
        if let bell { return try await LogFollower(log: log, bell: bell).next(after: position) }
        let page = try await log.read(after: position, through: nil, matching: .everything, limit: 1000)
        // Whoever waited longer would hardly ever see what is not durable yet.
        if page.events.isEmpty { await Bell().wait(after: 0, atMost: .milliseconds(1)) }
        return page
    }
}
