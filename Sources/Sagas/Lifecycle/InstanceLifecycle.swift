internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform

/// What the sagas of an instance that exists have in common: stopping, starting, ending.
///
/// They work with the names, the workload and the secrets of its provisioning.
struct InstanceLifecycle: Sendable {
    let ports: ProvisioningPorts
    let provisioning: ProvisionInstance

    init(ports: ProvisioningPorts) {
        self.ports = ports
        self.provisioning = ProvisionInstance(ports: ports)
    }

    /// A saga in the lane of its instance, about the generation that it has.
    ///
    /// - Parameters:
    ///   - kind: Stands in the log.
    ///   - version: Raised whenever the steps change.
    ///   - steps: The table.
    ///   - transition: What was asked for, and is given up when everything had to be taken back.
    ///   - patience: How long it may take on the way forward.
    /// - Returns: The saga as the engine takes it.
    func definition(
        _ kind: String,
        version: Int,
        steps: [SagaStep],
        transition: InstanceTransition,
        patience: Duration = .seconds(30 * 60)
    ) -> SagaDefinition {
        SagaDefinition(
            kind: kind,
            version: version,
            steps: steps,
            begin: { (cause, log) throws(SagaBeginError) in
                let input = try await ProvisionInput.read(cause, log)
                return SagaBeginning(
                    subject: cause.stream,
                    lane: cause.stream.text,
                    organization: input.organization,
                    input: try input.json(),
                    patience: patience
                )
            },
            scope: { input in
                "instance-\(input["instance"]?.string ?? "")/g\(input["generation"]?.integer ?? 0)"
            },
            failed: { failure, input in
                // Without a readable input no step can have begun, and the instance cannot be named.
                guard let input = try? ProvisionInput(input) else { return [] }
                return [.instance(input.instance, .rollBack(transition, reason: "\(failure.step): \(failure.reason)"))]
            }
        )
    }

    /// What it works with: what the saga found when its turn came, or else what it began with.
    func input(_ context: StepContext) throws(PortError) -> ProvisionInput {
        if let found = context.outputs["take-stock"]?["input"] { return try ProvisionInput(found) }
        return try context.decoded(ProvisionInput.self)
    }

    /// Whether there is anything to be put back into service.
    func wasServing(_ context: StepContext) -> Bool {
        context.outputs["take-stock"]?["serving"]?.bool ?? true
    }

    /// What has to be done at billing, however long billing is not well; in the end a person is asked.
    func patiently(
        _ context: StepContext,
        _ body: () async throws(PortError) -> StepResult
    ) async throws(PortError) -> StepResult {
        do throws(PortError) {
            return try await body()
        } catch {
            switch error {
            case .transient, .pending, .unknown, .conflict:
                guard context.elapsed > ports.settings.billingPatience else { throw error }
                throw .blocked(code: error.code, message: "billing did not do it in time: \(error.message)")
            case .permanent, .blocked, .superseded: throw error
            }
        }
    }

    /// The idempotency key of something that happens to a subscription again and again.
    func key(_ verb: String, _ input: ProvisionInput, _ context: StepContext) -> String {
        ports.names.transitionKey(subscription: "\(input.subscription)", saga: "\(context.saga)", verb: verb)
    }
}

extension ProvisionInput {
    /// Billing's own id of the subscription.
    func billingID() throws(PortError) -> String {
        guard let formerDraft else {
            throw .blocked(code: "subscription-unknown", message: "billing has no subscription of the instance")
        }
        return formerDraft
    }
}
