internal import Synchronization

/// What many leave and few take away, as much as one can carry at once.
///
/// The batch grows by itself while its readers are busy; nobody waits for it to fill.
final class Mailbox<Item: Sendable>: Sendable {
    private struct Reader {
        let ticket: Int
        let least: @Sendable () -> Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var items: [Item] = []
        var weight = 0
        var readers: [Reader] = []
        var nextTicket = 0
        var isClosed = false

        /// A reader for whom enough is here.
        mutating func takeReader() -> CheckedContinuation<Void, Never>? {
            guard let index = readers.lastIndex(where: { $0.least() <= items.count }) else { return nil }
            return readers.remove(at: index).continuation
        }

        /// Whether a reader would rather wait for more; what is here when it is closed is all there will be.
        func isWaiting(for least: () -> Int) -> Bool {
            items.isEmpty || !isClosed && items.count < least()
        }
    }

    /// How much may wait.
    struct Limit: Sendable {
        var items = Int.max
        var weight = Int.max
    }

    private let limit: Limit
    private let weigh: @Sendable (Item) -> Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: How much may wait; what would exceed it is not taken in.
    ///   - weigh: What one item weighs against the limit.
    init(limit: Limit = Limit(), weigh: @escaping @Sendable (Item) -> Int = { _ in 0 }) {
        self.limit = limit
        self.weigh = weigh
    }

    /// Whether nothing more is taken in.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Whether nothing is here and a reader waits.
    var isIdle: Bool { state.withLock { $0.items.isEmpty && !$0.readers.isEmpty } }

    /// How many items wait.
    var count: Int { state.withLock { $0.items.count } }

    /// Leaves something.
    ///
    /// - Returns: `false` when it is closed or full; the item was not taken then.
    func put(_ item: Item) -> Bool {
        let weight = weigh(item)
        let (taken, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed, state.items.count < limit.items,
                state.items.isEmpty || state.weight + weight <= limit.weight
            else { return (false, nil) }
            state.items.append(item)
            state.weight += weight
            return (true, state.takeReader())
        }
        reader?.resume()
        return taken
    }

    /// Lets the readers finish what is here, then end.
    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            defer { state.readers = [] }
            return state.readers
        }
        for reader in readers { reader.continuation.resume() }
    }

    /// Has a reader come for whom enough is here by now.
    func look() {
        let reader = state.withLock { $0.items.isEmpty ? nil : $0.takeReader() }
        reader?.resume()
    }

    /// Takes what is here without waiting.
    func takeAll() -> [Item] {
        state.withLock { state in
            state.weight = 0
            return state.items.takeAll()
        }
    }

    /// Waits for something to be here; `take` removes from the array what it wants.
    ///
    /// - Parameters:
    ///   - least: How many items are worth coming for, at least one. Asked under the lock whenever something is left;
    ///     whoever lowers the answer for others must come for what is here itself, or ``look()``.
    ///   - take: Called under the lock.
    /// - Returns: `nil` when closed and empty, or when the task was cancelled.
    func next<Batch>(
        least: @escaping @Sendable () -> Int = { 1 },
        _ take: (inout [Item]) -> Batch
    ) async -> Batch? {
        while !Task.isCancelled {
            let (batch, ended) = state.withLock { state -> (Batch?, Bool) in
                guard !state.isWaiting(for: least) else {
                    return (nil, state.isClosed)
                }
                let batch = take(&state.items)
                state.weight = state.items.reduce(0) { $0 + weigh($1) }
                return (batch, false)
            }
            if let batch { return batch }
            if ended { return nil }
            await wait(for: least)
        }
        return nil
    }

    private func wait(for least: @escaping @Sendable () -> Int) async {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let arrived = state.withLock { state in
                    guard state.isWaiting(for: least), !state.isClosed, !Task.isCancelled else { return true }
                    state.readers.append(Reader(ticket: ticket, least: least, continuation: continuation))
                    return false
                }
                if arrived { continuation.resume() }
            }
        } onCancel: {
            let reader = state.withLock { state in
                state.readers.firstIndex { $0.ticket == ticket }.map { state.readers.remove(at: $0) }
            }
            reader?.continuation.resume()
        }
    }
}

extension Array {
    /// Empties it.
    mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
