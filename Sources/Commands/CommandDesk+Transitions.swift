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
        try await move(id, to: .requestStop(reason: Self.reason(envelope)), by: envelope) {
            (organization) throws(Organization.Refusal) in
            // New work is refused; less work is welcome as long as the organization is there.
            if organization.stage != .suspended { try organization.requireActive() }
        }
    }

    /// Puts a stopped instance into service again and resumes its subscription.
    package func startInstance(
        _ id: InstanceID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await move(id, to: .requestStart(reason: Self.reason(envelope)), by: envelope) {
            (organization) throws(Organization.Refusal) in
            try organization.requireActive()
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
        try await move(id, to: .requestTermination(reason: Self.reason(envelope)), by: envelope) { _ in }
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

    /// Asks for another stage of an instance; the saga that brings it about has the id of the event.
    func move(
        _ id: InstanceID,
        to command: Instance.Command,
        by envelope: CommandEnvelope,
        allowed: (Organization) throws(Organization.Refusal) -> Void
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await handler.commit(envelope, knownBy: Streams.instance(id)) { () throws(CommandError) in
            let (instance, organization) = try await instance(id, for: envelope.principal, to: .operate)
            do throws(Organization.Refusal) { try allowed(organization.model) } catch { throw .organization(error) }
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
