internal import Adapters
internal import AsyncHTTPClient
internal import Commands
internal import Domain
internal import Kernel
internal import Platform
internal import Postgres
internal import Sagas

/// The world outside, as the settings describe it.
struct Ports {
    private(set) var provisioning: ProvisioningPorts
    let inventory: TargetInventory

    init(settings: Settings, http: HTTPClient, keys: MasterKeys, pool: Pool) {
        let nomad = NomadClient(
            caller: HTTPCaller(
                client: http,
                base: settings.nomad.url,
                headers: NomadClient.headers(token: settings.nomad.token.map { Secret($0) })
            ),
            namespace: settings.nomad.namespace
        )
        let specification = JobSpecification(
            .init(
                region: settings.nomad.region,
                namespace: settings.nomad.namespace,
                datacenters: settings.nomad.datacenters,
                provider: settings.edge.provider == "nomad" ? .nomad : .consul,
                development: settings.stage == .development,
                timing: settings.nomad.timing
            )
        )
        let billing = HTTPCaller(
            client: http,
            base: settings.billing.url,
            headers: BillingClient.headers(key: Secret(settings.billing.key)),
            timeout: settings.billing.timeout
        )
        let tenants = TenantPostgres(
            conninfo: settings.provisioner.conninfo,
            address: settings.provisioner.address,
            protecting: settings.provisioner.protecting
        )
        let scheduler = NomadScheduler(client: nomad, specification: specification)
        let engine = BillingClient(caller: billing)
        inventory = TargetInventory(
            postgres: tenants,
            scheduler: scheduler,
            billing: engine,
            names: settings.names
        )
        provisioning = ProvisioningPorts(
            databases: tenants,
            scheduler: scheduler,
            billing: engine,
            edge: settings.edge.api.map {
                TraefikEdge(caller: HTTPCaller(client: http, base: $0, timeout: .seconds(5)))
            },
            oauth: settings.oauth.map { oauth in
                OAuthClientRegistration(
                    caller: HTTPCaller(client: http, base: oauth.url, timeout: oauth.timeout),
                    tenant: oauth.tenant,
                    clientID: oauth.client,
                    clientSecret: Secret(oauth.secret)
                )
            },
            derived: DerivedSecrets(keys: keys),
            kept: SealedSecrets(pool: pool, keys: keys),
            names: settings.names,
            settings: Self.tenant(settings)
        )
        provisioning.tenants = TenantHTTP(client: http)
        provisioning.backups = PostgresDump(
            of: tenants,
            into: settings.backups.folder,
            program: settings.backups.program
        )
    }

    private static func tenant(_ settings: Settings) -> TenantSettings {
        let timing = settings.nomad.timing
        return TenantSettings(
            environment: settings.stage.rawValue,
            connectionLimit: settings.provisioner.connectionLimit,
            databaseSSLMode: settings.tenant.sslMode,
            oauthURI: settings.tenant.identityURL,
            redis: .init(
                address: settings.tenant.redisAddress,
                database: settings.tenant.redisDatabase,
                hasPassword: !settings.tenant.redisPassword.isEmpty
            ),
            // The scheduler gives up first; then we know why.
            healthPatience: max(timing.progressDeadline + .seconds(60), .seconds(60)),
            // Nobody on a development machine minds a request that is cut off.
            drain: settings.stage == .development ? .zero : .seconds(5),
            billingCall: settings.billing.timeout,
            quarantine: .seconds(settings.stage == .development ? 3600 : 7 * 24 * 3600),
            readyPatience: .seconds(settings.stage == .development ? 20 : 5 * 60),
            shiftPause: settings.stage == .development ? .seconds(1) : .seconds(10)
        )
    }
}
