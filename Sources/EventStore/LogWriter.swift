internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres
internal import Synchronization

/// The one place of a process where events are appended: many callers, few transactions.
///
/// While one flush is in flight the next fills, and is sent behind it when it is worth that; there is no artificial delay. A request is answered once it is durable.
/// When a connection is lost under way nobody knows what became of the flushes that were not answered, so the identical
/// flushes are sent again over new connections, where every request that was written is recognised.
package final class LogWriter: Sendable {
    private let connect: @Sendable () async throws(PostgresError) -> Connection
    private let desk: WriterDesk
    private let patience: Duration
    /// Whether the database could not be reached the last time; requests are refused at once then.
    private let isDown = Atomic(false)

    /// - Parameters:
    ///   - connect: Makes a connection that may execute `log.append`; called again whenever one is lost.
    ///   - patience: How long a flush whose fate is unknown is held while the database is away.
    ///   - desk: What the sessions of this writer share.
    init(
        connect: @escaping @Sendable () async throws(PostgresError) -> Connection,
        patience: Duration,
        desk: WriterDesk
    ) {
        self.connect = connect
        self.patience = patience
        self.desk = desk
    }

    /// Writes one decision; returns when it is durable.
    ///
    /// Once called it cannot be taken back.
    package func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        if let flaw = request.flaw { throw .invalid(flaw) }
        guard !isDown.load(ordering: .relaxed) else { throw .unavailable }
        let answer = await withCheckedContinuation { continuation in
            if !desk.queue.put(Waiting(request: request, continuation: continuation)) {
                WriterMetrics.overflows.increment()
                continuation.resume(returning: .failure(.unavailable))
            }
        }
        return try answer.get()
    }

    /// Ends ``run()`` after what was already accepted is written.
    package func close() {
        desk.queue.close()
    }

    /// Writes until ``close()``, over one set of connections after another.
    package func run() async {
        WriterMetrics.begin()
        var unanswered: [Flush] = []
        var lostSince: ContinuousClock.Instant?
        var pause = Duration.milliseconds(50)
        var lost: WriterSession.Backends?
        while true {
            do throws(PostgresError) {
                let session = try await WriterSession.open(desk: desk, ending: lost, connect: connect)
                isDown.store(false, ordering: .relaxed)
                if unanswered.isEmpty { lostSince = nil }
                let ending = await session.run(resending: unanswered)
                await session.close()
                lost = session.backends
                guard case .lost(let flushes) = ending, !Task.isCancelled else {
                    unanswered = ending.unanswered
                    break
                }
                unanswered = flushes
                // A session that could answer nobody does not say that the database is back.
                if session.hasAnswered {
                    lostSince = nil
                    pause = .milliseconds(50)
                } else {
                    guard await rest(&pause, since: &lostSince, holding: &unanswered) else { break }
                }
                WriterMetrics.resends.increment(by: flushes.count)
                desk.logger.warning(
                    "a connection of the log writer was lost; what was not answered is sent again",
                    metadata: ["flushes": "\(flushes.count)"]
                )
            } catch {
                isDown.store(true, ordering: .relaxed)
                for waiting in desk.queue.takeAll() { waiting.continuation.resume(returning: .failure(.unavailable)) }
                desk.logger.error("the log cannot be written", metadata: ["error": "\(error)"])
                guard !desk.queue.isClosed || !unanswered.isEmpty,
                    await rest(&pause, since: &lostSince, holding: &unanswered)
                else { break }
            }
        }
        desk.queue.close()
        // Only a cancelled writer gets here with something left.
        for flush in unanswered { flush.refuse(.unavailable) }
        for waiting in desk.queue.takeAll() { waiting.continuation.resume(returning: .failure(.unavailable)) }
    }

    /// Waits before the next attempt, longer each time; lets go of what has been held for too long.
    ///
    /// - Returns: `false` when the task was cancelled.
    private func rest(
        _ pause: inout Duration,
        since lostSince: inout ContinuousClock.Instant?,
        holding unanswered: inout [Flush]
    ) async -> Bool {
        let began = lostSince ?? .now
        lostSince = began
        if ContinuousClock.now - began > patience {
            for flush in unanswered.takeAll() { flush.refuse(.unavailable) }
        }
        do {
            try await Task.sleep(for: pause * Double.random(in: 0.5...1))
        } catch {
            return false
        }
        pause = min(pause * 2, .seconds(2))
        return true
    }
}

/// What one session of the writer hands to the next.
struct WriterDesk: Sendable {
    let durability: Durability
    /// What waits to be written; what exceeds its limit is refused, not remembered.
    let queue: Mailbox<Waiting>
    let frontier: Frontier
    /// Rings when leased work was changed.
    let workBell: Bell
    let logger: Logger
    let probe: (@Sendable (LogStep) -> Void)?
    /// How long a flush may be in flight before the few who wait behind it are written over another connection.
    let stuckAfter: Duration
}
