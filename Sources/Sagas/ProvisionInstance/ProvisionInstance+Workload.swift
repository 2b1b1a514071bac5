internal import Commands
internal import Domain
internal import Kernel
internal import Platform

extension ProvisionInstance {
    /// The tenant's client at the identity service; a secret that is shown once only is kept the first time.
    func ensureOAuthClient(_ context: StepContext) async throws(PortError) -> StepResult {
        guard let oauth = ports.oauth else { return .skipped(why: "no identity service is configured") }
        let input = try context.decoded(ProvisionInput.self)
        let client = try await oauth.ensure(
            organization: ports.oauthOwner(input),
            redirect: ports.names.launchURL(slug: input.slug, instance: input.name)
        )
        let name = ports.oauthSecret(input)
        if !client.secret.revealed.isEmpty {
            try await ports.kept.keep(client.secret, as: name)
        } else if try await ports.kept.secret(named: name) == nil {
            let message = "the identity service does not show the client's secret again, and none is kept"
            throw .blocked(code: "oauth-secret-lost", message: message)
        }
        return .done(StepOutcome(output: ["client": .string(client.id), "secret": .string(name)]))
    }

    func rotateOAuthSecret(_ context: StepContext) async throws(PortError) -> UndoResult {
        guard let oauth = ports.oauth else { return .done }
        let input = try context.decoded(ProvisionInput.self)
        try await oauth.rotateSecret(organization: ports.oauthOwner(input))
        return .done
    }

    /// The workload's secrets, where only the workload can read them.
    func writeSecret(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let workload = try workload(input, context)
        let credentials = try credentials(input, context)
        let items = try await ports.items(of: workload, input, login: credentials, first: input.first ?? credentials)
        try await ports.scheduler.putSecret(items, for: workload)
        return .done
    }

    func deleteSecret(_ context: StepContext) async throws(PortError) -> UndoResult {
        try await ports.scheduler.deleteSecret(for: try remains(try context.decoded(ProvisionInput.self), context))
        return .done
    }

    func registerWorkload(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let registered = try await ports.scheduler.register(try workload(input, context))
        return .done(outcome(registered, input, context))
    }

    func probeWorkload(_ context: StepContext) async throws(PortError) -> Presence<StepResult> {
        let input = try context.decoded(ProvisionInput.self)
        switch try await ports.scheduler.probe(try workload(input, context)) {
        case .present(let registered): return .present(.done(outcome(registered, input, context)))
        case .absent: return .absent
        case .foreign(let message): return .foreign(message)
        case .newer: return .newer
        // What is there is ours but not as it should be: registering again is how it gets there.
        case .pending: return .absent
        }
    }

    /// Stops it and leaves a tombstone, so that a registration that is still on its way fails.
    func stopWorkload(_ context: StepContext) async throws(PortError) -> UndoResult {
        try await ports.scheduler.stop(try remains(try context.decoded(ProvisionInput.self), context))
        return .done
    }

    /// Waits for exactly the version that was registered.
    func awaitHealthy(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let registered = try context.registered(by: "register-workload")
        let isLate = context.elapsed > ports.settings.healthPatience
        // A fresh workload is watched; one that takes long keeps nobody busy between two looks.
        switch try await ports.scheduler.health(
            of: registered,
            wait: context.elapsed < .seconds(8) ? .seconds(1) : .zero
        ) {
        case .healthy:
            let fact = InstanceEvent.BecameHealthy(job: registered.job, jobVersion: registered.version)
            return .done(StepOutcome(facts: [.instance(input.instance, .recordHealthy(fact))]))
        case .deploying(let reason):
            guard !isLate else { throw .permanent(code: "not-healthy", message: "not healthy in time: \(reason)") }
            return .waiting(condition: "Healthy", reason: reason)
        case .waitingForCapacity(let reason):
            guard !isLate else { throw .blocked(code: "no-capacity", message: "no room in time: \(reason)") }
            return .waiting(condition: "CapacityAvailable", reason: reason)
        case .failed(let reason):
            throw .permanent(code: "workload-failed", message: reason)
        }
    }

    /// What runs, by the input alone.
    func workload(_ input: ProvisionInput, _ context: StepContext) throws(PortError) -> Workload {
        try ports.workload(input, slot: input.serving, oauthClient: client(input, context), saga: context.saga)
    }

    /// What is to be taken back; it goes by its name and owner, so a value that is missing must not keep it there.
    func remains(_ input: ProvisionInput, _ context: StepContext) throws(PortError) -> Workload {
        do throws(PortError) {
            return try workload(input, context)
        } catch { return ports.workload(input, slot: input.serving, TenantEnvironment(), saga: context.saga) }
    }

    private func client(_ input: ProvisionInput, _ context: StepContext) -> String? {
        input.oauthClient ?? context.outputs["ensure-oauth-client"]?["client"]?.string
    }

    func outcome(
        _ registered: RegisteredWorkload,
        _ input: ProvisionInput,
        _ context: StepContext
    ) -> StepOutcome {
        let fact = InstanceEvent.WorkloadRegistered(
            job: registered.job,
            jobVersion: registered.version,
            modifyIndex: registered.modifyIndex,
            specHash: registered.specHash,
            generation: input.generation,
            oauthClient: client(input, context)
        )
        return StepOutcome(
            output: registered.output,
            facts: [.instance(input.instance, .recordWorkload(fact))]
        )
    }
}
