import EventStore
import SignalboxTestKit
import Synchronization

/// A log that takes nothing while it is broken.
final class BrokenLog: EventLogWrapper {
    let log: any EventLog
    let isBroken = Mutex(false)
    let onRefusal = Mutex<(@Sendable () -> Void)?>(nil)
    let refusals = Tally()

    init(log: any EventLog) {
        self.log = log
    }

    func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        guard !isBroken.withLock({ $0 }) else {
            refusals.add()
            onRefusal.withLock { $0 }?()
            throw .unavailable
        }
        return try await log.append(request)
    }
}
