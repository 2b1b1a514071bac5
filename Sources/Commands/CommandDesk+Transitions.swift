internal import Domain
internal import EventStore
package import Kernel

/// Stopping, starting and ending instances; a subscription has exactly one instance, so its commands are the same ones.
extension CommandDesk {
    /// Takes an instance out of service and pauses its subscription.
    package func stopInstance(
        _ id: InstanceID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await move(id, by: envelope) { (_, organization) throws(CommandError) in
            // New work is refused; less work is welcome as long as the organization is there.
            if organization.model.stage != .suspended { try organization.requireActive() }
            return .requestStop(reason: Self.reason(envelope))
        }
    }

    /// Puts a stopped instance into service again and resumes its subscription.
    package func startInstance(
        _ id: InstanceID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await move(id, by: envelope) { (_, organization) throws(CommandError) in
            try organization.requireActive()
            return .requestStart(reason: Self.reason(envelope))
        }
    }

    /// The same as ``stopInstance(_:by:)``, by the subscription.
    package func pauseSubscription(
        _ id: SubscriptionID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await stopInstance(try await instance(of: id), by: envelope)
    }

    /// The same as ``startInstance(_:by:)``, by the subscription.
    package func resumeSubscription(
        _ id: SubscriptionID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await startInstance(try await instance(of: id), by: envelope)
    }

    /// Ends an instance: out of service, saved, its subscription cancelled, its database put aside and dropped later.
    package func terminateInstance(
        _ id: InstanceID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await move(id, by: envelope) { _, _ in .requestTermination(reason: Self.reason(envelope)) }
    }

    /// Cancels a subscription, and terminates its instance, now or when what is paid for has ended.
    package func cancelSubscription(
        _ id: SubscriptionID,
        immediately: Bool,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        if immediately { return try await terminateInstance(try await instance(of: id), by: envelope) }
        let stream = Streams.subscription(id)
        return try await handler.commit(envelope, knownBy: stream) { () throws(CommandError) in
            let subscription = try await handler.aggregates.load(Subscription.self, from: stream)
            guard let owner = subscription.model.requested?.organization else { throw .notFound }
            _ = try await organization(owner, for: envelope.principal, to: .operate)
            let now = handler.ids.now()
            let operation = handler.ids.unique()
            let end = BillingPeriod.end(after: now, anchor: subscription.model.anchor ?? now)
            return try decision(
                subscription,
                [.requestCancellation(effectiveAt: end)],
                answer: OperationStarted(operation: operation),
                envelope,
                first: operation
            ) { .subscription($0) }
        }
    }

    /// Ends an organization with everything in it; there is no way back.
    package func deleteOrganization(
        _ id: OrganizationID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .delete)
            let operation = handler.ids.unique()
            let decision = try decision(
                organization,
                [.requestDeletion(reason: Self.reason(envelope))],
                answer: OperationStarted(operation: operation),
                envelope,
                first: operation
            ) { .organization($0) }
            // The operation is the event's; without an event there is none to be told.
            guard decision.writes.contains(where: { !$0.events.isEmpty }) else { throw .organization(.deleting) }
            return decision
        }
    }

    /// Tells an instance what starts a saga, which has the id of the event.
    ///
    /// - Parameters:
    ///   - id: The instance.
    ///   - envelope: Who asks.
    ///   - command: What is asked for, of the instance and its organization as they are, unless it is refused.
    /// - Returns: The operation.
    /// - Throws: ``CommandError``.
    func move(
        _ id: InstanceID,
        by envelope: CommandEnvelope,
        _ command: (Instance, Aggregate<Organization>) async throws(CommandError) -> Instance.Command
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await handler.commit(envelope, knownBy: Streams.instance(id)) { () throws(CommandError) in
            let (instance, organization) = try await instance(id, for: envelope.principal, to: .operate)
            let command = try await command(instance.model, organization)
            let operation = handler.ids.unique()
            var decision = try decision(
                instance,
                [command],
                answer: OperationStarted(operation: operation),
                envelope,
                first: operation
            ) { .instance($0) }
            // The operation is the event's; without an event there is none to be told.
            guard decision.writes.contains(where: { !$0.events.isEmpty }) else {
                throw .instance(instance.model.stage == .terminated ? .terminated : .terminating)
            }
            // The organization must still be as it was judged.
            decision.writes.append(try organization.write([], ids: handler.ids))
            return decision
        }
    }

    /// The instance that a subscription pays for; whether the principal may see it is asked with the instance.
    func instance(of id: SubscriptionID) async throws(CommandError) -> InstanceID {
        let subscription = try await handler.aggregates.load(Subscription.self, from: Streams.subscription(id))
        guard let instance = subscription.model.requested?.instance else { throw .notFound }
        return instance
    }

    static func reason(_ envelope: CommandEnvelope) -> String { "asked for by \(envelope.principal.actor)" }
}
