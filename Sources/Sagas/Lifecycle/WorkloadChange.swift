internal import Commands
internal import Domain
internal import Kernel
internal import Platform

/// Another specification of the workload in place of the one there is, and back.
///
/// What the two are made of is read from the saga's input, so that every change that is made in place shares the steps.
struct WorkloadChange: Sendable {
    let ports: ProvisioningPorts
    /// The instance as it is, and as it is to be.
    let read: @Sendable (StepContext) throws(PortError) -> (made: MadeInstance, changed: MadeInstance)

    /// The first step of such a change; its undo comes last, and waits until what there was is well again.
    var previewing: SagaStep {
        SagaStep(
            "preview-capacity",
            policy: .init(target: "nomad"),
            ensure: previewCapacity,
            ensureAbsent: awaitRestored,
            undoAfter: ["register-workload"]
        )
    }

    /// The steps that put the one in place of the other.
    var replacing: [SagaStep] {
        let nomad = StepPolicy(target: "nomad", poll: .milliseconds(500))
        return [
            SagaStep(
                "register-workload",
                policy: .init(target: "nomad"),
                ensure: registerWorkload,
                probe: probeWorkload,
                ensureAbsent: restoreWorkload
            ),
            SagaStep("promote-canary", policy: nomad, ensure: promoteCanary),
            SagaStep("await-healthy", policy: nomad, ensure: awaitHealthy),
        ]
    }

    /// Whether there would be room; what there is none for is not begun.
    func previewCapacity(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try read(context)
        let workload = try ports.workload(input.changed, saga: context.saga)
        guard let missing = try await ports.scheduler.preview(workload) else { return .done }
        throw .permanent(code: "no-capacity", message: "there is no room for it: \(missing)")
    }

    /// Waits until the former specification, which the undo before this one registered, is well again.
    func awaitRestored(_ context: StepContext) async throws(PortError) -> UndoResult {
        guard let note = context.notes["register-workload"],
            let registered = try? JSON.decode(RegisteredWorkload.self, from: note.utf8)
        else { return .done }
        guard try await ports.scheduler.promote(registered) else {
            throw .pending(code: "not-healthy", message: "the former version is not well yet")
        }
        let instance = try read(context).made.agreed.instance
        return try await ports.healthyAgain(registered, of: instance, wait: .seconds(1))
    }

    func registerWorkload(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try read(context)
        let workload = try ports.workload(input.changed, saga: context.saga)
        return .done(outcome(try await ports.scheduler.register(workload), input))
    }

    func probeWorkload(_ context: StepContext) async throws(PortError) -> Presence<StepResult> {
        let input = try read(context)
        switch try await ports.scheduler.probe(try ports.workload(input.changed, saga: context.saga)) {
        case .present(let registered): return .present(.done(outcome(registered, input)))
        case .absent, .pending: return .absent
        case .foreign(let message): return .foreign(message)
        case .newer: return .newer
        }
    }

    /// Registers the former specification again, in place of whatever has come in or is still on its way.
    func restoreWorkload(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try read(context)
        let registered = try await ports.scheduler.restore(try ports.workload(input.made, saga: context.saga))
        // A registered workload is always JSON.
        let note = (try? JSON.encode(registered)).map { String(decoding: $0, as: UTF8.self) }
        return UndoResult(note: note, facts: outcome(registered, input).facts)
    }

    /// Lets the canary take over once it is healthy; the plane has looked at it, so nobody else has to.
    func promoteCanary(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try read(context)
        guard input.changed.agreed.plan.update.canary > 0 else { return .skipped(why: "the plan has no canary") }
        if try await ports.scheduler.promote(try registered(context)) { return .done }
        guard context.elapsed <= ports.settings.healthPatience else {
            throw .permanent(code: "not-healthy", message: "the canary did not become healthy in time")
        }
        return .waiting(condition: "CanaryHealthy", reason: "the canary is not healthy yet")
    }

    /// Waits for exactly the version that was registered.
    func awaitHealthy(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try read(context)
        let registered = try registered(context)
        let isLate = context.elapsed > ports.settings.healthPatience
        switch try await ports.scheduler.health(of: registered, wait: .seconds(1)) {
        case .healthy:
            let fact = InstanceEvent.BecameHealthy(job: registered.job, jobVersion: registered.version)
            return .done(StepOutcome(facts: [.instance(input.made.agreed.instance, .recordHealthy(fact))]))
        case .deploying(let reason), .waitingForCapacity(let reason):
            guard !isLate else { throw .permanent(code: "not-healthy", message: "not healthy in time: \(reason)") }
            return .waiting(condition: "Healthy", reason: reason)
        case .failed(let reason):
            throw .permanent(code: "workload-failed", message: reason)
        }
    }

    func registered(_ context: StepContext) throws(PortError) -> RegisteredWorkload {
        try context.registered(by: "register-workload")
    }

    private func outcome(
        _ registered: RegisteredWorkload,
        _ input: (made: MadeInstance, changed: MadeInstance)
    ) -> StepOutcome {
        let fact = InstanceEvent.WorkloadRegistered(
            job: registered.job,
            jobVersion: registered.version,
            modifyIndex: registered.modifyIndex,
            specHash: registered.specHash,
            generation: input.made.agreed.generation,
            oauthClient: input.made.agreed.oauthClient
        )
        return StepOutcome(
            output: registered.output,
            facts: [.instance(input.made.agreed.instance, .recordWorkload(fact))]
        )
    }
}
