import EventStore
import Kernel
import Postgres
import SignalboxTestKit

/// Follows the log through everything that happens to it, and notes what it was shown.
struct Reader: Sendable {
    let log: any EventLog
    /// Of a process that hears of appends; else it only looks again and again.
    let bell: Bell
    let shown: Shown

    /// Reads until it has seen `end`, or until the task is cancelled when there is none.
    ///
    /// - Throws: ``LogError`` of kind `violated`; a log that is away is asked again.
    func run(through end: Int64 = .max) async throws {
        let follower = LogFollower(log: log, bell: bell)
        var position: Int64 = 0
        while position < end, !Task.isCancelled {
            do throws(LogError) {
                let page = try await follower.next(after: position)
                for event in page.events {
                    shown.note(event.id, at: event.position, after: position)
                    position = event.position
                }
            } catch {
                guard case .unavailable = error else { throw error }
                await bell.wait(after: bell.count, atMost: .milliseconds(50))
            }
        }
    }
}
