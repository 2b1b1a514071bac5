package import Domain
package import Kernel

/// The write model of one roll-out of a release.
package struct Rollout: Decider {
    package static let stateVersion: Int16 = 1

    /// Where a roll-out is in its life; the raw value is what people are shown.
    package enum Stage: String, Codable, Sendable, CaseIterable {
        case absent, running, paused, aborted, finished
    }

    package enum Command: Sendable, Equatable {
        case start(RolloutEvent.Started)
        case startWave(RolloutEvent.WaveStarted)
        case finishWave(RolloutEvent.WaveFinished)
        case pause(reason: String)
        /// The roll-out's own word: as a pause, but one that an operator's pause does not make superfluous.
        case hold(reason: String)
        case resume(reason: String)
        /// No further wave begins; what is under way ends.
        case abort(reason: String)
        case finish
    }

    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        case alreadyStarted
        case notStarted
        /// One to eight waves, each `N` or `N%`, shares never smaller than the one before.
        case wavesMalformed
        /// Neither the time nor the number of failures can be negative.
        case figuresMalformed
        /// It waits for nobody's word.
        case notPaused
        /// It waits for somebody's word, or is over: nobody is asked now.
        case notRunning
        /// Another roll-out of the application is not over.
        case anotherRuns
        case aborted
        case finished
    }

    /// So many waves at most.
    package static let most = 8

    package private(set) var stage = Stage.absent
    package private(set) var started: RolloutEvent.Started?
    /// The last wave that was begun; 0 before the first.
    package private(set) var wave = 0
    /// Who was asked in that wave, in order.
    package private(set) var asked: [InstanceID] = []
    /// How many were asked in all waves.
    package private(set) var askedInAll = 0
    /// Whose turn it has been, asked or passed over, in any wave; each once.
    package private(set) var met: [InstanceID] = []
    /// The last wave that has ended.
    package private(set) var ended = 0
    /// Whether everything that was begun has come to an end.
    package private(set) var isOver = false

    package init() {}

    package mutating func evolve(_ event: RolloutEvent) {
        switch event {
        case .started(let fact): (stage, started) = (.running, fact)
        case .waveStarted(let fact):
            if fact.wave != wave { asked = [] }
            wave = fact.wave
            asked += fact.instances
            askedInAll += fact.instances.count
            met += fact.instances + fact.skipped.map(\.instance)
        case .waveFinished(let fact): ended = fact.wave
        case .paused: stage = .paused
        case .resumed: stage = .running
        case .aborted: stage = .aborted
        case .finished:
            isOver = true
            if stage != .aborted { stage = .finished }
        }
    }

    package func decide(_ command: Command) throws(Refusal) -> [RolloutEvent] {
        switch (command, stage) {
        case (.start(let fact), .absent):
            try check(fact)
            return [.started(fact)]
        case (.start, _): throw .alreadyStarted
        case (_, .absent): throw .notStarted
        case (.startWave(let fact), .running): return Self.startWave(fact, after: self)
        case (.startWave, _): throw .notRunning
        case (.hold(let reason), .running), (.hold(let reason), .paused): return [.paused(.init(reason: reason))]
        case (.hold, _): return []
        case (.finishWave(let fact), _): return fact.wave > ended ? [.waveFinished(fact)] : []
        case (.finish, _): return isOver ? [] : [.finished(.init())]
        case (_, .finished): throw .finished
        case (.abort(let reason), .running), (.abort(let reason), .paused): return [.aborted(.init(reason: reason))]
        case (.abort, .aborted): return []
        case (_, .aborted): throw .aborted
        case (.pause(let reason), .running): return [.paused(.init(reason: reason))]
        case (.pause, _): return []
        case (.resume(let reason), .paused): return [.resumed(.init(reason: reason))]
        case (.resume, _): throw .notPaused
        }
    }

    /// A large wave is started in parts, each of which says who comes in addition.
    private static func startWave(_ fact: RolloutEvent.WaveStarted, after rollout: Rollout) -> [RolloutEvent] {
        guard fact.wave >= rollout.wave, fact.wave > rollout.ended else { return [] }
        var new = fact
        let met = Set(rollout.met)
        new.instances.removeAll(where: met.contains)
        new.skipped.removeAll { met.contains($0.instance) }
        let saysMore = fact.wave > rollout.wave || !new.instances.isEmpty || !new.skipped.isEmpty
        return saysMore ? [.waveStarted(new)] : []
    }

    private func check(_ fact: RolloutEvent.Started) throws(Refusal) {
        guard (1...Self.most).contains(fact.waves.count) else { throw .wavesMalformed }
        var share = 0
        for text in fact.waves {
            guard let wave = RolloutWave(text) else { throw .wavesMalformed }
            if case .percent(let percent) = wave {
                guard percent >= share else { throw .wavesMalformed }
                share = percent
            }
        }
        guard fact.bake >= 0, fact.tolerated >= 0 else { throw .figuresMalformed }
    }
}
