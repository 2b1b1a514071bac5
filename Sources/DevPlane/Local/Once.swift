internal import Synchronization

/// A value that will be there once, and those who wait for it.
final class Once<Value: Sendable>: Sendable {
    private enum State {
        case waiting([Int: CheckedContinuation<Value, any Error>], next: Int)
        case set(Result<Value, any Error>)
    }

    private let state = Mutex(State.waiting([:], next: 0))

    /// Sets the value; only the first call counts.
    func set(_ result: Result<Value, any Error>) {
        let waiting = state.withLock { state -> [CheckedContinuation<Value, any Error>] in
            guard case .waiting(let continuations, _) = state else { return [] }
            state = .set(result)
            return Array(continuations.values)
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    /// Sets the value; only the first call counts.
    func set(_ value: Value) { set(.success(value)) }

    /// The value, if it is there by now.
    var current: Value? {
        state.withLock { state in
            guard case .set(.success(let value)) = state else { return nil }
            return value
        }
    }

    /// The value, as soon as it is there.
    ///
    /// - Throws: What was set instead of a value; `CancellationError` when the waiting task is cancelled.
    var value: Value {
        get async throws {
            let ticket = state.withLock { state -> Int in
                guard case .waiting(let continuations, let next) = state else { return 0 }
                state = .waiting(continuations, next: next + 1)
                return next
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let result = state.withLock { state -> Result<Value, any Error>? in
                        switch state {
                        case .set(let result): return result
                        case .waiting(var continuations, let next):
                            if Task.isCancelled { return .failure(CancellationError()) }
                            continuations[ticket] = continuation
                            state = .waiting(continuations, next: next)
                            return nil
                        }
                    }
                    if let result { continuation.resume(with: result) }
                }
            } onCancel: {
                let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                    guard case .waiting(var continuations, let next) = state else { return nil }
                    let continuation = continuations.removeValue(forKey: ticket)
                    state = .waiting(continuations, next: next)
                    return continuation
                }
                continuation?.resume(throwing: CancellationError())
            }
        }
    }
}
