internal import Kernel
package import Platform
internal import Synchronization

/// One run of the program: every call to the outside passes numbered points, at which it can die, freeze, fail or lose
/// an answer.
package final class SimulatedProcess: Sendable {
    /// Where a call is.
    package enum Point: Sendable, Equatable, CustomStringConvertible {
        /// Nothing has happened yet.
        case before(String)
        /// It has happened; the answer is on its way.
        case after(String)

        package var name: String {
            switch self {
            case .before(let name), .after(let name): name
            }
        }

        /// Whether it is a look at the log, which has no effect.
        package var isRead: Bool { name.hasPrefix(Self.read) }
        /// Whether the log is meant, not the outside.
        package var isLog: Bool { isRead || name.hasPrefix(Self.append) }

        static let read = "read "
        static let append = "append "

        package var description: String {
            switch self {
            case .before(let name): "before \(name)"
            case .after(let name): "after \(name)"
            }
        }
    }

    /// What becomes of the process at a point.
    package enum Verdict: Sendable {
        case go
        case die
        /// It dies, but its request is on its way and lands later.
        case dieInFlight
        /// The effect happens, the answer does not arrive.
        case lose
        /// The call takes longer than anybody waits for it; its effect lands later.
        case delay
        /// The target answers with this, and nothing happens.
        case fail(PortError)
    }

    /// Decides what becomes of the process at a point, which it counts from 0.
    package typealias Hook = @Sendable (Int, Point) async -> Verdict

    /// A request on its way: the lock it holds at the target, when it has arrived at the latest, and what it does there.
    package struct Request: Sendable {
        var lock: String?
        var due: Timestamp?
        var land: @Sendable (inout World.State) -> Void
    }

    private struct State {
        var count = 0
        var isDead = false
        var isDismissed = false
        var points: [Point] = []
        var pending: Request?
        var hook: Hook?
    }

    private let state: Mutex<State>

    package init(hook: @escaping Hook = { _, _ in .go }) {
        state = Mutex(State(hook: hook))
    }

    package var isDead: Bool { state.withLock { $0.isDead } }
    /// Whether it begins nothing new.
    package var isDismissed: Bool { state.withLock { $0.isDismissed || $0.isDead } }
    /// The points it has passed.
    package var points: [Point] { state.withLock { $0.points } }
    /// What it is about to ask for.
    package var pending: Request? { state.withLock { $0.pending } }

    package func die() { state.withLock { $0.isDead = true } }

    /// Lets it end what it is at, and no more.
    package func dismiss() { state.withLock { $0.isDismissed = true } }

    /// Nobody decides about it any more: a hook may hold the process that holds it.
    func forget() { state.withLock { $0.hook = nil } }

    func reach(_ point: Point, with request: Request? = nil) async -> Verdict {
        let (number, hook) = state.withLock { state in
            state.points.append(point)
            state.pending = request
            state.count += 1
            return (state.count - 1, state.hook)
        }
        let verdict = await hook?(number, point) ?? .go
        switch verdict {
        case .die, .dieInFlight: die()
        case .go, .lose, .delay, .fail: break
        }
        return verdict
    }

    static let death = PortError.unknown(code: "dead", message: "the process is dead")
}
