internal import HTTPTypes
internal import Kernel
internal import Synchronization

/// How many requests one principal may send in a minute.
package struct RateLimits: Sendable, Equatable {
    package var commands: Int
    package var reads: Int

    /// The usual ones of production.
    package init(commands: Int = 300, reads: Int = 6000) {
        self.commands = commands
        self.reads = reads
    }
}

/// Two token buckets for each principal, one for commands and one for reads; each process has its own.
///
/// A bucket holds a minute's worth, so that a principal who was silent may send it at once.
final class RateLimiter: Sendable {
    /// Which of the two a request is taken from.
    enum Policy: String, Sendable, CaseIterable {
        case commands, reads

        init(_ method: HTTPRequest.Method) {
            self = method == .get || method == .head || method == .options ? .reads : .commands
        }
    }

    /// What is left after a request.
    struct Share: Sendable, Equatable {
        var policy: Policy
        /// How many in a minute.
        var quota: Int
        var remaining: Int
        /// Whole seconds until the bucket is full again, or, when it is empty, until there is one more.
        var seconds: Int
        var isRefused: Bool

        /// draft-ietf-httpapi-ratelimit-headers.
        var headers: HTTPFields {
            [
                .rateLimitPolicy: "\"\(policy.rawValue)\";q=\(quota);w=60",
                .rateLimit: "\"\(policy.rawValue)\";r=\(remaining);t=\(seconds)",
            ]
        }
    }

    private struct Bucket {
        var level: Double
        var at: Timestamp
    }

    private struct Name: Hashable {
        var principal: String
        var policy: Policy
    }

    private let limits: RateLimits
    private let buckets = Mutex<[Name: Bucket]>([:])
    /// Beyond it those that are full again, which say nothing, are thrown away.
    private let most: Int

    init(_ limits: RateLimits, most: Int = 100_000) {
        self.limits = limits
        self.most = most
    }

    /// Takes one request of a principal from its bucket, if there is one left.
    func take(_ principal: String, _ policy: Policy, at moment: Timestamp) -> Share {
        let quota = policy == .commands ? limits.commands : limits.reads
        let name = Name(principal: principal, policy: policy)
        return buckets.withLock { buckets in
            if buckets[name] == nil, buckets.count >= most { tidy(&buckets, at: moment) }
            var level = level(of: buckets[name], quota: quota, at: moment)
            let isRefused = level < 1
            if !isRefused { level -= 1 }
            // A clock that is put back fills nothing.
            let at = max(moment, buckets[name]?.at ?? moment)
            buckets[name] = Bucket(level: level, at: at)
            let missing = level < 1 ? 1 - level : Double(quota) - level
            return Share(
                policy: policy,
                quota: quota,
                remaining: Int(level),
                seconds: Int((missing * 60 / Double(quota)).rounded(.up)),
                isRefused: isRefused
            )
        }
    }

    private func level(of bucket: Bucket?, quota: Int, at moment: Timestamp) -> Double {
        guard let bucket else { return Double(quota) }
        let elapsed = Double(max(0, (moment - bucket.at).microseconds)) / 60_000_000
        return min(Double(quota), bucket.level + elapsed * Double(quota))
    }

    private func tidy(_ buckets: inout [Name: Bucket], at moment: Timestamp) {
        buckets = buckets.filter { name, bucket in
            let quota = name.policy == .commands ? limits.commands : limits.reads
            return level(of: bucket, quota: quota, at: moment) < Double(quota)
        }
        // Whoever has so many principals has them all busy; then everybody begins with a full bucket again.
        if buckets.count >= most { buckets.removeAll() }
    }
}
