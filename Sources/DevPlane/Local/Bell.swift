internal import Synchronization

/// Wakes everyone who waits for something to change.
///
/// A waiter notes ``count``, looks at what it is interested in, and waits for the next ring after that count: nothing is
/// missed in between. A closed bell lets everyone through at once, for good.
final class Bell: Sendable {
    private struct State {
        var count: UInt64 = 0
        var isClosed = false
        var next: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// How often it has rung.
    var count: UInt64 { state.withLock(\.count) }

    /// Whether nobody should wait any more.
    var isClosed: Bool { state.withLock(\.isClosed) }

    /// Wakes everyone.
    func ring() {
        wake { $0.count += 1 }
    }

    /// Wakes everyone, now and always.
    func close() {
        wake { $0.isClosed = true }
    }

    /// Returns when it has rung more than `count` times, is closed, when `limit` is over, or when the task is cancelled.
    func wait(after count: UInt64, limit: Duration) async {
        guard limit > .zero else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.rung(after: count) }
            // Only a cancelled sleep throws, and then the wait is over anyway.
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func rung(after count: UInt64) async {
        let ticket = state.withLock { state -> UInt64 in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state -> Bool in
                    if state.isClosed || state.count > count || Task.isCancelled { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            change(&state)
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }
}
