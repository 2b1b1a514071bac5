internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Ends an instance: out of service, its data saved and put aside, its bill ended.
///
/// The cancellation is the point of no return, as soon as it is begun: it cannot be taken back, and nobody can know that
/// it did not happen. Before it, what cannot be done is taken back, and the instance is as it was.
package struct TerminateInstance: Sendable {
    let lifecycle: InstanceLifecycle
    var ports: ProvisioningPorts { lifecycle.ports }

    package init(ports: ProvisioningPorts) {
        lifecycle = InstanceLifecycle(ports: ports)
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "terminate-instance"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        lifecycle.definition(
            Self.kind,
            version: 1,
            steps: steps,
            transition: .termination,
            // A large database takes its time to save.
            patience: .seconds(24 * 3600)
        )
    }

    /// The table; a serving instance is made again in the reverse order: workload, health, route.
    var steps: [SagaStep] {
        let stock = SagaStep("take-stock", policy: .init(target: "log"), ensure: takeStock)
        let ending = [
            SagaStep(
                "final-backup",
                // A target of its own: two large databases must not keep everybody from the cluster for hours.
                policy: .init(target: "tenant-backup", timeout: .seconds(6 * 3600)),
                ensure: backUp
            ),
            SagaStep(
                "cancel-subscription",
                policy: .init(target: "billing", pivot: true, irrevocable: true),
                ensure: cancelSubscription,
                resources: lifecycle.provisioning.resource(.subscription, removes: true)
            ),
            SagaStep(
                "quarantine-database",
                policy: .init(target: "tenant-postgres", timeout: .seconds(60)),
                ensure: quarantineDatabase
            ),
            SagaStep(
                "delete-variable",
                policy: .init(target: "nomad"),
                ensure: deleteVariable,
                resources: { [ports] input, outputs in
                    // Without a readable input no step can have an effect.
                    guard let input = try? ProvisionInput(outputs["take-stock"]?["input"] ?? input) else { return [] }
                    return input.slots.map { slot in
                        let name = ports.names.job(
                            organization: "\(input.organization)",
                            instance: input.name,
                            slot: slot
                        )
                        return IntendedResource(
                            .variable,
                            name,
                            instance: "instance-\(input.instance)",
                            generation: input.generation,
                            removes: true
                        )
                    }
                }
            ),
            SagaStep("mark-terminated", policy: .init(target: "log"), ensure: markTerminated),
        ]
        return [stock] + lifecycle.leavingService() + ending
    }

    /// What there is to be ended, now that no other saga of the instance runs any more.
    func takeStock(_ context: StepContext) async throws(PortError) -> StepResult {
        let asked = try context.decoded(ProvisionInput.self)
        let records = try ports.recorded()
        let instance = try await records.instance(asked.instance)
        let subscription = try await records.subscription(asked.subscription)
        let input = try await ProvisionInput.now(asked.instance, records.log)
        let hasDatabase = instance.database != nil
        return .done(
            StepOutcome(
                output: [
                    "input": try input.output(),
                    "serving": .bool(instance.route != nil),
                    "database": .bool(hasDatabase),
                    "subscription": .string(subscription.stage.rawValue),
                ]
            )
        )
    }

    /// Cancelled, whatever it was; a draft costs nothing, and billing cannot cancel one.
    func cancelSubscription(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try lifecycle.input(context)
        let stage = try context.text("subscription", of: "take-stock")
        if stage == Subscription.Stage.cancelled.rawValue || stage == Subscription.Stage.ended.rawValue { return .done }
        let wasActive = [Subscription.Stage.active.rawValue, Subscription.Stage.paused.rawValue].contains(stage)
        return try await lifecycle.patiently(context) { () async throws(PortError) in
            if let id = input.formerDraft {
                switch try await ports.billing.subscription(id).status {
                case .active, .paused: try await ports.billing.cancel(id)
                case .draft, .cancelled, .ended: break
                }
            }
            let command: Subscription.Command =
                wasActive ? .recordCancelled : .abandon(reason: "the instance is terminated")
            return .done(StepOutcome(facts: [.subscription(input.subscription, command)]))
        }
    }

    func deleteVariable(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try lifecycle.input(context)
        for slot in input.slots {
            try await ports.scheduler.deleteSecret(for: ports.remains(input, slot: slot, saga: context.saga))
        }
        return .done
    }

    func markTerminated(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try lifecycle.input(context)
        return .done(StepOutcome(facts: [.instance(input.instance, .markTerminated)]))
    }
}
