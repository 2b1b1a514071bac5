internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Gives a release to all instances, wave after wave: each wave is watched for a while before the next one begins.
///
/// Every instance changes by a saga of its own. Nothing is ever taken back here: an instance whose change fails has the
/// release before, and too many of them pause the roll-out until a person decides.
package struct RollOut: Sendable {
    let ports: ProvisioningPorts
    /// So many instances are asked in one append, which the log lets be 1 MiB large.
    let part: Int

    package init(ports: ProvisioningPorts, part: Int = 100) {
        self.ports = ports
        self.part = part
    }

    /// A roll-out is for so many instances at most, because the list of them is one event.
    static let most = 20_000

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "roll-out"

    /// What it works with.
    struct Input: SagaInput {
        var rollout: RolloutID
        var started: RolloutEvent.Started
    }

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            priority: 2,
            steps: steps,
            begin: { (cause, _) throws(SagaBeginError) in
                guard let id = RolloutID(cause.stream.id),
                    case .started(let fact) = try ProvisionInput.decoded(RolloutEvent.self, cause)
                else { throw .malformed("\(cause.stream) is no roll-out that was started") }
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: nil,
                    input: try Input(rollout: id, started: fact).json()
                )
            },
            scope: { "rollout-\($0["rollout"]?.string ?? "")" },
            failed: { _, _ in [] }
        )
    }

    /// The table has as many waves as there can be; those that a roll-out does not have are passed over.
    var steps: [SagaStep] {
        let look = StepPolicy(target: "log", timeout: .seconds(300), poll: .seconds(1), longestPoll: .seconds(15))
        let choose = SagaStep(
            "choose",
            policy: .init(target: "log", timeout: .seconds(300), pivot: true, irrevocable: true),
            ensure: self.choose
        )
        let waves = (1...Rollout.most).flatMap { wave in
            [
                SagaStep("start-wave-\(wave)", policy: look) { context throws(PortError) in
                    try await startWave(wave, context)
                },
                SagaStep("await-wave-\(wave)", policy: look) { context throws(PortError) in
                    try await awaitWave(wave, context)
                },
                SagaStep("bake-\(wave)", policy: look) { context throws(PortError) in
                    try await bake(wave, context)
                },
            ]
        }
        return [choose] + waves + [SagaStep("finish", policy: look, ensure: finish)]
    }

    /// Every instance that there is now; those that come later begin with the default release.
    private func choose(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        let records = try ports.recorded()
        var chosen: [JSONValue] = []
        for id in try await records.instances(of: nil) {
            let instance = try await records.instance(id)
            guard instance.requested?.release.application == input.started.release.application,
                instance.stage != .terminated, instance.stage != .terminating
            else { continue }
            chosen.append(.string("\(id)"))
        }
        guard chosen.count <= Self.most else {
            throw .blocked(code: "too-many", message: "\(chosen.count) instances are more than one roll-out can name")
        }
        return .done(StepOutcome(output: ["instances": .array(chosen)]))
    }

    /// Asks those whose turn it is, each as it is now; a large wave in several parts.
    private func startWave(_ wave: Int, _ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        guard wave <= input.started.waves.count else { return .skipped(why: "there is no such wave") }
        let records = try ports.recorded()
        let rollout = try await records.rollout(input.rollout)
        switch rollout.stage {
        case .aborted: return .skipped(why: "the roll-out was aborted")
        case .paused: return .waiting(condition: "Resumed", reason: "the roll-out is paused")
        case .absent, .running, .finished: break
        }
        if let reason = try await end(of: input.started.release, records) {
            return .progress(
                condition: "Resumed",
                reason: reason,
                facts: [.rollout(input.rollout, .hold(reason: reason))]
            )
        }
        let all = chosen(context)
        guard let goal = RolloutWave(input.started.waves[wave - 1]) else {
            throw .blocked(code: "wave-malformed", message: "\(input.started.waves[wave - 1]) is no wave")
        }
        let known = Set(rollout.met)
        var met = rollout.met.count
        var (asked, skipped, facts) = ([InstanceID](), [RolloutEvent.Skipped](), [DomainFact]())
        let before = rollout.wave == wave ? rollout.asked.count : 0
        var isComplete: Bool {
            goal.isReached(asked: rollout.askedInAll + asked.count, here: before + asked.count, met: met, of: all.count)
        }
        for id in all.lazy.filter({ !known.contains($0) }).prefix(part) where !isComplete {
            let instance = try await records.instance(id)
            if let reason = try await Self.obstacle(instance, input.started, records) {
                skipped.append(.init(instance: id, reason: reason))
            } else {
                asked.append(id)
                facts.append(.instance(id, .offerChange(Self.wish(instance, input.started))))
            }
            met += 1
        }
        let fact = RolloutEvent.WaveStarted(wave: wave, instances: asked, skipped: skipped, total: all.count)
        facts.append(.rollout(input.rollout, .startWave(fact)))
        guard isComplete || met >= all.count else {
            return .progress(condition: "Asked", reason: "it was the turn of \(met) of \(all.count)", facts: facts)
        }
        return .done(StepOutcome(facts: facts))
    }

    /// Why nobody may be given the release any more; `nil` when everybody may.
    private func end(of release: ReleaseSnapshot, _ records: Records) async throws(PortError) -> String? {
        let known = try await records.releases(of: release.application).versions[release.version]
        return known?.status == .eol ? "the release has reached its end of life" : nil
    }

    private static func wish(_ instance: Instance, _ started: RolloutEvent.Started) -> InstanceEvent.ChangeRequested {
        InstanceEvent.ChangeRequested(
            change: InstanceChange.version,
            from: instance.requested?.release.version ?? "",
            to: started.release.version,
            release: started.release,
            strategy: started.strategy
        )
    }

    /// The ends of the children wake it.
    private func awaitWave(_ wave: Int, _ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        let records = try ports.recorded()
        let rollout = try await records.rollout(input.rollout)
        guard rollout.wave == wave else { return .skipped(why: "the wave was not started") }
        let asked = rollout.asked
        var (changed, failed) = ([InstanceID](), [InstanceID]())
        // Whoever was asked last is changed last, so that one look is enough most of the time.
        for id in asked.reversed() {
            let instance = try await records.instance(id)
            if instance.requested?.release.version == input.started.release.version {
                changed.append(id)
            } else if instance.change?.change == InstanceChange.version,
                instance.change?.to == input.started.release.version
            {
                return .waiting(condition: "Changed", reason: "not every instance of wave \(wave) is changed yet")
            } else {
                failed.append(id)
            }
        }
        let fact = RolloutEvent.WaveFinished(wave: wave, changed: changed.reversed(), failed: failed.reversed())
        var facts = [DomainFact.rollout(input.rollout, .finishWave(fact))]
        if failed.count > input.started.tolerated {
            let reason = "\(failed.count) of \(asked.count) instances of wave \(wave) could not be changed"
            facts.append(.rollout(input.rollout, .hold(reason: reason)))
        }
        return .done(StepOutcome(output: ["failed": .integer(Int64(failed.count))], facts: facts))
    }

    /// An aborted roll-out need not wait; nor is there anything to watch where nobody was asked, or after the last wave.
    private func bake(_ wave: Int, _ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        let records = try ports.recorded()
        let rollout = try await records.rollout(input.rollout)
        guard wave < input.started.waves.count, rollout.wave == wave, !rollout.asked.isEmpty else {
            return .skipped(why: "there is nothing to be watched")
        }
        switch rollout.stage {
        case .aborted: return .skipped(why: "the roll-out was aborted")
        // Whoever pauses it wants to look for longer: what passes meanwhile does not count.
        case .paused: return .waiting(condition: "Resumed", reason: "the roll-out is paused")
        case .absent, .running, .finished: break
        }
        let bake = Duration.seconds(input.started.bake)
        if context.elapsed >= bake {
            let start = context.now + (.zero - context.elapsed)
            let paused = try await records.pauses(of: input.rollout, since: start, until: context.now)
            if context.elapsed - paused >= bake { return .done }
        }
        return .waiting(condition: "Baked", reason: "wave \(wave) is watched for \(input.started.bake) s")
    }

    /// A pause of the last wave has to be answered, too.
    private func finish(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        if try await ports.recorded().rollout(input.rollout).stage == .paused {
            return .waiting(condition: "Resumed", reason: "the roll-out is paused")
        }
        return .done(StepOutcome(facts: [.rollout(input.rollout, .finish)]))
    }

    /// Why an instance cannot be asked now; `nil` when it can.
    static func obstacle(
        _ instance: Instance,
        _ started: RolloutEvent.Started,
        _ records: Records
    ) async throws(PortError) -> String? {
        guard instance.stage == .running else { return "it is \(instance.stage.rawValue)" }
        guard let requested = instance.requested else { return "it is not there" }
        if requested.release.version == started.release.version { return "it has the release already" }
        guard started.minimumTier <= requested.plan.tier else {
            return "its plan \(requested.plan.tier.rawValue) is too small"
        }
        let subscription = try await records.subscription(requested.subscription)
        if let next = subscription.scheduled?.plan.tier, next < started.minimumTier {
            return "its plan is going to be \(next.rawValue), which is too small"
        }
        let organization = try await records.organization(requested.organization)
        guard organization.stage == .active else { return "its organization is \(organization.stage.rawValue)" }
        return nil
    }

    private func chosen(_ context: StepContext) -> [InstanceID] {
        (context.outputs["choose"]?["instances"]?.array ?? []).compactMap { $0.string.flatMap { InstanceID($0) } }
    }
}
