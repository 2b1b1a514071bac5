internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// Ends a subscription at the moment that was agreed on, by terminating its instance then.
///
/// It has a lane of its own: until that moment the instance is changed, stopped and started as ever.
package struct EndSubscription: Sendable {
    let ports: ProvisioningPorts

    package init(ports: ProvisioningPorts) {
        self.ports = ports
    }

    /// Stands in the log and in ``SagaCause``.
    package static let kind = "end-subscription"

    /// What it works with.
    struct Input: SagaInput {
        var subscription: SubscriptionID
        var instance: InstanceID
        var effectiveAt: Timestamp
    }

    /// The saga as the engine takes it.
    package var definition: SagaDefinition {
        SagaDefinition(
            kind: Self.kind,
            version: 1,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let (input, organization) = try await Self.read(cause, log)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: "\(cause.stream.text)/end",
                    organization: organization,
                    input: try input.json()
                )
            },
            scope: { "subscription-\($0["subscription"]?.string ?? "")" },
            failed: { _, _ in [] }
        )
    }

    /// The table.
    var steps: [SagaStep] {
        [
            SagaStep("await-period-end", policy: .init(target: "log"), ensure: awaitPeriodEnd),
            SagaStep(
                "request-termination",
                policy: .init(target: "log", pivot: true, irrevocable: true),
                ensure: requestTermination
            ),
            SagaStep("await-termination", policy: .children, ensure: awaitTermination),
        ]
    }

    func awaitPeriodEnd(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        guard context.now < input.effectiveAt else { return .done }
        return .waiting(condition: "PeriodEnded", reason: "it is paid for until then", until: input.effectiveAt)
    }

    func requestTermination(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        let subscription = try await ports.recorded().subscription(input.subscription)
        guard subscription.cancellation == input.effectiveAt else {
            throw .superseded(message: "the subscription is not to end any more")
        }
        let command = Instance.Command.requestTermination(reason: "the subscription has come to its end")
        return .done(StepOutcome(facts: [.instance(input.instance, command)]))
    }

    func awaitTermination(_ context: StepContext) async throws(PortError) -> StepResult {
        let input = try context.decoded(Input.self)
        return try await ports.recorded().ends(of: [input.instance])
    }

    private static func read(
        _ cause: RecordedEvent,
        _ log: any EventLog
    ) async throws(SagaBeginError) -> (Input, OrganizationID) {
        guard let id = SubscriptionID(cause.stream.id) else { throw .malformed("\(cause.stream) is no subscription") }
        var requested: SubscriptionEvent.Requested?
        var end: Timestamp?
        for event in try await ProvisionInput.history(cause.stream, log) where event.version <= cause.version {
            switch try ProvisionInput.decoded(SubscriptionEvent.self, event) {
            case .requested(let fact): requested = fact
            case .cancellationRequested(let fact): end = fact.effectiveAt
            default: break
            }
        }
        guard let requested, let end else { throw .malformed("\(cause.stream) has no end") }
        return (Input(subscription: id, instance: requested.instance, effectiveAt: end), requested.organization)
    }
}
