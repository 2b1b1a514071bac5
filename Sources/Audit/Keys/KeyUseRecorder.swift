package import Kernel
package import Logging
internal import Postgres
internal import Synchronization

/// Takes note of the use of keys without making anybody wait, and writes it down a moment later.
///
/// A key is written at most once a minute by one process, however often it is used.
package final class KeyUseRecorder: Sendable {
    private struct State {
        /// What was noted of each key last, written or not.
        var noted: [Int64: Timestamp] = [:]
        var waiting: [Int64: Timestamp] = [:]
    }

    /// How exact it is.
    private static let grain = Duration.seconds(60)
    /// Of how many keys it is remembered that they need not be written; who is forgotten is written once too often.
    private static let remembered = 10_000

    private let store: KeyUseStore
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - store: Where it is kept.
    ///   - logger: Takes a line when something is lost.
    package init(store: KeyUseStore, logger: Logger) {
        (self.store, self.logger) = (store, logger)
    }

    /// Takes note that a key was good for a request.
    package func note(_ key: Int64, at moment: Timestamp) {
        state.withLock { state in
            if let last = state.noted[key], moment - last < Self.grain { return }
            if state.noted.count >= Self.remembered { state.noted.removeAll() }
            state.noted[key] = moment
            state.waiting[key] = moment
        }
    }

    /// Writes down what waits.
    package func flush() async {
        let batch = state.withLock { state in
            defer { state.waiting.removeAll() }
            return state.waiting
        }
        guard !batch.isEmpty else { return }
        do throws(PostgresError) {
            try await store.keep(batch)
        } catch {
            // The next use is written again.
            state.withLock { state in
                for key in batch.keys { state.noted[key] = nil }
            }
            logger.warning("uses of keys are not written", metadata: ["count": "\(batch.count)", "error": "\(error)"])
        }
    }

    /// Writes every five seconds until it is cancelled; then it writes once more.
    package func run() async {
        while !Task.isCancelled {
            // Cut short by the end, which is seen above.
            try? await Task.sleep(for: .seconds(5))
            await flush()
        }
        await Task { await flush() }.value
    }
}
