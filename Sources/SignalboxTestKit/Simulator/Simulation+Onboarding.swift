package import Domain
package import EventStore

extension Simulation {
    /// What onboarding appends: an organization, its subscription, its instance.
    package func onboarding(_ plan: PlanSnapshot = .simulated) throws -> AppendRequest {
        try Onboarding(
            organization: organization,
            subscription: subscription,
            instance: instance,
            cause: cause,
            plan: plan,
            ids: clock.ids
        ).request
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
