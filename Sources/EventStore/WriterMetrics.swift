internal import Metrics

/// What the writer counts.
enum WriterMetrics {
    /// Requests that shared the last transaction.
    static let batch = Recorder(label: "signalbox_log_flush_requests")
    static let requests = Counter(label: "signalbox_log_requests_total")
    static let flushes = Counter(label: "signalbox_log_flushes_total")
    static let conflicts = Counter(label: "signalbox_log_conflicts_total")
    static let repeats = Counter(label: "signalbox_log_repeats_total")
    static let refusals = Counter(label: "signalbox_log_refusals_total")
    /// Requests that found the queue full.
    static let overflows = Counter(label: "signalbox_log_overflows_total")
    /// Flushes whose fate was unknown and that were sent again.
    static let resends = Counter(label: "signalbox_log_resends_total")
    private static let lockWait = Timer(label: "signalbox_log_lock_wait_seconds")
    private static let durabilityWait = Timer(label: "signalbox_log_durability_wait_seconds")
    private static let durableLag = Gauge(label: "signalbox_log_durable_lag_events")

    /// Has everything offered as zero before the first of it happens.
    static func begin() {
        for counter in [requests, flushes, conflicts, repeats, refusals, overflows, resends] {
            counter.increment(by: 0)
        }
        _ = (lockWait, durabilityWait)
        batch.record(0)
        durableLag.record(0)
    }

    /// - Parameters:
    ///   - answers: What became of a flush that was answered.
    ///   - wait: How long after its commit it was known to be durable.
    static func count(_ answers: FlushAnswers, durableAfter wait: Duration) {
        batch.record(answers.results.count)
        flushes.increment()
        requests.increment(by: answers.results.count)
        lockWait.record(duration: answers.lockWait)
        durabilityWait.record(duration: wait)
        for case .failure(let error) in answers.results {
            if case .conflict = error { conflicts.increment() } else { refusals.increment() }
        }
        for case .success(let appended) in answers.results where appended.repeated != nil { repeats.increment() }
    }

    /// - Parameters:
    ///   - committed: The newest position this process has committed.
    ///   - durable: The newest that survives a crash.
    static func lag(committed: Int64, durable: Int64) {
        durableLag.record(max(0, committed - durable))
    }
}
