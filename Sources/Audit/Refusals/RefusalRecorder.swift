package import Kernel
package import Logging
internal import Metrics
internal import Postgres
internal import Synchronization

/// Takes refusals without making anybody wait, and writes them down a moment later.
///
/// It holds so many and no more, and so many of one principal in a minute: what is beyond that is counted and not kept.
package final class RefusalRecorder: Sendable {
    /// How much is held and kept.
    package struct Limits: Sendable {
        /// Refusals that wait to be written.
        package var waiting: Int
        /// Refusals of one principal in a minute.
        package var each: Int
        package var kept: Duration

        package init(waiting: Int = 1000, each: Int = 60, kept: Duration = .seconds(90 * 86_400)) {
            (self.waiting, self.each, self.kept) = (waiting, each, kept)
        }
    }

    private struct State {
        var waiting: [Refusal] = []
        /// Of each principal in the present minute.
        var counts: [String: Int] = [:]
        var minute: Int64 = 0
    }

    private let store: RefusalStore
    private let limits: Limits
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - store: Where they are kept.
    ///   - limits: How much is held and kept.
    ///   - now: The time.
    ///   - logger: Takes a line when some are lost.
    package init(
        store: RefusalStore,
        limits: Limits = Limits(),
        now: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        (self.store, self.limits, self.now, self.logger) = (store, limits, now, logger)
    }

    /// Takes one, unless there are too many.
    package func record(_ refusal: Refusal) {
        let isTaken = state.withLock { state in
            let minute = refusal.at.microseconds / 60_000_000
            if minute != state.minute { (state.minute, state.counts) = (minute, [:]) }
            state.counts[refusal.principal, default: 0] += 1
            guard state.waiting.count < limits.waiting, state.counts[refusal.principal, default: 0] <= limits.each
            else { return false }
            state.waiting.append(refusal)
            return true
        }
        if !isTaken { Self.lost(1) }
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
            Self.lost(batch.count)
            logger.warning("refusals are lost", metadata: ["count": "\(batch.count)", "error": "\(error)"])
        }
    }

    /// Throws away what was kept long enough.
    package func forget() async {
        do throws(PostgresError) {
            _ = try await store.forget(
                before: Timestamp(microseconds: now().microseconds - limits.kept.components.seconds * 1_000_000)
            )
        } catch {
            logger.warning("old refusals cannot be thrown away", metadata: ["error": "\(error)"])
        }
    }

    /// Writes every second and tidies every hour until it is cancelled; then it writes once more.
    package func run() async {
        // Offered as zero before the first is lost.
        Self.lost(0)
        var turn = 0
        while !Task.isCancelled {
            // Cut short by the end, which is seen above.
            try? await Task.sleep(for: .seconds(1))
            await flush()
            if turn % 3600 == 60 { await forget() }
            turn += 1
        }
        await Task { await flush() }.value
    }

    private static func lost(_ count: Int) {
        Counter(label: "signalbox_http_refusals_lost_total").increment(by: count)
    }
}
