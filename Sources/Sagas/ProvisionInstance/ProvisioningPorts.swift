package import Commands
package import EventStore
package import Platform

/// Everything outside that the provisioning of an instance talks to.
package struct ProvisioningPorts: Sendable {
    package var databases: any DatabaseProvisioner
    package var scheduler: any WorkloadScheduler
    package var billing: any Billing
    /// `nil` when no edge is asked whether a route is live.
    package var edge: (any Edge)?
    /// `nil` when tenants cannot be asked whether they are ready.
    package var tenants: (any TenantProbe)?
    /// `nil` when tenants have no OAuth client.
    package var oauth: (any OAuthClients)?
    /// The secrets that are derived, never stored.
    package var derived: DerivedSecrets
    /// The secrets that others gave us.
    package var kept: any KeptSecrets
    package var names: Names
    package var settings: TenantSettings
    /// Where final backups go; `nil` when no place is configured.
    package var backups: (any Backups)?
    /// What the log knows at the moment of a step; `nil` in a process that drives no saga.
    package var records: Records?
    /// What erases personal data; `nil` in a process that drives no saga.
    package var personal: (any PersonalData)?
    /// What a saga looks at that waits for something of the plane's own; `nil` where none does.
    package var log: (any EventLog)?

    package init(
        databases: any DatabaseProvisioner,
        scheduler: any WorkloadScheduler,
        billing: any Billing,
        edge: (any Edge)? = nil,
        oauth: (any OAuthClients)? = nil,
        derived: DerivedSecrets,
        kept: any KeptSecrets,
        names: Names,
        settings: TenantSettings
    ) {
        self.databases = databases
        self.scheduler = scheduler
        self.billing = billing
        self.edge = edge
        self.oauth = oauth
        self.derived = derived
        self.kept = kept
        self.names = names
        self.settings = settings
    }
}

/// Secrets that others issued and that cannot be computed again, kept sealed beside the log.
package protocol KeptSecrets: Sendable {
    /// Keeps it under this name, in place of an earlier one.
    func keep(_ secret: Secret, as name: String) async throws(PortError)

    /// The one of this name; `nil` when there is none.
    func secret(named name: String) async throws(PortError) -> Secret?
}
