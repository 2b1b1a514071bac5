internal import Synchronization

/// Up to which position the log is known to survive a crash, as far as this process knows.
///
/// It is raised by our own barriers, by what other processes tell (`NOTIFY log`), and by looking at the server's own
/// write-ahead log when nobody told.
final class Frontier: Sendable {
    /// Rings when it was raised.
    let bell: Bell
    private let durable = Atomic<Int64>(0)

    /// - Parameter bell: Rings whenever there is more to read.
    init(bell: Bell) {
        self.bell = bell
    }

    /// Every position up to this one is durable.
    var position: Int64 { durable.load(ordering: .acquiring) }

    /// Says that everything up to a position is durable.
    func raise(to position: Int64) {
        let (old, _) = durable.max(position, ordering: .acquiringAndReleasing)
        if old < position { bell.ring() }
    }
}
