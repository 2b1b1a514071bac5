internal import Domain
internal import Kernel
internal import Platform

/// Brings the database to where a release wants it, before that release serves.
///
/// Migrations only add: the release before goes on working with the database, so nothing of them is ever taken back, and
/// one that ran half may run again.
struct MigrationRun: Sendable {
    let ports: ProvisioningPorts
    /// The instance with the release whose migration it is, where that is to run.
    let read: @Sendable (SagaReading) throws(PortError) -> MadeInstance

    /// The table; nothing of it is left once the last of them is done.
    var steps: [SagaStep] {
        [
            SagaStep(
                "write-migration-secret",
                policy: .init(target: "nomad"),
                ensure: writeSecret,
                ensureAbsent: { context throws(PortError) in
                    try await ports.scheduler.deleteSecret(for: remains(context))
                    return .done
                },
                undoAfter: ["migrate"],
                resources: { input, _ in intended(.variable, input) }
            ),
            SagaStep(
                "migrate",
                policy: .init(target: "nomad", poll: .milliseconds(500)),
                ensure: migrate,
                ensureAbsent: { context throws(PortError) in
                    try await ports.scheduler.stop(remains(context))
                    return .done
                },
                resources: { input, _ in intended(.job, input) }
            ),
            SagaStep(
                "clear-migration",
                policy: .init(target: "nomad"),
                ensure: clear,
                resources: { input, _ in
                    intended(.variable, input, removes: true) + intended(.job, input, removes: true)
                }
            ),
        ]
    }

    private func writeSecret(_ context: StepContext) async throws(PortError) -> StepResult {
        let made = try read(context.reading)
        let workload = try workload(context)
        let items = try await ports.items(of: workload, made.agreed, login: made.login, first: made.first)
        try await ports.scheduler.putSecret(items, for: workload)
        return .done
    }

    /// Starts it, and waits for its end; what is registered already is found by its name, and runs once.
    private func migrate(_ context: StepContext) async throws(PortError) -> StepResult {
        let workload = try workload(context)
        let registered: RegisteredWorkload
        if case .present(let found) = try await ports.scheduler.probe(workload) {
            registered = found
        } else {
            registered = try await ports.scheduler.register(workload)
        }
        switch try await ports.scheduler.end(of: registered) {
        case .succeeded: return .done(StepOutcome(output: ["job": .string(registered.job)]))
        case .failed(let reason):
            throw .permanent(code: "migration-failed", message: "the migration failed: \(reason)")
        case .running(let reason):
            guard context.elapsed <= ports.settings.migrationPatience else {
                throw .permanent(code: "migration-late", message: "the migration did not end in time: \(reason)")
            }
            return .waiting(condition: "Migrated", reason: reason)
        }
    }

    /// Its secret goes, and its name is kept so that nothing late can start it again.
    private func clear(_ context: StepContext) async throws(PortError) -> StepResult {
        try await ports.scheduler.stop(remains(context))
        try await ports.scheduler.deleteSecret(for: remains(context))
        return .done
    }

    private func workload(_ context: StepContext) throws(PortError) -> Workload {
        let made = try read(context.reading)
        return ports.migration(try ports.workload(made, saga: context.saga), made.agreed)
    }

    /// To be taken away by its name and owner; a value that is missing must not keep it there.
    private func remains(_ context: StepContext) throws(PortError) -> Workload {
        let agreed = try read(context.reading).agreed
        return ports.migration(ports.remains(agreed, slot: agreed.serving, saga: context.saga), agreed)
    }

    private func intended(
        _ kind: IntendedResource.Kind,
        _ input: JSONValue,
        removes: Bool? = nil
    ) -> [IntendedResource] {
        // Without a readable input no step can have an effect; whose saga it is does not matter to names.
        guard let agreed = try? read(SagaReading(input)).agreed else { return [] }
        let name = ports.names.migration(
            organization: "\(agreed.organization)",
            instance: agreed.name,
            slot: agreed.serving
        )
        return [
            IntendedResource(
                kind,
                name,
                instance: "instance-\(agreed.instance)",
                generation: agreed.generation,
                removes: removes
            )
        ]
    }
}
