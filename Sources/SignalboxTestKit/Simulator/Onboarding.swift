internal import Domain
package import EventStore
package import Kernel

/// One organization that is onboarded: its ids, and what is appended for it.
package struct Onboarding: Sendable {
    package let organization: OrganizationID
    package let subscription: SubscriptionID
    package let instance: InstanceID
    /// The event by which its first instance is asked for.
    package let cause: UniqueID
    package let request: AppendRequest

    /// One that nobody else has.
    package init(ids: IDSource = .system) throws {
        try self.init(
            organization: ids.identifier(),
            subscription: ids.identifier(),
            instance: ids.identifier(),
            cause: ids.unique(),
            ids: ids
        )
    }

    init(
        organization: OrganizationID,
        subscription: SubscriptionID,
        instance: InstanceID,
        cause: UniqueID,
        plan: PlanSnapshot = .simulated,
        ids: IDSource
    ) throws {
        (self.organization, self.subscription, self.instance) = (organization, subscription, instance)
        self.cause = cause
        let price = PriceSnapshot(code: "team-monthly", currency: "USD", amount: 9900, interval: "month")
        let requested = InstanceEvent.Requested(
            organization: organization,
            subscription: subscription,
            name: "main",
            slug: "acme",
            organizationName: "Acme",
            kind: .managedApp,
            plan: plan,
            release: ReleaseSnapshot(application: "railzway", version: "v1.6.0", image: "ghcr.io/x/railzway:v1.6.0"),
            computeEngine: .hetzner,
            generation: 1
        )
        let created = OrganizationEvent.created(
            .init(name: "Acme", slug: "acme", owner: UserID(at: Timestamp(microseconds: 0), random: 7))
        )
        let bought = SubscriptionEvent.requested(
            .init(organization: organization, instance: instance, price: price, plan: plan)
        )
        func write(_ stream: StreamName, _ event: some EventFamily, _ id: UniqueID) throws -> StreamWrite {
            let new = NewEvent(id: id, type: event.name.rawValue, payload: try event.payload())
            return StreamWrite(stream, organization: organization, expecting: .none, events: [new])
        }
        request = AppendRequest(
            causation: Causation(actor: "user-7", command: ids.unique()),
            writes: [
                try write(StreamName(category: "organization", id: organization), created, ids.unique()),
                try write(StreamName(category: "subscription", id: subscription), bought, ids.unique()),
                try write(StreamName(category: "instance", id: instance), InstanceEvent.requested(requested), cause),
            ]
        )
    }

    /// The stream of the saga that it starts.
    package var stream: StreamName? { StreamName(SagaCause.stream(kind: "provision-instance", cause: cause)) }
}
