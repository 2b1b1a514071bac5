package import Kernel
internal import Synchronization

/// What the sealer of this process is up to, for readiness and metrics.
package final class SealerState: Sendable {
    private let held = Mutex<String?>(nil)

    package init() {}

    /// Why nothing is signed here, for people; `nil` when nothing is wrong.
    package var problem: String? { held.withLock { $0 } }

    func set(_ problem: String?) {
        held.withLock { $0 = problem }
    }
}

/// How far the tree is behind the log.
package struct SealingProgress: Sendable, Equatable {
    /// The last position that a signed checkpoint covers.
    package let sealed: Int64
    /// The last position that could be covered.
    package let frontier: Int64
    /// When the newest checkpoint was made; `nil` before the first.
    package let sealedAt: Timestamp?

    package init(sealed: Int64, frontier: Int64, sealedAt: Timestamp?) {
        self.sealed = sealed
        self.frontier = frontier
        self.sealedAt = sealedAt
    }

    /// How many durable events no signed checkpoint covers.
    package var lag: Int64 { max(0, frontier - sealed) }
}
