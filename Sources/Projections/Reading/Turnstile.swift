internal import Synchronization

/// Lets a few in at a time, and keeps nobody waiting.
package final class Turnstile: Sendable {
    private let free: Mutex<Int>

    /// - Parameter count: How many may be in.
    package init(_ count: Int) {
        free = Mutex(count)
    }

    /// Runs `body`, if there is room.
    ///
    /// - Parameter body: What only a few may do at a time.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; `busy` when there is no room.
    package func pass<Value>(_ body: () async throws(ReadError) -> Value) async throws(ReadError) -> Value {
        let isFree = free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
        guard isFree else { throw .busy }
        defer { free.withLock { $0 += 1 } }
        return try await body()
    }
}
