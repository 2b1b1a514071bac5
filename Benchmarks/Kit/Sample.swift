/// What one contender did in one stretch of time.
package struct Sample: Sendable {
    /// How many events were written or read, and in which time.
    package var events: Int
    package var elapsed: Duration
    /// Of each operation, or of some picked at random, in microseconds, sorted; empty when nobody measured.
    package var latencies: [Int64]

    package init(events: Int, elapsed: Duration, latencies: [Int64] = []) {
        self.events = events
        self.elapsed = elapsed
        self.latencies = latencies
    }

    /// Events per second.
    package var rate: Double { Double(events) / elapsed.inSeconds }

    /// The latency that this share of the operations did not exceed.
    ///
    /// - Parameter share: 0.5 for the median.
    /// - Returns: Microseconds, exact: every operation is kept; `nil` when nobody measured.
    package func latency(_ share: Double) -> Int64? {
        latencies.isEmpty ? nil : latencies[Int(Double(latencies.count - 1) * share)]
    }
}

extension Duration {
    /// Seconds with their fraction.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

extension Array where Element == Double {
    /// The middle one, or the mean of the two in the middle; 0 when empty.
    package var median: Double {
        let sorted = sorted()
        guard let last = sorted.last else { return 0 }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted.count == 1 ? last : sorted[middle]
    }
}
