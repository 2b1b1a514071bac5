internal import Synchronization

/// Lets so many in at the same time, and sends the others away.
final class Turnstile: Sendable {
    private let inside = Mutex(0)
    private let most: Int

    init(most: Int) { self.most = most }

    /// Whether there was room; whoever is let in has to ``leave()``.
    func enter() -> Bool {
        inside.withLock { inside in
            guard inside < most else { return false }
            inside += 1
            return true
        }
    }

    func leave() { inside.withLock { $0 -= 1 } }
}
