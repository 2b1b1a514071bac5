/// How far one build of a read model is.
package struct ProjectionState: Codable, Equatable, Sendable {
    package var name: String
    package var shape: Int
    package var build: Int
    /// Whether the queries read this build.
    package var live: Bool
    /// The last position it has folded, of its slowest slice.
    package var position: Int64
    /// How many events of the log it has not seen yet.
    package var lag: Int64
    /// The age of the oldest of those, in seconds.
    package var lagSeconds: Double
    /// How many organizations are blocked by an event that could not be folded.
    package var blocked: Int

    package init(
        name: String,
        shape: Int,
        build: Int,
        live: Bool,
        position: Int64,
        lag: Int64,
        lagSeconds: Double,
        blocked: Int
    ) {
        self.name = name
        self.shape = shape
        self.build = build
        self.live = live
        self.position = position
        self.lag = lag
        self.lagSeconds = lagSeconds
        self.blocked = blocked
    }
}
