internal import Commands
internal import Domain
internal import Kernel
internal import Platform

/// The other slot: made, looked at, and stopped again when it does not come to serve.
extension ChangeRelease {
    /// Whether there would be room for both; what there is none for is not begun.
    func previewCapacity(_ context: StepContext) async throws(PortError) -> StepResult {
        let workload = try standing(context)
        guard let missing = try await ports.scheduler.preview(workload) else { return .done }
        throw .permanent(code: "no-capacity", message: "there is no room for a second release: \(missing)")
    }

    func writeSecret(_ context: StepContext) async throws(PortError) -> StepResult {
        let made = try context.decoded(ReleaseInput.self).standing
        let workload = try standing(context)
        let items = try await ports.items(of: workload, made.agreed, login: made.login, first: made.first)
        try await ports.scheduler.putSecret(items, for: workload)
        return .done
    }

    func deleteSecret(_ context: StepContext) async throws(PortError) -> UndoResult {
        try await ports.scheduler.deleteSecret(for: try remains(context))
        return .done
    }

    func deploySlot(_ context: StepContext) async throws(PortError) -> StepResult {
        .done(try outcome(try await ports.scheduler.register(try standing(context)), context))
    }

    func probeSlot(_ context: StepContext) async throws(PortError) -> Presence<StepResult> {
        switch try await ports.scheduler.probe(try standing(context)) {
        case .present(let registered): .present(.done(try outcome(registered, context)))
        // What is there of an earlier release is ours, and registering again is how it becomes this one.
        case .absent, .pending: .absent
        case .foreign(let message): .foreign(message)
        case .newer: .newer
        }
    }

    /// Stops it and leaves a tombstone, so that a registration that is still on its way fails.
    func stopSlot(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(ReleaseInput.self)
        try await ports.scheduler.stop(try remains(context))
        return UndoResult(facts: [.instance(input.instance, .moveSlot(.retired, input.slot(input.standing)))])
    }

    /// Waits for exactly the version that was registered.
    func awaitHealthy(_ context: StepContext) async throws(PortError) -> StepResult {
        let isLate = context.elapsed > ports.settings.healthPatience
        switch try await ports.scheduler.health(of: try registered(context), wait: .zero) {
        case .healthy: return .done
        case .deploying(let reason), .waitingForCapacity(let reason):
            guard !isLate else { throw .permanent(code: "not-healthy", message: "not healthy in time: \(reason)") }
            return .waiting(condition: "Healthy", reason: reason)
        case .failed(let reason):
            throw .permanent(code: "workload-failed", message: reason)
        }
    }

    /// Healthy says that the process is up; whether it can serve it says itself.
    func awaitReady(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReleaseInput.self)
        if let problem = try await readinessProblem(context, standingBy: true) {
            guard context.elapsed <= ports.settings.readyPatience else {
                throw .permanent(code: "not-ready", message: "not ready in time: \(problem)")
            }
            return .waiting(condition: "Ready", reason: problem)
        }
        return .done(
            StepOutcome(facts: [.instance(input.instance, .moveSlot(.ready, input.slot(input.standing)))])
        )
    }

    /// What keeps the other slot from serving; `nil` when nothing does.
    func readinessProblem(_ context: StepContext, standingBy: Bool) async throws(PortError) -> String? {
        guard let tenants = ports.tenants else { return nil }
        guard let address = try await ports.scheduler.address(of: try registered(context)) else {
            return "it does not run"
        }
        do throws(PortError) {
            return try await tenants.readiness(at: address).problem(standingBy: standingBy)
        } catch {
            // One that does not answer yet is not ready yet; how long that may take is decided by who asks.
            switch error {
            case .transient, .pending, .unknown: return error.message
            case .conflict, .permanent, .blocked, .superseded: throw error
            }
        }
    }

    /// Stops the release before; its secret stays, as its name does.
    func retireSlot(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReleaseInput.self)
        let agreed = input.made.agreed
        try await ports.scheduler.stop(ports.remains(agreed, slot: agreed.serving, saga: context.saga))
        return .done(StepOutcome(facts: [.instance(input.instance, .moveSlot(.retired, input.slot(input.made)))]))
    }

    /// What runs in the other slot, by the input alone.
    func standing(_ context: StepContext) throws(PortError) -> Workload {
        try ports.workload(try context.decoded(ReleaseInput.self).standing, saga: context.saga)
    }

    func registered(_ context: StepContext) throws(PortError) -> RegisteredWorkload {
        try context.registered(by: "deploy-slot")
    }

    /// To be taken away by its name and owner; a value that is missing must not keep it there.
    private func remains(_ context: StepContext) throws(PortError) -> Workload {
        let agreed = try context.decoded(ReleaseInput.self).standing.agreed
        return ports.remains(agreed, slot: agreed.serving, saga: context.saga)
    }

    private func outcome(_ registered: RegisteredWorkload, _ context: StepContext) throws(PortError) -> StepOutcome {
        let input = try context.decoded(ReleaseInput.self)
        let agreed = input.standing.agreed
        let fact = InstanceEvent.SlotDeployed(
            slot: agreed.serving,
            release: agreed.release.version,
            job: registered.job,
            jobVersion: registered.version,
            modifyIndex: registered.modifyIndex,
            specHash: registered.specHash,
            generation: agreed.generation
        )
        return StepOutcome(
            output: registered.output,
            facts: [.instance(input.instance, .deploySlot(fact))]
        )
    }
}
