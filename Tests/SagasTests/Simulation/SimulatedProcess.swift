import Platform
import Synchronization

/// One run of the program: every call to the outside passes numbered points, at which it can die, freeze or lose an answer.
final class SimulatedProcess: Sendable {
    /// Where a call is.
    enum Point: Sendable, Equatable {
        /// Nothing has happened yet.
        case before(String)
        /// It has happened; the answer is on its way.
        case after(String)
    }

    /// What becomes of the process at a point.
    enum Verdict: Sendable {
        case go
        case die
        /// It dies, but its request is on its way and lands later.
        case dieInFlight
        /// The effect happens, the answer does not arrive.
        case lose
    }

    typealias Hook = @Sendable (Int, Point) async -> Verdict

    private struct State {
        var count = 0
        var isDead = false
        var points: [Point] = []
    }

    private let state = Mutex(State())
    private let hook: Hook

    init(hook: @escaping Hook = { _, _ in .go }) {
        self.hook = hook
    }

    var isDead: Bool { state.withLock { $0.isDead } }
    var points: [Point] { state.withLock { $0.points } }

    func die() { state.withLock { $0.isDead = true } }

    func reach(_ point: Point) async -> Verdict {
        let number = state.withLock { state in
            state.points.append(point)
            state.count += 1
            return state.count - 1
        }
        let verdict = await hook(number, point)
        switch verdict {
        case .die, .dieInFlight: die()
        case .go, .lose: break
        }
        return verdict
    }

    static let death = PortError.unknown(code: "dead", message: "the process is dead")
}
