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
    /// Who those are, oldest event first.
    package var blockedOrganizations: [BlockedOrganization]
    /// How far each of its slices is, by number.
    package var slices: [Slice]

    /// One part of it, which is fed by itself.
    package struct Slice: Codable, Equatable, Sendable {
        package var slice: Int
        package var position: Int64
        package var lag: Int64
    }

    package init(
        name: String,
        shape: Int,
        build: Int,
        live: Bool,
        position: Int64,
        lag: Int64,
        lagSeconds: Double,
        blockedOrganizations: [BlockedOrganization] = [],
        slices: [Int64]
    ) {
        self.name = name
        self.shape = shape
        self.build = build
        self.live = live
        self.position = position
        self.lag = lag
        self.lagSeconds = lagSeconds
        self.blocked = blockedOrganizations.count
        self.blockedOrganizations = blockedOrganizations
        self.slices = slices.enumerated().map { number, slice in
            Slice(slice: number, position: slice, lag: max(0, position + lag - slice))
        }
    }
}
