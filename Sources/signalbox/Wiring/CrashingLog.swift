internal import EventStore
internal import Glibc
internal import Kernel
internal import Synchronization

/// A log that kills this process right after a chosen append, so that a test can see what the next start makes of it.
///
/// Only on development machines, and only when `SIGNALBOX_CRASH_AFTER_SAGA_APPENDS` says after how many.
final class CrashingLog: EventLogWrapper {
    let log: any EventLog
    private let left: Atomic<Int>

    private init(_ log: any EventLog, after count: Int) {
        self.log = log
        self.left = Atomic(count)
    }

    /// The log itself, unless a crash was asked for.
    static func wrap(_ log: any EventLog, stage: Stage) -> any EventLog {
        guard stage == .development, let text = getenv("SIGNALBOX_CRASH_AFTER_SAGA_APPENDS"),
            let count = Int(String(cString: text)), count > 0
        else { return log }
        return CrashingLog(log, after: count)
    }

    func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        let appended = try await log.append(request)
        if left.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { kill(getpid(), SIGKILL) }
        return appended
    }
}
