/// What one contender did in one stretch of time.
struct Sample: Sendable {
    /// How many events were written or read, and in which time.
    var events: Int
    var elapsed: Duration
    /// Of each operation, or of some picked at random, in microseconds, sorted; empty when nobody measured.
    var latencies: [Int64] = []

    /// Events per second.
    var rate: Double { Double(events) / elapsed.inSeconds }

    /// The latency that this share of the operations did not exceed.
    ///
    /// - Parameter share: 0.5 for the median.
    /// - Returns: Microseconds, exact: every operation is kept; `nil` when nobody measured.
    func latency(_ share: Double) -> Int64? {
        latencies.isEmpty ? nil : latencies[Int(Double(latencies.count - 1) * share)]
    }
}

extension Duration {
    /// Seconds with their fraction.
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

extension Array where Element == Double {
    /// The middle one, or the mean of the two in the middle; 0 when empty.
    var median: Double {
        let sorted = sorted()
        guard let last = sorted.last else { return 0 }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2)
            ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted.count == 1 ? last : sorted[middle]
    }
}
