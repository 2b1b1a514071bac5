internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Takes an instance out of service and stops its bill, with its data kept.
///
/// Once the workload is stopped the rest is waited out: a customer whose instance does not run must not pay for it.
package struct StopInstance: Sendable {
    let lifecycle: InstanceLifecycle

    package init(ports: ProvisioningPorts) {
        lifecycle = InstanceLifecycle(ports: ports)
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "stop-instance"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        lifecycle.definition(Self.kind, version: 1, steps: steps, transition: .stop)
    }

    /// The table; a running instance is made again in the reverse order: workload, health, route.
    var steps: [SagaStep] {
        lifecycle.leavingService(pivot: true) + [
            SagaStep("pause-subscription", policy: .init(target: "billing"), ensure: pauseSubscription),
            SagaStep("mark-stopped", policy: .init(target: "log"), ensure: markStopped),
        ]
    }

    /// Nothing is billed afterwards; what has ended there is billed no more than what is paused.
    func pauseSubscription(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let id = try input.billingID()
        return try await lifecycle.patiently(context) { () async throws(PortError) in
            switch try await lifecycle.ports.billing.subscription(id).status {
            case .active: try await lifecycle.ports.billing.pause(id, key: lifecycle.key("pause", input, context))
            case .paused: break
            case .draft, .cancelled, .ended: return .done(StepOutcome(output: ["found": "over"]))
            }
            return .done(StepOutcome(facts: [.subscription(input.subscription, .recordPaused)]))
        }
    }

    func markStopped(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        return .done(StepOutcome(facts: [.instance(input.instance, .markStopped)]))
    }
}
