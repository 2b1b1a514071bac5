package import Domain
package import EventStore
internal import Kernel

extension Simulation {
    /// What onboarding appends: an organization, its subscription, its instance.
    package func onboarding(_ plan: PlanSnapshot = .simulated) throws -> AppendRequest {
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
        return
            AppendRequest(
                causation: Causation(actor: "user-7", command: clock.ids.unique()),
                writes: [
                    StreamWrite(
                        StreamName(category: "organization", id: organization),
                        organization: organization,
                        expecting: .none,
                        events: [try new(created, clock.ids.unique())]
                    ),
                    StreamWrite(
                        StreamName(category: "subscription", id: subscription),
                        organization: organization,
                        expecting: .none,
                        events: [try new(bought, clock.ids.unique())]
                    ),
                    StreamWrite(
                        StreamName(category: "instance", id: instance),
                        organization: organization,
                        expecting: .none,
                        events: [try new(InstanceEvent.requested(requested), cause)]
                    ),
                ]
            )
    }

    func new(_ event: some EventFamily, _ id: UniqueID) throws -> NewEvent {
        NewEvent(id: id, type: event.name.rawValue, payload: try event.payload())
    }
}

extension PlanSnapshot {
    package static let simulated = PlanSnapshot(
        tier: .team,
        resources: Resources(cpu: 2000, memory: 4096, priority: 90),
        update: UpdatePolicy(canary: 1, autoRevert: true),
        quotas: [
            "QUOTA_ORG_CUSTOMER": "100", "QUOTA_ORG_SUBSCRIPTION": "100", "QUOTA_ORG_USAGE_MONTHLY": "100",
            "USAGE_INGEST_ENDPOINT_BURST": "100", "USAGE_INGEST_ENDPOINT_RATE": "100", "USAGE_INGEST_ORG_BURST": "100",
            "USAGE_INGEST_ORG_RATE": "100", "WEBHOOK_RETENTION_DAYS": "100",
        ],
        entitlements: [:]
    )
}
