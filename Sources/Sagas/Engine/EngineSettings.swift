/// How an engine works; the defaults are production's.
package struct EngineSettings: Sendable {
    /// How long a saga belongs to a process that says nothing: the longest time that a crash delays it.
    package var lease: Duration
    /// How many sagas one process drives at once.
    package var parallel: Int
    /// How long to wait for a bell before looking for work all the same.
    package var poll: Duration
    /// What waits for shorter stays in hand; what waits longer gives its lease back, and its place to another.
    package var longestPause: Duration
    /// How long a stop waits for the steps that are under way.
    package var grace: Duration
    package var forward: Backoff
    package var undo: Backoff
    /// For so long an undo, or a step after which there is no way back, goes on failing before a person is asked.
    package var persistence: Duration
    /// So often at least an attempt is made before patience can run out, so that a restart after a long time is no failure.
    package var leastAttempts: Int

    package init(
        lease: Duration = .seconds(30),
        parallel: Int = 32,
        poll: Duration = .milliseconds(500),
        longestPause: Duration = .seconds(1),
        grace: Duration = .milliseconds(400),
        forward: Backoff = Backoff(),
        undo: Backoff = Backoff(),
        persistence: Duration = .seconds(24 * 3600),
        leastAttempts: Int = 8
    ) {
        self.lease = lease
        self.parallel = parallel
        self.poll = poll
        self.longestPause = longestPause
        self.grace = grace
        self.forward = forward
        self.undo = undo
        self.persistence = persistence
        self.leastAttempts = leastAttempts
    }
}
