package import Platform

/// What there is at the tenant cluster, the scheduler and the billing engine.
package struct TargetInventory: Inventory {
    private let postgres: TenantPostgres
    private let scheduler: NomadScheduler
    private let billing: BillingClient
    private let names: Names

    package init(postgres: TenantPostgres, scheduler: NomadScheduler, billing: BillingClient, names: Names) {
        self.postgres = postgres
        self.scheduler = scheduler
        self.billing = billing
        self.names = names
    }

    package func databases() async throws(PortError) -> Listing<ListedDatabase> {
        try await postgres.list(databasesFrom: names.databasePrefix)
    }

    package func roles() async throws(PortError) -> Listing<ListedRole> {
        try await postgres.list(rolesFrom: names.rolePrefix)
    }

    package func jobs() async throws(PortError) -> Listing<ListedJob> {
        try await scheduler.list(jobsFrom: names.jobPrefix)
    }

    package func subscriptions() async throws(PortError) -> Listing<ListedSubscription> {
        try await billing.listSubscriptions()
    }
}
