internal import Commands
internal import Domain
internal import Kernel
internal import Platform

extension ProvisionInstance {
    /// The tenant's client at the identity service; a secret that is shown once only is kept the first time.
    func ensureOAuthClient(_ context: StepContext) async throws(PortError) -> StepResult {
        guard let oauth = ports.oauth else { return .skipped(why: "no identity service is configured") }
        let input = try ProvisionInput(context.input)
        let client = try await oauth.ensure(
            organization: oauthOwner(input),
            redirect: ports.names.launchURL(slug: input.slug, instance: input.name)
        )
        let name = oauthSecret(input)
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
        let input = try ProvisionInput(context.input)
        try await oauth.rotateSecret(organization: oauthOwner(input))
        return .done
    }

    /// The workload's secrets, where only the workload can read them.
    func writeSecret(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try ProvisionInput(context.input)
        let workload = try workload(input, context)
        var items = [
            TenantEnvironment.Item.database: try secret(.databasePassword, input, context),
            TenantEnvironment.Item.jwt: try secret(.jwtSecret, input, context),
            TenantEnvironment.Item.payment: try secret(.paymentProviderSecret, input, context),
        ]
        let kept = [
            TenantEnvironment.Item.oauth: oauthSecret(input),
            TenantEnvironment.Item.redis: "redis",
        ]
        for (item, name) in kept where workload.secretEnvironment.values.contains(item) {
            guard let secret = try await ports.kept.secret(named: name) else {
                throw .blocked(code: "secret-missing", message: "no secret is kept as \(name)")
            }
            items[item] = secret
        }
        try await ports.scheduler.putSecret(items, for: workload)
        return .done
    }

    func deleteSecret(_ context: StepContext) async throws(PortError) -> UndoResult {
        try await ports.scheduler.deleteSecret(for: try remains(try ProvisionInput(context.input), context))
        return .done
    }

    func registerWorkload(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try ProvisionInput(context.input)
        let registered = try await ports.scheduler.register(try workload(input, context))
        return .done(outcome(registered, input))
    }

    func probeWorkload(_ context: StepContext) async throws(PortError) -> Presence<StepResult> {
        let input = try ProvisionInput(context.input)
        switch try await ports.scheduler.probe(try workload(input, context)) {
        case .present(let registered): return .present(.done(outcome(registered, input)))
        case .absent: return .absent
        case .foreign(let message): return .foreign(message)
        case .newer: return .newer
        // What is there is ours but not as it should be: registering again is how it gets there.
        case .pending: return .absent
        }
    }

    /// Stops it and leaves a tombstone, so that a registration that is still on its way fails.
    func stopWorkload(_ context: StepContext) async throws(PortError) -> UndoResult {
        try await ports.scheduler.stop(try remains(try ProvisionInput(context.input), context))
        return .done
    }

    /// Waits for exactly the version that was registered.
    func awaitHealthy(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try ProvisionInput(context.input)
        let registered = RegisteredWorkload(
            job: try context.text("job", of: "register-workload"),
            version: Int(try context.number("version", of: "register-workload")),
            modifyIndex: try context.number("modifyIndex", of: "register-workload"),
            specHash: try context.text("specHash", of: "register-workload")
        )
        let isLate = context.elapsed > ports.settings.healthPatience
        // Shorter than a lease, so that a cancellation is seen soon.
        switch try await ports.scheduler.health(of: registered, wait: .seconds(5)) {
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
        let database = database(input, context)
        return workload(
            input,
            context,
            try TenantEnvironment(
                input,
                slot: Self.slot,
                database: (database.database, database.role, ports.databases.address),
                oauthClient: context.outputs["ensure-oauth-client"]?["client"]?.string,
                settings: ports.settings
            )
        )
    }

    /// What is to be taken back; it goes by its name and owner, so a value that is missing must not keep it there.
    private func remains(_ input: ProvisionInput, _ context: StepContext) throws(PortError) -> Workload {
        do throws(PortError) {
            return try workload(input, context)
        } catch { return workload(input, context, TenantEnvironment()) }
    }

    private func workload(_ input: ProvisionInput, _ context: StepContext, _ environment: TenantEnvironment) -> Workload
    {
        let organization = "\(input.organization)"
        return Workload(
            job: ports.names.job(organization: organization, instance: input.name, slot: Self.slot),
            slot: Self.slot,
            owner: owner(input, context),
            tier: input.plan.tier.label,
            computeEngine: input.computeEngine.rawValue,
            cpu: input.plan.resources.cpu,
            memory: input.plan.resources.memory,
            priority: input.plan.resources.priority,
            canary: input.plan.update.canary,
            autoRevert: input.plan.update.autoRevert,
            image: input.release.reference,
            environment: environment.open,
            secretEnvironment: environment.secret
        )
    }

    private func outcome(_ registered: RegisteredWorkload, _ input: ProvisionInput) -> StepOutcome {
        let fact = InstanceEvent.WorkloadRegistered(
            job: registered.job,
            jobVersion: registered.version,
            modifyIndex: registered.modifyIndex,
            specHash: registered.specHash,
            generation: input.generation
        )
        return StepOutcome(
            output: [
                "job": .string(registered.job), "version": .integer(Int64(registered.version)),
                "modifyIndex": .integer(registered.modifyIndex), "specHash": .string(registered.specHash),
            ],
            facts: [.instance(input.instance, .recordWorkload(fact))]
        )
    }

    /// Every instance has a client of its own: registering one replaces its redirects, and taking one back rotates its
    /// secret, neither of which may touch another instance of the organization.
    private func oauthOwner(_ input: ProvisionInput) -> String {
        input.name == Names.mainInstance ? "\(input.organization)" : "\(input.organization)-\(input.name)"
    }

    private func oauthSecret(_ input: ProvisionInput) -> String { "oauth-client-" + oauthOwner(input) }
}

extension ReleaseSnapshot {
    /// What is run: by digest when that is known.
    var reference: String {
        digest.map { "\(image)@\($0)" } ?? image
    }
}
