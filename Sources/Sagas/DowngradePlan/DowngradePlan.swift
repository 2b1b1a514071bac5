internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Waits for the end of the period that is paid for, and asks for the smaller plan then.
///
/// It has the lane of the subscription, so that the instance can be worked on meanwhile; the change itself is a saga of
/// its own in the instance's lane.
package struct DowngradePlan: Sendable {
    let ports: ProvisioningPorts

    package init(ports: ProvisioningPorts) {
        self.ports = ports
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "downgrade-plan"

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let input = try await DowngradeInput.read(cause, log)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: input.organization,
                    input: try input.json(),
                    patience: max(.zero, input.scheduled.effectiveAt - cause.recordedAt) + .seconds(30 * 24 * 3600)
                )
            },
            scope: { input in "subscription-\(input["subscription"]?.string ?? "")/downgrade" },
            failed: { failure, input in
                guard let input = try? DowngradeInput(input) else { return [] }
                return [.subscription(input.subscription, .giveUpSchedule(input.scheduled, reason: failure.reason))]
            }
        )
    }

    var steps: [SagaStep] {
        let patient = StepPolicy(target: "log", poll: .seconds(2), longestPoll: .seconds(300))
        return [
            SagaStep("await-period-end", policy: .init(target: "log"), ensure: awaitPeriodEnd),
            SagaStep("await-running", policy: patient, ensure: awaitRunning),
            SagaStep("request-change", policy: .init(target: "log", pivot: true), ensure: requestChange),
            SagaStep("await-change", policy: patient, ensure: awaitChange),
        ]
    }

    /// A durable timer.
    func awaitPeriodEnd(_ context: StepContext) async throws(PortError) -> StepResult {
        let scheduled = try context.decoded(DowngradeInput.self).scheduled
        guard context.now < scheduled.effectiveAt else { return .done }
        return .waiting(
            condition: "PeriodEnded",
            reason: "the period that is paid for ends on \(scheduled.effectiveAt)",
            until: scheduled.effectiveAt
        )
    }

    /// What is being changed, or does not run, gets its smaller plan afterwards.
    func awaitRunning(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(DowngradeInput.self)
        try await requireWanted(input)
        let stage = try await ports.state(of: Instance.self, Streams.instance(input.instance)).stage
        switch stage {
        case .running: return .done
        case .terminating, .terminated: throw .superseded(message: "the instance is \(stage.rawValue)")
        default: return .waiting(condition: "InstanceRunning", reason: "the instance is \(stage.rawValue)")
        }
    }

    /// The facts are the effect: the first starts the saga that changes the plan.
    func requestChange(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(DowngradeInput.self)
        try await requireWanted(input)
        let instance = try await ports.state(of: Instance.self, Streams.instance(input.instance))
        guard instance.stage == .running else {
            throw .conflict(code: "not-running", message: "the instance is \(instance.stage.rawValue)")
        }
        let wanted = input.scheduled
        let asked = InstanceEvent.ChangeRequested(
            change: InstanceChange.plan,
            from: instance.requested?.plan.tier.rawValue ?? "",
            to: wanted.plan.tier.rawValue,
            plan: wanted.plan,
            price: wanted.price
        )
        let billed = SubscriptionEvent.PlanChangeRequested(price: wanted.price, plan: wanted.plan, immediately: false)
        return .done(
            StepOutcome(
                facts: [
                    .subscription(input.subscription, .requestPlanChange(billed)),
                    .instance(input.instance, .requestChange(asked)),
                ]
            )
        )
    }

    /// A change that had to be taken back is tried again a day later: the customer has asked for it once.
    func awaitChange(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(DowngradeInput.self)
        let subscription = try await ports.state(of: Subscription.self, Streams.subscription(input.subscription))
        if subscription.requested?.price == input.scheduled.price { return .done }
        guard subscription.change == nil else {
            return .waiting(condition: "PlanChanged", reason: "the plan is being changed")
        }
        switch subscription.stage {
        case .active, .paused: break
        default: throw .superseded(message: "the subscription is \(subscription.stage.rawValue)")
        }
        guard subscription.scheduled == nil else { return .done }
        var again = input.scheduled
        again.effectiveAt = context.now + .seconds(24 * 3600)
        return .done(
            StepOutcome(
                output: ["again": .string("\(again.effectiveAt)")],
                facts: [.subscription(input.subscription, .scheduleDowngrade(again))]
            )
        )
    }

    /// Ends quietly when the customer has thought better of it.
    private func requireWanted(_ input: DowngradeInput) async throws(PortError) {
        let subscription = try await ports.state(of: Subscription.self, Streams.subscription(input.subscription))
        guard subscription.scheduled == input.scheduled else {
            throw .superseded(message: "the downgrade is not wanted any more")
        }
    }
}

/// What a downgrade is decided on, fixed when it is scheduled.
struct DowngradeInput: SagaInput {
    var organization: OrganizationID
    var instance: InstanceID
    var subscription: SubscriptionID
    var scheduled: SubscriptionEvent.DowngradeScheduled

    static func read(_ cause: RecordedEvent, _ log: any EventLog) async throws(SagaBeginError) -> Self {
        guard case .downgradeScheduled(let scheduled) = try ProvisionInput.decoded(SubscriptionEvent.self, cause),
            let subscription = SubscriptionID(cause.stream.id)
        else { throw .malformed("\(cause.stream) \(cause.version) schedules nothing") }
        for event in try await ProvisionInput.history(cause.stream, log) {
            guard case .requested(let fact) = try ProvisionInput.decoded(SubscriptionEvent.self, event) else {
                continue
            }
            return Self(
                organization: fact.organization,
                instance: fact.instance,
                subscription: subscription,
                scheduled: scheduled
            )
        }
        throw .malformed("\(cause.stream) was never requested")
    }

    private init(
        organization: OrganizationID,
        instance: InstanceID,
        subscription: SubscriptionID,
        scheduled: SubscriptionEvent.DowngradeScheduled
    ) {
        (self.organization, self.instance) = (organization, instance)
        (self.subscription, self.scheduled) = (subscription, scheduled)
    }
}

extension ProvisioningPorts {
    /// Something as the log has it now.
    func state<Model: Decider>(of model: Model.Type, _ stream: StreamName) async throws(PortError) -> Model {
        guard let log else { throw .blocked(code: "no-log", message: "this process cannot read the log") }
        do throws(CommandError) {
            return try await Aggregates(log: log, capacity: 1).load(model, from: stream).model
        } catch {
            guard case .unavailable = error else {
                throw .blocked(code: "log-unreadable", message: "\(stream) cannot be read")
            }
            throw .transient(code: "log-unavailable", message: "the log cannot be asked now")
        }
    }
}
