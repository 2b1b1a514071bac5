internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Drops what was put aside once nobody can want it back any more: the database, its roles, and the job's name.
///
/// It has a lane of its own: the instance may live on, with another database, while this one waits.
package struct ReapDatabase: Sendable {
    let ports: ProvisioningPorts

    package init(ports: ProvisioningPorts) {
        self.ports = ports
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "reap-database"
    /// The step that an operator skips who does not want to wait.
    package static let grace = "await-grace"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let input = try await ReapInput(cause, log)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: "\(cause.stream.text)/\(input.renamed)",
                    organization: input.provision.organization,
                    input: try input.json()
                )
            },
            scope: { "database-\($0["renamed"]?.string ?? "")" },
            // Whoever cancels it wants to keep the database.
            failed: { _, _ in [] }
        )
    }

    /// The table.
    var steps: [SagaStep] {
        [
            SagaStep(Self.grace, policy: .init(target: "log", skippable: true), ensure: awaitGrace),
            SagaStep(
                "drop-database",
                policy: .init(target: "tenant-postgres", timeout: .seconds(60), pivot: true, irrevocable: true),
                ensure: dropDatabase
            ),
            SagaStep("drop-role", policy: .init(target: "tenant-postgres"), ensure: dropRole),
            SagaStep(
                "purge-workload",
                policy: .init(target: "nomad"),
                ensure: purgeWorkload,
                resources: { [ports] input, _ in
                    guard let input = try? ReapInput(input) else { return [] }
                    // Whose saga it is does not matter to names.
                    let slots = input.provision.slots.map { slot in
                        ports.names.job(
                            organization: "\(input.provision.organization)",
                            instance: input.provision.name,
                            slot: slot
                        )
                    }
                    return slots.map { name in
                        IntendedResource(
                            .job,
                            name,
                            instance: "instance-\(input.provision.instance)",
                            generation: input.provision.generation,
                            removes: true
                        )
                    }
                }
            ),
        ]
    }

    func awaitGrace(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReapInput.self)
        guard context.now < input.until else { return .done }
        return .waiting(condition: "GracePeriod", reason: "it can still be given back", until: input.until)
    }

    func dropDatabase(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReapInput.self)
        try await ports.databases.dropDatabase(remains(input, context), fence: context.fence)
        let fact = InstanceEvent.DatabaseDropped(database: input.database, role: input.role)
        return .done(StepOutcome(facts: [.instance(input.provision.instance, .recordDatabaseDropped(fact))]))
    }

    /// The role goes with the last database of its generation: what was put aside may be a copy beside the one in use.
    func dropRole(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReapInput.self)
        let instance = try await ports.recorded().instance(input.provision.instance)
        if instance.generation == input.generation, instance.database != nil || instance.quarantine != nil {
            return .skipped(why: "another database of the same generation has the role")
        }
        try await ports.databases.dropRole(remains(input, context), fence: context.fence)
        return .done
    }

    /// The job's name is free again once the instance is over; one that lives on keeps it.
    func purgeWorkload(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ReapInput.self)
        switch try await ports.recorded().instance(input.provision.instance).stage {
        case .terminated: break
        case .terminating: return .waiting(condition: "Terminated", reason: "the instance is being terminated")
        default: return .skipped(why: "the instance lives on")
        }
        for workload in ports.leftovers(input.provision, saga: context.saga) {
            try await ports.scheduler.purge(workload)
        }
        return .done
    }

    /// The database under its present name, with its owner's marks.
    private func remains(_ input: ReapInput, _ context: StepContext) -> TenantDatabase {
        var owner = ports.owner(input.provision, saga: context.saga)
        owner.generation = input.generation
        return TenantDatabase(
            database: input.renamed,
            role: input.role,
            connectionLimit: ports.settings.connectionLimit,
            owner: owner
        )
    }
}
