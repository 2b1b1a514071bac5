import EventStore
import Glibc
import Synchronization

/// How a process comes to kill itself at one step of the protocol, as nobody outside could aim.
enum Death {
    /// How often the step is still survived; negative while nobody asked.
    private static let countdown = Atomic(-1)

    /// What tells the log where to die; SIGUSR1 then says that the time has come.
    static func probe(at step: LogStep?) -> (@Sendable (LogStep) -> Void)? {
        guard let step else { return nil }
        countdown.store(-1, ordering: .sequentiallyConsistent)
        signal(SIGUSR1) { _ in Death.countdown.store(Int(getpid()) % 5, ordering: .sequentiallyConsistent) }
        return { reached in
            guard reached == step, countdown.load(ordering: .sequentiallyConsistent) >= 0 else { return }
            if countdown.subtract(1, ordering: .sequentiallyConsistent).newValue < 0 { kill(getpid(), SIGKILL) }
        }
    }
}
