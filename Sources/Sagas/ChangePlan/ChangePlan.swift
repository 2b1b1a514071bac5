internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Gives a running instance the resources of another plan, and then bills that plan.
///
/// Resources come first: nobody pays for what could not be had, and what could not be had is taken back by registering
/// the former specification.
package struct ChangePlan: Sendable {
    let ports: ProvisioningPorts
    let workload: WorkloadChange

    package init(ports: ProvisioningPorts) {
        self.ports = ports
        workload = WorkloadChange(ports: ports) { context throws(PortError) in
            let input = try context.decoded(PlanInput.self)
            return (input.made, input.changed)
        }
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "change-plan"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let input = try await PlanInput.read(cause, log)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: input.made.agreed.organization,
                    input: try input.json()
                )
            },
            scope: { input in
                guard let input = try? PlanInput(input) else { return "plan" }
                return "instance-\(input.made.agreed.instance)/\(input.price.code)"
            },
            failed: { failure, input in
                // Without a readable input no step can have begun, and the instance cannot be named.
                guard let input = try? PlanInput(input) else { return [] }
                let fact = InstanceEvent.ChangeRolledBack(change: InstanceChange.plan, reason: failure.reason)
                return [
                    .instance(input.made.agreed.instance, .rollBackChange(fact)),
                    .subscription(input.made.agreed.subscription, .cancelPlanChange(reason: failure.reason)),
                ]
            }
        )
    }

    /// The table; an undo that has to come after another one names it.
    var steps: [SagaStep] {
        let billing = StepPolicy(target: "billing")
        let billed = [
            SagaStep("change-items", policy: billing, ensure: changeItems, ensureAbsent: changeItemsBack),
            SagaStep(
                "draft-replacement",
                policy: billing,
                ensure: draftReplacement,
                ensureAbsent: leaveDraft,
                resources: replacement
            ),
            SagaStep(
                "activate-replacement",
                policy: .init(target: "billing", pivot: true),
                ensure: activateReplacement,
                ensureAbsent: burnReplacement,
                resources: replacement
            ),
            SagaStep("cancel-former", policy: billing, ensure: cancelFormer, resources: former),
            SagaStep("confirm-plan", policy: billing, ensure: confirmPlan),
        ]
        return [workload.previewing] + workload.replacing + billed
    }
}

/// What a change of plan is decided on, fixed when it begins.
struct PlanInput: SagaInput {
    /// With the plan that it has.
    var made: MadeInstance
    /// The saga itself.
    var saga: UniqueID?
    /// The plan that is wanted, and its price.
    var plan: PlanSnapshot
    var price: PriceSnapshot

    /// With the plan that is wanted.
    var changed: MadeInstance {
        var made = made
        (made.agreed.plan, made.agreed.price) = (plan, price)
        return made
    }

    static func read(_ cause: RecordedEvent, _ log: any EventLog) async throws(SagaBeginError) -> Self {
        guard case .changeRequested(let asked) = try ProvisionInput.decoded(InstanceEvent.self, cause),
            let plan = asked.plan, let price = asked.price
        else { throw .malformed("\(cause.stream) \(cause.version) asks for no plan") }
        return Self(made: try await MadeInstance.read(cause, log), saga: cause.id, plan: plan, price: price)
    }
}
