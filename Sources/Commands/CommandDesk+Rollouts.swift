package import Domain
internal import EventStore
package import Kernel

/// What somebody wants of a roll-out.
package struct RolloutWish: Sendable, Equatable {
    package var version: String
    package var strategy: ReleaseStrategy
    package var waves: [String]
    /// In seconds.
    package var bake: Int64
    package var tolerated: Int

    package init(
        version: String,
        strategy: ReleaseStrategy = .zeroDowntime,
        waves: [String] = ["1", "10%", "50%", "100%"],
        bake: Int64 = 600,
        tolerated: Int = 0
    ) {
        self.version = version
        self.strategy = strategy
        self.waves = waves
        self.bake = bake
        self.tolerated = tolerated
    }
}

/// A roll-out that was begun.
package struct RolloutStarted: Codable, Sendable, Equatable {
    package var rollout: RolloutID
    package var operation: UniqueID
}

/// What an operator says to a roll-out; the raw value is the last segment of its route.
package enum RolloutWord: String, Sendable, CaseIterable {
    /// No further wave begins until it is resumed; what is under way goes on.
    case pause
    case resume
    /// No further wave begins; what is under way ends as it will, and nothing is taken back.
    case abort

    func command(_ reason: String) -> Rollout.Command {
        switch self {
        case .pause: .pause(reason: reason)
        case .resume: .resume(reason: reason)
        case .abort: .abort(reason: reason)
        }
    }
}

/// Giving a release to all instances, some after the other; only those who run the plane may.
extension CommandDesk {
    /// Begins to roll a release out.
    package func startRollout(
        _ wish: RolloutWish,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<RolloutStarted> {
        try Self.requireOperator(envelope.principal)
        return try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
            let releases = try await handler.aggregates.load(Release.self, from: Streams.release(settings.application))
            let release: ReleaseSnapshot
            do throws(Release.Refusal) {
                // Which instances are large enough for it is asked of each, when its turn comes.
                release = try releases.model.snapshot(
                    of: settings.application,
                    version: wish.version,
                    for: .enterprise
                )
            } catch { throw .release(error) }
            let id: RolloutID = handler.ids.identifier()
            let operation = handler.ids.unique()
            let fact = RolloutEvent.Started(
                release: release,
                minimumTier: releases.model.versions[wish.version]?.minimumTier ?? .freeTrial,
                strategy: wish.strategy,
                waves: wish.waves,
                bake: wish.bake,
                tolerated: wish.tolerated
            )
            var decision = try decision(
                Aggregate<Rollout>(absent: Streams.rollout(id)),
                [.start(fact)],
                answer: RolloutStarted(rollout: id, operation: operation),
                envelope,
                first: operation
            ) { .rollout($0) }
            // The releases must still be as they were judged.
            decision.writes.append(try releases.write([], ids: handler.ids))
            decision.claims = try await exclusively(Streams.rollout(id))
            return decision
        }
    }

    /// One at a time for the application: two would undo each other's work, and count it as failed.
    private func exclusively(_ stream: StreamName) async throws(CommandError) -> [ClaimChange] {
        let claim = Claim(kind: ClaimKind.rollout, key: settings.application)
        let holder: StreamName?
        do { holder = try await claims.holder(of: claim) } catch { throw .unavailable }
        guard let holder else { return [.take(claim, for: stream)] }
        let before = try await handler.aggregates.load(Rollout.self, from: holder)
        guard before.model.isOver else { throw .rollout(.anotherRuns) }
        return [.release(claim, by: holder), .take(claim, for: stream)]
    }

    /// Has a roll-out pause, go on or end.
    package func steerRollout(
        _ id: RolloutID,
        _ word: RolloutWord,
        reason: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try Self.requireOperator(envelope.principal)
        return try await handler.commit(envelope, knownBy: Streams.rollout(id)) { () throws(CommandError) in
            let rollout = try await handler.aggregates.load(Rollout.self, from: Streams.rollout(id))
            guard rollout.exists else { throw .notFound }
            return try decision(rollout, word.command(reason), answer: Done(), envelope) { .rollout($0) }
        }
    }
}
