internal import EventStore
internal import Kernel
internal import Platform

/// The right to work on a saga, as far as this process knows: it counts from before the claim was sent, on a clock
/// that nobody sets, so it always ends here before it ends in the database.
struct SagaLease: Sendable {
    private let queue: any WorkQueue
    private let item: WorkItem
    private let span: Duration
    private var end: ContinuousClock.Instant

    init(_ item: WorkItem, in queue: any WorkQueue, span: Duration, since start: ContinuousClock.Instant) {
        self.item = item
        self.queue = queue
        self.span = span
        self.end = start + span
    }

    /// Makes sure that at least half of the lease is left.
    ///
    /// - Returns: `false` when it is gone.
    mutating func ensure() async -> Bool {
        guard ContinuousClock.now > end - span / 2 else { return true }
        return await renew()
    }

    /// Holds the lease while something is done outside.
    ///
    /// - Returns: `nil` when the lease was lost meanwhile: the result must be dropped.
    mutating func keeping<Value: Sendable>(
        timeout: Duration,
        _ body: @escaping @Sendable () async throws(PortError) -> Value
    ) async -> Result<Value, PortError>? {
        let begun = self
        let (result, lease) = await withTaskGroup(of: Outcome<Value>.self) { group in
            group.addTask {
                await EffectLease.$watch.withValue(EffectLease.Watch(begun.check)) {
                    do throws(PortError) {
                        return .finished(.success(try await body()))
                    } catch { return .finished(.failure(error)) }
                }
            }
            group.addTask { await begun.heartbeat() }
            group.addTask {
                do {
                    try await Task.sleep(for: timeout)
                    return .timedOut
                } catch { return .ended(begun) }
            }
            var lease = begun
            var result: Result<Value, PortError>?
            loop: for await outcome in group {
                switch outcome {
                case .finished(let value):
                    result = value
                    break loop
                case .timedOut:
                    let text = "no answer within \(timeout.milliseconds) ms"
                    result = .failure(.unknown(code: "timeout", message: text))
                    break loop
                case .lost:
                    break loop
                case .ended:
                    continue
                }
            }
            group.cancelAll()
            for await outcome in group {
                if case .ended(let renewed) = outcome, renewed.end > lease.end { lease = renewed }
                // What came in while the time ran out is worth more than not knowing.
                if case .finished(.success(let value)) = outcome, result != nil { result = .success(value) }
            }
            return (result, lease)
        }
        self = lease
        return result
    }

    private enum Outcome<Value: Sendable>: Sendable {
        case finished(Result<Value, PortError>)
        case timedOut
        case lost
        case ended(SagaLease)
    }

    /// Renews every third of the span until it is cancelled or the lease is gone.
    private func heartbeat<Value>() async -> Outcome<Value> {
        var lease = self
        while true {
            do {
                try await Task.sleep(for: span / 3)
            } catch { return .ended(lease) }
            guard await lease.renew() else { return Task.isCancelled ? .ended(lease) : .lost }
        }
    }

    /// Asks whether the lease is held; nobody's answer is no.
    private var check: @Sendable () async -> Bool {
        { [queue, item, span] in
            do throws(LogError) {
                return try await queue.renew(item, lease: span)
            } catch { return false }
        }
    }

    private mutating func renew() async -> Bool {
        let start = ContinuousClock.now
        do throws(LogError) {
            guard try await queue.renew(item, lease: span) else { return false }
            end = start + span
            return true
        } catch {
            // Nobody answered; the lease stands until it runs out here.
            return ContinuousClock.now < end
        }
    }
}
