internal import Kernel

/// How long to leave a failing target alone: decorrelated jitter.
///
/// Each pause is drawn between the shortest and three times the one before, so that sagas which failed together do not
/// come back together (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
package struct Backoff: Sendable, Equatable {
    package var shortest: Duration
    package var longest: Duration

    package init(shortest: Duration = .milliseconds(500), longest: Duration = .seconds(300)) {
        self.shortest = shortest
        self.longest = longest
    }

    /// The pause after this one.
    ///
    /// - Parameters:
    ///   - previous: The pause before the attempt that failed; `nil` after the first attempt.
    ///   - random: Any 64 bits.
    /// - Returns: Between ``shortest`` and ``longest``.
    package func pause(after previous: Duration?, random: UInt64) -> Duration {
        let low = shortest.milliseconds
        let high = max(low, min(longest.milliseconds, (previous ?? shortest).milliseconds * 3))
        return .milliseconds(low + Int64(random % UInt64(high - low + 1)))
    }
}
