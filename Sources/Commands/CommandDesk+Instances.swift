internal import Domain
internal import EventStore
package import Kernel

extension CommandDesk {
    /// Asks for one more instance of an organization, with a subscription of its own.
    ///
    /// Without a name it is `main`, the first one; without a version it runs the default release.
    package func requestInstance(
        of id: OrganizationID,
        name: String? = nil,
        price: String,
        version: String? = nil,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<InstanceRequested> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .operate)
            try organization.requireActive()
            let instance: InstanceID = handler.ids.identifier()
            let operation = handler.ids.unique()
            let order = try await order(
                instance: instance,
                name: name ?? InstanceName.main,
                of: (id, organization.model.name, organization.model.slug),
                price: price,
                version: version,
                operation: operation
            )
            return Decision(
                // The instance is the command's own stream; the organization must still be as it was judged.
                writes: order.writes.reversed() + [try organization.write([], ids: handler.ids)],
                claims: order.claims,
                answer: InstanceRequested(
                    operation: operation,
                    subscription: order.subscription,
                    instance: instance
                ),
                position: organization.position
            )
        }
    }

    /// Tries a failed provisioning once more, as the next generation.
    package func retryInstance(
        _ id: InstanceID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<OperationStarted> {
        try await move(id, by: envelope) { (_, organization) throws(CommandError) in
            try organization.requireActive()
            return .retry
        }
    }

    /// A subscription and its instance, ready to be written; the id of the instance's event is that of the saga.
    func order(
        instance id: InstanceID,
        name: String,
        of organization: (id: OrganizationID, name: String, slug: String),
        price: String,
        version: String?,
        operation: UniqueID
    ) async throws(CommandError) -> (writes: [StreamWrite], claims: [ClaimChange], subscription: SubscriptionID) {
        guard let offer = settings.catalogue.offer(price: price) else { throw .unknownPrice }
        // `{name}--{slug}` is one DNS label, of at most 63 bytes (RFC 1035, 2.3.4).
        guard name == InstanceName.main || name.utf8.count + 2 + organization.slug.utf8.count <= 63 else {
            throw .instance(.nameMalformed)
        }
        let releases = try await handler.aggregates.load(Release.self, from: Streams.release(settings.application))
        let release: ReleaseSnapshot
        do {
            release = try releases.model.snapshot(
                of: settings.application,
                version: version,
                for: offer.plan.tier
            )
        } catch {
            throw .release(error)
        }
        let subscriptionID: SubscriptionID = handler.ids.identifier()
        let subscription = Aggregate<Subscription>(
            absent: Streams.subscription(subscriptionID),
            organization: organization.id
        )
        let instance = Aggregate<Instance>(absent: Streams.instance(id), organization: organization.id)
        let ordered: [SubscriptionEvent]
        do {
            ordered = try subscription.decide(
                .request(.init(organization: organization.id, instance: id, price: offer.price, plan: offer.plan))
            )
        } catch {
            throw .subscription(error)
        }
        let requested: [InstanceEvent]
        do {
            requested = try instance.decide(
                .request(
                    .init(
                        organization: organization.id,
                        subscription: subscriptionID,
                        name: name,
                        slug: organization.slug,
                        organizationName: organization.name,
                        kind: .managedApp,
                        plan: offer.plan,
                        release: release,
                        computeEngine: offer.computeEngine,
                        generation: 1
                    )
                )
            )
        } catch {
            throw .instance(error)
        }
        let host = Claim(kind: ClaimKind.host, key: settings.host(organization.slug, name))
        return (
            [
                try subscription.write(ordered, ids: handler.ids),
                try instance.write(requested, ids: handler.ids, first: operation),
            ],
            [.take(host, for: instance.stream)],
            subscriptionID
        )
    }
}
