package import Kernel

/// What a ``RolloutID`` names.
package enum RolloutSubject {}

package typealias RolloutID = Identifier<RolloutSubject>

/// Everything that can have happened to one roll-out of a release.
package enum RolloutEvent: EventFamily {
    case started(Started)
    case waveStarted(WaveStarted)
    case waveFinished(WaveFinished)
    case paused(Because)
    case resumed(Because)
    case aborted(Because)
    case finished(Nothing)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case started = "rollout.started"
        case waveStarted = "rollout.wave-started"
        case waveFinished = "rollout.wave-finished"
        case paused = "rollout.paused"
        case resumed = "rollout.resumed"
        case aborted = "rollout.aborted"
        case finished = "rollout.finished"
    }
}

/// How far a wave goes, counted from the beginning: so many instances, or such a share of all of them.
package enum RolloutWave: Hashable, Sendable, CustomStringConvertible {
    case count(Int)
    case percent(Int)

    /// `3` or `50%`; `nil` for anything else.
    package init?(_ text: String) {
        let isShare = text.hasSuffix("%")
        let digits = isShare ? text.dropLast() : text[...]
        guard digits.allSatisfy(\.isASCII), let number = Int(digits), number > 0, !isShare || number <= 100 else {
            return nil
        }
        self = isShare ? .percent(number) : .count(number)
    }

    package var description: String {
        switch self {
        case .count(let number): "\(number)"
        case .percent(let number): "\(number)%"
        }
    }

    /// Whether everybody has been asked who is to be by its end.
    ///
    /// A number counts those who were asked, a share those whose turn it was; and a wave asks somebody, if there is anybody.
    ///
    /// - Parameters:
    ///   - asked: How many were asked since the beginning.
    ///   - here: How many of them in this wave.
    ///   - met: How many had their turn, asked or passed over.
    ///   - total: How many there are.
    /// - Returns: `false` while it is somebody's turn.
    package func isReached(asked: Int, here: Int, met: Int, of total: Int) -> Bool {
        switch self {
        case _ where met >= total: true
        case _ where here == 0: false
        case .count(let number): asked >= number
        case .percent(let number): met >= (total * number + 99) / 100
        }
    }
}

extension RolloutEvent {
    package struct Started: Fact {
        package var release: ReleaseSnapshot
        package var minimumTier: Tier
        package var strategy: ReleaseStrategy
        /// One for each wave, such as `1`, `10%`, `100%`: how far it goes, counted from the beginning.
        package var waves: [String]
        /// In seconds: for so long a wave is watched before the next one.
        package var bake: Int64
        /// So many instances of a wave may fail; one more pauses the roll-out.
        package var tolerated: Int
        package init(
            release: ReleaseSnapshot,
            minimumTier: Tier,
            strategy: ReleaseStrategy,
            waves: [String],
            bake: Int64,
            tolerated: Int
        ) {
            self.release = release
            self.minimumTier = minimumTier
            self.strategy = strategy
            self.waves = waves
            self.bake = bake
            self.tolerated = tolerated
        }
    }

    /// A wave begins, or goes on: each names those who come in addition.
    package struct WaveStarted: Fact {
        /// Counted from 1.
        package var wave: Int
        /// Those that are asked to change.
        package var instances: [InstanceID]
        /// Those whose turn it was and that cannot be asked.
        package var skipped: [Skipped]
        /// How many instances there were when the roll-out chose.
        package var total: Int
        package init(wave: Int, instances: [InstanceID], skipped: [Skipped], total: Int) {
            self.wave = wave
            self.instances = instances
            self.skipped = skipped
            self.total = total
        }
    }

    package struct Skipped: Fact {
        package var instance: InstanceID
        package var reason: String
        package init(instance: InstanceID, reason: String) {
            self.instance = instance
            self.reason = reason
        }
    }

    package struct WaveFinished: Fact {
        /// Counted from 1.
        package var wave: Int
        package var changed: [InstanceID]
        /// Those that run what they ran before.
        package var failed: [InstanceID]
        package init(wave: Int, changed: [InstanceID], failed: [InstanceID]) {
            self.wave = wave
            self.changed = changed
            self.failed = failed
        }
    }
}

extension RolloutEvent {
    package static let category = "rollout"

    package var name: Name {
        switch self {
        case .started: .started
        case .waveStarted: .waveStarted
        case .waveFinished: .waveFinished
        case .paused: .paused
        case .resumed: .resumed
        case .aborted: .aborted
        case .finished: .finished
        }
    }

    package var fact: any Fact {
        switch self {
        case .started(let fact): fact
        case .waveStarted(let fact): fact
        case .waveFinished(let fact): fact
        case .paused(let fact): fact
        case .resumed(let fact): fact
        case .aborted(let fact): fact
        case .finished(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .started: .only(Self.started)
        case .waveStarted: .only(Self.waveStarted)
        case .waveFinished: .only(Self.waveFinished)
        case .paused: .only(Self.paused)
        case .resumed: .only(Self.resumed)
        case .aborted: .only(Self.aborted)
        case .finished: .only(Self.finished)
        }
    }
}
