import Synchronization
import Testing

/// Lets two tests at once start whole machines: more of them would only wait for each other's processors.
struct WholeMachine: SuiteTrait, TestTrait, TestScoping {
    private static let line = Line(places: 2)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.line.enter()
        defer { Self.line.leave() }
        try await function()
    }
}

extension Trait where Self == WholeMachine {
    /// The tests start whole machines.
    static var wholeMachine: Self { WholeMachine() }
}

/// So many are inside, the others wait in the order in which they came.
private final class Line: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(places: Int) {
        state = Mutex(State(free: places))
    }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
