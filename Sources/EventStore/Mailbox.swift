internal import Synchronization

/// What many leave and one takes away, as much as it can carry at once.
///
/// The batch grows by itself while its only reader is busy; nobody waits for it to fill.
final class Mailbox<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        var reader: CheckedContinuation<Void, Never>?
        var isClosed = false

        mutating func takeReader() -> CheckedContinuation<Void, Never>? {
            defer { reader = nil }
            return reader
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: How many items may wait.
    init(limit: Int = .max) {
        self.limit = limit
    }

    /// Whether nothing more is taken in.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Leaves something.
    ///
    /// - Returns: `false` when it is closed or full; the item was not taken then.
    func put(_ item: Item) -> Bool {
        let (taken, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed, state.items.count < limit else { return (false, nil) }
            state.items.append(item)
            return (true, state.takeReader())
        }
        reader?.resume()
        return taken
    }

    /// Lets the reader finish what is here, then end.
    func close() {
        let reader = state.withLock { state in
            state.isClosed = true
            return state.takeReader()
        }
        reader?.resume()
    }

    /// Takes what is here without waiting.
    func takeAll() -> [Item] {
        state.withLock { state in
            defer { state.items = [] }
            return state.items
        }
    }

    /// Waits for something to be here; `take` removes from the array what it wants.
    ///
    /// - Returns: `nil` when closed and empty, or when the task was cancelled.
    func next<Batch>(_ take: (inout [Item]) -> Batch) async -> Batch? {
        while !Task.isCancelled {
            let (batch, ended) = state.withLock { state -> (Batch?, Bool) in
                guard state.items.isEmpty else { return (take(&state.items), false) }
                return (nil, state.isClosed)
            }
            if let batch { return batch }
            if ended { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let arrived = state.withLock { state in
                        guard state.items.isEmpty, !state.isClosed, !Task.isCancelled else { return true }
                        state.reader = continuation
                        return false
                    }
                    if arrived { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.takeReader() }?.resume()
            }
        }
        return nil
    }
}

extension Array {
    /// Empties it.
    mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
