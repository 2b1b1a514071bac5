package import Kernel
internal import Synchronization

/// A clock that only others move, and a random generator with a seed.
package final class SimulatedClock: Sendable {
    private let state: Mutex<(now: Timestamp, seed: UInt64)>

    package convenience init(seed: UInt64 = 7) {
        self.init(now: Timestamp(microseconds: 1_790_000_000_000_000), seed: seed)
    }

    private init(now: Timestamp, seed: UInt64) {
        state = Mutex((now, seed))
    }

    /// Another clock that shows the same time and goes on from the same seed.
    package func copy() -> SimulatedClock {
        let (now, seed) = state.withLock { $0 }
        return SimulatedClock(now: now, seed: seed)
    }

    package func advance(_ span: Duration) { state.withLock { $0.now = $0.now + span } }

    package var ids: IDSource {
        IDSource(
            now: { self.state.withLock { $0.now } },
            random: {
                self.state.withLock { state in
                    // SplitMix64 (Steele, Lea, Flood 2014).
                    state.seed &+= 0x9E37_79B9_7F4A_7C15
                    var mixed = state.seed
                    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
                    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
                    return mixed ^ (mixed >> 31)
                }
            }
        )
    }
}
