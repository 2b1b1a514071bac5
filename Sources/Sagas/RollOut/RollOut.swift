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
        return [choose] + waves + [SagaStep("finish", policy: .init(target: "log"), ensure: finish)]
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
                facts: [.rollout(input.rollout, .pause(reason: reason))]
            )
        }
        let all = chosen(context)
        let end = RolloutWave(input.started.waves[wave - 1])?.end(of: all.count) ?? all.count
        let known = Set(rollout.met)
        let turn = all.filter { !known.contains($0) }.prefix(min(part, max(0, end - rollout.met.count)))
        var (asked, skipped, facts) = ([InstanceID](), [RolloutEvent.Skipped](), [DomainFact]())
        for id in turn {
            let instance = try await records.instance(id)
            if let reason = Self.obstacle(instance, input.started) {
                skipped.append(.init(instance: id, reason: reason))
            } else {
                asked.append(id)
                facts.append(.instance(id, .offerChange(Self.wish(instance, input.started))))
            }
        }
        let fact = RolloutEvent.WaveStarted(wave: wave, instances: asked, skipped: skipped, total: all.count)
        facts.append(.rollout(input.rollout, .startWave(fact)))
        let met = rollout.met.count + turn.count
        guard met >= end else {
            return .progress(condition: "Asked", reason: "it was the turn of \(met) of \(end)", facts: facts)
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
        var (changed, failed, open) = ([InstanceID](), [InstanceID](), 0)
        for id in asked {
            let instance = try await records.instance(id)
            if instance.requested?.release.version == input.started.release.version {
                changed.append(id)
            } else if instance.change?.change == InstanceChange.version,
                instance.change?.to == input.started.release.version
            {
                open += 1
            } else {
                failed.append(id)
            }
        }
        guard open == 0 else {
            return .waiting(condition: "Changed", reason: "\(open) of \(asked.count) instances are changed")
        }
        let fact = RolloutEvent.WaveFinished(wave: wave, changed: changed, failed: failed)
        var facts = [DomainFact.rollout(input.rollout, .finishWave(fact))]
        if failed.count > input.started.tolerated, rollout.stage == .running {
            let reason = "\(failed.count) of \(asked.count) instances of wave \(wave) could not be changed"
            facts.append(.rollout(input.rollout, .pause(reason: reason)))
        }
        return .done(StepOutcome(output: ["failed": .integer(Int64(failed.count))], facts: facts))
    }

    /// A durable timer; an aborted roll-out need not wait, and after the last wave nothing is waited for.
    private func bake(_ wave: Int, _ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        let rollout = try await ports.recorded().rollout(input.rollout)
        guard wave < input.started.waves.count, rollout.wave == wave else {
            return .skipped(why: "nothing comes after it")
        }
        if rollout.stage == .aborted { return .skipped(why: "the roll-out was aborted") }
        guard context.elapsed < .seconds(input.started.bake) else { return .done }
        return .waiting(condition: "Baked", reason: "wave \(wave) is watched for \(input.started.bake) s")
    }

    private func finish(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        return .done(StepOutcome(facts: [.rollout(input.rollout, .finish)]))
    }

    /// Why an instance cannot be asked now; `nil` when it can.
    static func obstacle(_ instance: Instance, _ started: RolloutEvent.Started) -> String? {
        guard instance.stage == .running else { return "it is \(instance.stage.rawValue)" }
        guard let requested = instance.requested else { return "it is not there" }
        if requested.release.version == started.release.version { return "it has the release already" }
        guard started.minimumTier <= requested.plan.tier else {
            return "its plan \(requested.plan.tier.rawValue) is too small"
        }
        return nil
    }

    private func chosen(_ context: StepContext) -> [InstanceID] {
        (context.outputs["choose"]?["instances"]?.array ?? []).compactMap { $0.string.flatMap { InstanceID($0) } }
    }
}
