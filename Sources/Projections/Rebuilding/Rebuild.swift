package import Kernel

/// What an operator asks of a rebuild.
package struct RebuildOrder: Sendable, Equatable {
    /// Fold no further than this: the build is to be looked at, and never shown.
    package var until: Int64?
    /// The same by a time: everything that was recorded at or before it.
    package var asOf: Timestamp?
    /// How many workers fold.
    package var parallel: Int
    /// Whether the build is dropped once it was compared.
    package var isDry: Bool
    /// Whether it is shown as soon as it was found equal.
    package var switches: Bool

    package init(
        until: Int64? = nil,
        asOf: Timestamp? = nil,
        parallel: Int = 2,
        isDry: Bool = false,
        switches: Bool = true
    ) {
        self.until = until
        self.asOf = asOf
        self.parallel = min(max(parallel, 1), 16)
        self.isDry = isDry
        self.switches = switches
    }
}

/// How one rebuild goes, or went.
package struct RebuildState: Codable, Equatable, Sendable {
    package enum Phase: String, Codable, Sendable, CaseIterable {
        /// The log is folded into tables without indexes.
        case loading
        case indexing
        /// What was appended meanwhile is folded.
        case catchingUp = "catching-up"
        /// It is compared with the live build at one position.
        case verifying
        /// It takes the place of the live build.
        case switching
        /// It is shown, or was.
        case done
        /// It is equal and kept fed, and waits to be shown.
        case ready
        /// It is not what the live build is; kept fed, for a person to decide.
        case unequal
        /// It stays where it was told to stop.
        case held
        case cancelled
        case failed
    }

    /// What comparing with the live build at one position came to.
    package struct Verdict: Codable, Equatable, Sendable {
        package var position: Int64
        package var rows: Int64
        package var liveRows: Int64
        package var checksum: String
        package var liveChecksum: String
        /// The keys of some rows that are not the same.
        package var differing: [String]

        package var isEqual: Bool { rows == liveRows && checksum == liveChecksum }
    }

    package var name: String
    package var shape: Int
    package var build: Int
    package var phase: Phase
    package var paused: Bool
    package var dryRun: Bool
    /// The last position that is folded, and the one to reach.
    package var position: Int64
    package var goal: Int64
    package var percent: Double
    /// How many events were folded.
    package var events: Int64
    package var eventsPerSecond: Double
    @Nullable package var secondsLeft: Double?
    package var verdict: Verdict?
    @Nullable package var error: String?
    package var startedAt: Timestamp
    package var updatedAt: Timestamp
    @Nullable package var endedAt: Timestamp?
}

/// Why an operator's wish about builds cannot be met; nothing was changed.
package enum RebuildError: Error, Equatable, Sendable {
    case unknownProjection
    case unknownBuild
    /// What stands in the way.
    case notPossible(String)
    /// The log has not got so far; this is where it is.
    case beyond(Int64)
    /// A rebuild stops at a position or at a time, not at both.
    case twoEnds
    /// The time is still to come.
    case future
    /// The command was used for something else.
    case commandReused
    case unavailable
}

/// How much a rebuild holds in memory, and how often it writes.
package struct RebuildSettings: Sendable {
    /// Events read at once.
    package var stretch: Int
    /// Rows held before they are written and let go.
    package var mostRows: Int
    /// How much folding a crash may cost.
    package var flushEvery: Duration

    package init(stretch: Int = 20_000, mostRows: Int = 50_000, flushEvery: Duration = .seconds(10)) {
        self.stretch = stretch
        self.mostRows = mostRows
        self.flushEvery = flushEvery
    }
}
