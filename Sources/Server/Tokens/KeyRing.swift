package import Kernel
package import Logging

/// The keys that an issuer signs with, as it publishes them: fetched when they are needed, and again when they are old
/// or when a token names one that is not among them, but never more often than the limits say.
package actor KeyRing {
    /// How long what is known may be believed.
    package struct Limits: Sendable {
        /// Fetched again after this time.
        package var fresh: Duration
        /// When they cannot be fetched, the known ones are good for so long.
        package var stale: Duration
        /// At least so much lies between two attempts, whoever asks for whatever.
        package var pause: Duration
        /// A key that was not there is not looked for again so soon.
        package var absent: Duration

        package init(
            fresh: Duration = .seconds(600),
            stale: Duration = .seconds(86_400),
            pause: Duration = .seconds(10),
            absent: Duration = .seconds(60)
        ) {
            (self.fresh, self.stale, self.pause, self.absent) = (fresh, stale, pause, absent)
        }
    }

    /// No key is known, and none can be fetched.
    package struct Unavailable: Error {}

    private let fetch: @Sendable () async -> [UInt8]?
    private let limits: Limits
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private var keys: [String: VerificationKey] = [:]
    private var fetchedAt: Timestamp?
    private var triedAt: Timestamp?
    /// How often they were fetched.
    private var fetches = 0
    /// Names that tokens gave and the issuer did not, and when they were looked for.
    private var absent: [String: Timestamp] = [:]
    private var fetching: Task<Void, Never>?

    /// - Parameters:
    ///   - limits: How long what is known may be believed.
    ///   - now: The time.
    ///   - logger: Takes a line when the keys cannot be fetched.
    ///   - fetch: The key set as the issuer publishes it, within a time of its own; `nil` when it cannot be had.
    package init(
        limits: Limits = Limits(),
        now: @escaping @Sendable () -> Timestamp,
        logger: Logger = Logger(label: "signalbox.tokens"),
        fetch: @escaping @Sendable () async -> [UInt8]?
    ) {
        (self.limits, self.now, self.logger, self.fetch) = (limits, now, logger, fetch)
    }

    /// The key with this id; `nil` when the issuer has none.
    ///
    /// - Throws: ``Unavailable`` when it cannot be said.
    package func key(_ id: String) async throws(Unavailable) -> VerificationKey? {
        let moment = now()
        if fetchedAt.map({ moment - $0 >= limits.fresh }) ?? true { await refresh() }
        if isUsable, let key = keys[id] { return key }
        if let looked = absent[id], now() - looked < limits.absent, isUsable { return nil }
        // The issuer may have begun to sign with a new one.
        let before = fetches
        await refresh()
        guard isUsable else { throw Unavailable() }
        guard let key = keys[id] else {
            // Whoever makes names up must not fill the memory: then the pause between two attempts is what bounds them.
            if absent.count >= 1000 { absent.removeAll() }
            // What was not looked for, because it was too soon, may be there.
            if fetches > before { absent[id] = now() }
            return nil
        }
        return key
    }

    private var isUsable: Bool { fetchedAt.map { now() - $0 < limits.stale } ?? false }

    /// One attempt for all who wait; none too soon after the last.
    private func refresh() async {
        if let fetching { return await fetching.value }
        let moment = now()
        if let triedAt, moment - triedAt < limits.pause { return }
        triedAt = moment
        let task = Task { await self.load() }
        fetching = task
        await task.value
    }

    private func load() async {
        defer { fetching = nil }
        let outcome: ServerMetrics.Fetch
        if let found = await fetch().flatMap({ VerificationKey.set($0) }), !found.isEmpty {
            // Keys that are not published any more are not good any more.
            keys = found
            fetchedAt = now()
            fetches += 1
            absent.removeAll()
            outcome = .fetched
        } else {
            logger.warning("the keys of the issuer of tokens cannot be fetched")
            outcome = .failed
        }
        ServerMetrics.fetches(outcome)
    }
}
