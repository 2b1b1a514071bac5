internal import Domain
internal import Kernel
internal import Kernel
internal import Platform

extension ProvisionInstance {
    /// What a step makes or removes, by its kind.
    func resource(
        _ kind: IntendedResource.Kind,
        keeps: Bool? = nil,
        removes: Bool? = nil
    ) -> SagaStep.Resources {
        { [ports] input, _ in
            // Without a readable input no step can have an effect.
            guard let input = try? ProvisionInput(input), let name = ports.name(of: kind, input) else { return [] }
            let isShared = kind == .customer
            return [
                IntendedResource(
                    kind,
                    name,
                    instance: isShared ? nil : "instance-\(input.instance)",
                    generation: isShared ? nil : input.generation,
                    removes: removes,
                    keeps: keeps
                )
            ]
        }
    }
}

extension ProvisioningPorts {
    /// What something of an instance is called outside; of what a target names itself, the key it is found by.
    func name(of kind: IntendedResource.Kind, _ input: ProvisionInput) -> String? {
        let organization = "\(input.organization)"
        let job = names.job(organization: organization, instance: input.name, slot: input.serving)
        return switch kind {
        case .database:
            names.database(organization: organization, instance: input.name, generation: input.generation)
        case .role: names.role(organization: organization, instance: input.name, generation: input.generation)
        case .job: job
        // The variable of a job is found by the job's name.
        case .variable: job
        case .route: names.router(organization: organization, instance: input.name)
        case .subscription:
            input.billedBy.map { replacement(of: input, by: $0) }
                ?? names.subscriptionKey(subscription: "\(input.subscription)", generation: input.generation)
        case .customer: names.customerKey(organization: organization)
        case .oauthClient: oauth == nil ? nil : oauthOwner(input)
        case .backup: nil
        }
    }

    /// The key of the subscription by which a change of plan replaces the one before.
    func replacement(of input: ProvisionInput, by saga: UniqueID) -> String {
        names.transitionKey(subscription: "\(input.subscription)", saga: "\(saga)", verb: "create")
    }
}
