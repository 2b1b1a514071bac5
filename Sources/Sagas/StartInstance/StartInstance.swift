internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Puts a stopped instance back into service, and goes on with its bill once it can be reached.
package struct StartInstance: Sendable {
    let lifecycle: InstanceLifecycle

    package init(ports: ProvisioningPorts) {
        lifecycle = InstanceLifecycle(ports: ports)
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "start-instance"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        lifecycle.definition(Self.kind, version: 1, steps: steps, transition: .start)
    }

    /// The table; the secret is there since the provisioning and stays there, so it is only made sure of.
    var steps: [SagaStep] {
        let provisioning = lifecycle.provisioning
        return [
            SagaStep("check-subscription", policy: .init(target: "billing"), ensure: checkSubscription),
            SagaStep("write-secret", policy: .init(target: "nomad"), ensure: provisioning.writeSecret),
            SagaStep(
                "register-workload",
                policy: .init(target: "nomad"),
                ensure: provisioning.registerWorkload,
                probe: provisioning.probeWorkload,
                ensureAbsent: provisioning.stopWorkload,
                resources: provisioning.resource(.job, keeps: true)
            ),
            SagaStep("await-healthy", policy: .init(target: "nomad"), ensure: provisioning.awaitHealthy),
            SagaStep(
                "publish-route",
                policy: .init(target: "log", undoneFirst: true),
                ensure: provisioning.publishRoute,
                ensureAbsent: provisioning.withdrawRoute,
                resources: provisioning.resource(.route)
            ),
            SagaStep("confirm-route", policy: .init(target: "edge"), ensure: provisioning.confirmRoute),
            SagaStep(
                "resume-subscription",
                policy: .init(target: "billing", pivot: true),
                ensure: resumeSubscription,
                ensureAbsent: pauseAgain
            ),
            SagaStep("mark-started", policy: .init(target: "log"), ensure: markStarted),
        ]
    }

    /// What has ended at billing is not put into service, because nobody would pay for it.
    func checkSubscription(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let status = try await lifecycle.ports.billing.subscription(try input.billingID()).status
        guard status == .paused || status == .active else { throw over(status) }
        return .done
    }

    /// The pivot: from here on the customer pays again.
    func resumeSubscription(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        let id = try input.billingID()
        switch try await lifecycle.ports.billing.subscription(id).status {
        case .active: break
        case .paused: try await lifecycle.ports.billing.resume(id, key: lifecycle.key("resume", input, context))
        case let status: throw over(status)
        }
        return .done(StepOutcome(facts: [.subscription(input.subscription, .recordResumed)]))
    }

    /// Billing has no compare-and-set, and a paused subscription can always be resumed: so a call that may be on its way
    /// is waited out, for as long as a call can last, before the subscription is paused again.
    func pauseAgain(_ context: StepContext) async throws(PortError) -> UndoResult {
        let input = try context.decoded(ProvisionInput.self)
        let id = try input.billingID()
        guard context.attempt > 1 else {
            throw .pending(
                code: "settling",
                message: "a call to billing may be under way",
                retryAfter: lifecycle.ports.settings.billingCall
            )
        }
        if try await lifecycle.ports.billing.subscription(id).status == .active {
            try await lifecycle.ports.billing.pause(id, key: lifecycle.key("pause-again", input, context))
        }
        return .done
    }

    func markStarted(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(ProvisionInput.self)
        return .done(StepOutcome(facts: [.instance(input.instance, .markStarted)]))
    }

    private func over(_ status: BillingStatus) -> PortError {
        let name = status.rawValue.lowercased()
        return .permanent(code: "subscription-\(name)", message: "the subscription is \(name) at billing")
    }
}
