internal import Commands
internal import EventStore
internal import Platform
internal import Sagas
internal import Server

/// How much a wrong setting may cost.
enum Stage: String, CaseIterable {
    case production, development
}

/// Everything `signalbox serve` needs to know, checked before anything starts.
struct Settings {
    var stage: Stage
    var host: String
    var port: Int
    var database: String
    var poolSize: Int
    /// How many slices a read model has that is made by this process.
    var projectionSlices: Int
    /// When an append counts as done.
    var durability: Durability
    /// The folder with the files of what was archived of the log; `nil` when nothing was.
    var archive: String?
    var names: Names
    var provisioner: Provisioner
    var billing: Billing
    var nomad: Nomad
    var oauth: OAuth?
    var edge: Edge
    var tenant: Tenant
    var backups: Backups
    var masterKeys: String
    /// Keys with the platform role operator, as `sbx_<id>_<secret>`.
    var operatorKeys: [String]
    /// Where the catalogue is; `nil` for the one inside the binary.
    var catalogue: String?
    var release: String
    var registry: String
    /// Between two comparisons of what should be there with what is there.
    var reconcilePeriod: Duration
    /// How much each target takes.
    var targets: [String: TargetLimits]
    /// Whose tokens are good; `nil` when only API keys are.
    var tokens: TokenSettings?
    /// How many requests one principal may send; `nil` for as many as they like.
    var limits: RateLimits?
    /// Origins of web pages that may call the API.
    var origins: [String]
    /// How the log is sealed; `nil` when it is not.
    var audit: AuditSettings?

    /// The cluster of the tenants.
    struct Provisioner {
        /// The provisioner's own connection, to the database `postgres`.
        var conninfo: String
        /// Where tenants find the cluster.
        var address: DatabaseAddress
        var connectionLimit: Int
        /// Databases of that cluster that no tenant may enter, besides `postgres` and `template1`.
        var protecting: [String]
    }

    struct Billing {
        var url: String
        var key: String
        var timeout: Duration
    }

    struct Nomad {
        var url: String
        var token: String?
        var namespace: String
        var region: String
        var datacenters: [String]
        var timing: WorkloadTiming
    }

    /// The service at which tenants' OAuth clients are registered.
    struct OAuth {
        var url: String
        var tenant: String
        var client: String
        var secret: String
        var timeout: Duration
    }

    struct Edge {
        /// Traefik presents it when it polls the route document.
        var token: String
        /// Traefik's own API, by which a route is confirmed.
        var api: String?
        /// `nomad` or `consulcatalog`.
        var provider: String
        var entryPoint: String
        var certificateResolver: String?
    }

    /// Where the last state of terminated tenants' databases is kept.
    struct Backups {
        var folder: String
        /// `pg_dump`, as a path or a name.
        var program: String
    }

    /// What every tenant's environment says, beside its own.
    struct Tenant {
        var redisAddress: String
        var redisPassword: String
        var redisDatabase: Int
        /// Where tenants' users sign in.
        var identityURL: String
        var sslMode: String
    }
}

extension Settings {
    /// Reads and checks the environment.
    ///
    /// The names of the systems that this one replaces are accepted as they are; see docs/configuration.md.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
    init(environment: [String: String]) throws(ConfigurationError) {
        var read = EnvironmentReader(environment)
        stage = read.choice("ENVIRONMENT", default: Stage.production)
        host = read.optional("SIGNALBOX_HOST") ?? "0.0.0.0"
        port = read.integer("PORT", default: 8080, in: 0...65535)
        poolSize = read.integer("SIGNALBOX_POOL_SIZE", default: 4, in: 1...64)
        projectionSlices = read.integer("SIGNALBOX_PROJECTION_SLICES", default: 16, in: 1...256)
        database = Self.database(&read)
        durability = read.choice(Self.durabilityName, default: Durability.pipelined)
        archive = read.optional("SIGNALBOX_ARCHIVE")
        names = Names(
            rootDomain: read.required("APP_ROOT_DOMAIN", meaning: "tenants are <slug>.<this domain>"),
            rootScheme: read.optional("APP_ROOT_SCHEME") ?? "https"
        )
        if !["http", "https"].contains(names.rootScheme) { read.complain("APP_ROOT_SCHEME must be http or https") }
        provisioner = Self.provisioner(&read)
        billing = Billing(
            url: read.address("RAILZWAY_CLIENT_URL", default: ""),
            key: read.required("RAILZWAY_API_KEY", meaning: "the key of the billing engine"),
            timeout: read.seconds("RAILZWAY_CLIENT_TIMEOUT", default: .seconds(30))
        )
        if billing.url.isEmpty { read.complain("RAILZWAY_CLIENT_URL is missing: where the billing engine is") }
        nomad = Self.nomad(&read)
        oauth = Self.oauth(&read)
        edge = Edge(
            token: read.required("SIGNALBOX_TRAEFIK_TOKEN", meaning: "Traefik presents it for the route document"),
            api: read.optional("TRAEFIK_API_URL"),
            provider: read.optional("SIGNALBOX_SERVICE_PROVIDER") ?? "nomad",
            entryPoint: read.optional("SIGNALBOX_ENTRY_POINT") ?? "websecure",
            certificateResolver: read.optional("SIGNALBOX_CERT_RESOLVER")
        )
        if !["nomad", "consulcatalog"].contains(edge.provider) {
            read.complain("SIGNALBOX_SERVICE_PROVIDER must be nomad or consulcatalog")
        }
        tenant = Tenant(
            redisAddress: read.required("PROVISION_RATE_LIMIT_REDIS_ADDR", meaning: "the tenants' rate limiter"),
            redisPassword: read.optional("PROVISION_RATE_LIMIT_REDIS_PASSWORD") ?? "",
            redisDatabase: read.integer("PROVISION_RATE_LIMIT_REDIS_DB", default: 0, in: 0...1_000_000),
            identityURL: read.address("OAUTH2_URI", default: "https://accounts.\(names.rootDomain)"),
            sslMode: read.optional("PROVISION_DB_SSL_MODE") ?? "require"
        )
        backups = Backups(
            folder: read.optional("BACKUP_DIR") ?? "/var/lib/signalbox/backups",
            program: read.optional("PG_DUMP") ?? "pg_dump"
        )
        if !backups.folder.hasPrefix("/") { read.complain("BACKUP_DIR must be an absolute path") }
        masterKeys = read.required("SIGNALBOX_MASTER_KEYS", meaning: "<version>:<64 hexadecimal digits>")
        operatorKeys = read.list("SIGNALBOX_OPERATOR_KEYS")
        if operatorKeys.contains(where: { IssuedKey($0) == nil }) {
            read.complain(
                "SIGNALBOX_OPERATOR_KEYS must be keys of the form sbx_<id>_<secret>, the secret of 32 characters or more"
            )
        }
        catalogue = read.optional("SIGNALBOX_CATALOGUE")
        release = read.optional("RAILZWAY_OSS_VERSION") ?? "v1.6.0"
        registry = read.optional("SIGNALBOX_IMAGE") ?? "ghcr.io/smallbiznis/railzway"
        reconcilePeriod = max(.seconds(1), read.seconds("SIGNALBOX_RECONCILE_PERIOD", default: .seconds(60)))
        targets = Self.targets(&read)
        audit = AuditSettings(&read)
        limits = Self.limits(&read)
        origins = Self.origins(&read)
        tokens = TokenSettings(&read, stage)
        guard read.problems.isEmpty else { throw ConfigurationError(problems: read.problems) }
    }

    /// When an append counts as done, as this environment says.
    ///
    /// - Throws: ``ConfigurationError`` when it says something else.
    static func durability(of environment: [String: String]) throws(ConfigurationError) -> Durability {
        var read = EnvironmentReader(environment)
        let durability = read.choice(durabilityName, default: Durability.pipelined)
        guard read.problems.isEmpty else { throw ConfigurationError(problems: read.problems) }
        return durability
    }

    private static let durabilityName = "SIGNALBOX_DURABILITY"

    private static func database(_ read: inout EnvironmentReader) -> String {
        if let url = read.optional("DATABASE_URL") { return url }
        let host = read.optional("DB_HOST")
        guard let host else {
            read.complain(
                "DATABASE_URL (or DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD) is missing: the database of the log"
            )
            return ""
        }
        return conninfo(
            host: host,
            port: read.integer("DB_PORT", default: 5432, in: 1...65535),
            name: read.optional("DB_NAME") ?? "signalbox",
            user: read.optional("DB_USER") ?? "signalbox",
            password: read.optional("DB_PASSWORD"),
            sslMode: read.optional("DB_SSL_MODE") ?? "prefer"
        )
    }

    private static func provisioner(_ read: inout EnvironmentReader) -> Provisioner {
        let host = read.required("PROVISION_DB_HOST", "DB_HOST", meaning: "the Postgres cluster of the tenants")
        let port = read.integer("PROVISION_DB_PORT", default: 5432, in: 1...65535)
        return Provisioner(
            conninfo: conninfo(
                host: host,
                port: port,
                // Settle locks are per database: they are all taken in this one, whatever PROVISION_DB_NAME says.
                name: "postgres",
                user: read.required("PROVISION_DB_USER", meaning: "made by `signalbox provision prepare`"),
                password: read.optional("PROVISION_DB_PASSWORD"),
                sslMode: read.optional("PROVISION_DB_SSL_MODE") ?? "require"
            ),
            address: DatabaseAddress(
                host: read.optional("PROVISION_DB_TENANT_HOST") ?? host,
                port: read.integer("PROVISION_DB_TENANT_PORT", default: port, in: 1...65535)
            ),
            connectionLimit: read.integer("PROVISION_DB_CONNECTION_LIMIT", default: 110, in: 1...10_000),
            protecting: read.list("PROVISION_DB_PROTECT")
        )
    }

    private static func nomad(_ read: inout EnvironmentReader) -> Nomad {
        let defaults = WorkloadTiming()
        return Nomad(
            url: read.address("NOMAD_ADDR", default: "http://127.0.0.1:4646"),
            token: read.optional("NOMAD_TOKEN"),
            namespace: read.optional("NOMAD_NAMESPACE") ?? "default",
            region: read.optional("NOMAD_REGION") ?? "global",
            datacenters: read.list("SIGNALBOX_DATACENTERS", default: "dc1"),
            timing: WorkloadTiming(
                minimumHealthy: read.seconds("SIGNALBOX_MIN_HEALTHY_TIME", default: defaults.minimumHealthy),
                healthyDeadline: read.seconds("SIGNALBOX_HEALTHY_DEADLINE", default: defaults.healthyDeadline),
                progressDeadline: read.seconds("SIGNALBOX_PROGRESS_DEADLINE", default: defaults.progressDeadline),
                checkInterval: read.seconds("SIGNALBOX_CHECK_INTERVAL", default: defaults.checkInterval),
                checkTimeout: read.seconds("SIGNALBOX_CHECK_TIMEOUT", default: defaults.checkTimeout)
            )
        )
    }

    /// Off unless `AUTH_SERVICE_URL` is set; then the rest must be there too.
    private static func oauth(_ read: inout EnvironmentReader) -> OAuth? {
        guard read.optional("AUTH_SERVICE_URL") != nil else { return nil }
        return OAuth(
            url: read.address("AUTH_SERVICE_URL", default: ""),
            tenant: read.required("AUTH_SERVICE_TENANT", meaning: "sent as X-Tenant-ID"),
            client: read.required("AUTH_SERVICE_CLIENT_ID", "TENANT_OAUTH2_CLIENT_ID", meaning: "the service's client"),
            secret: read.required(
                "AUTH_SERVICE_CLIENT_SECRET",
                "TENANT_OAUTH2_CLIENT_SECRET",
                meaning: "the service's client secret"
            ),
            timeout: read.seconds("AUTH_SERVICE_TIMEOUT", default: .seconds(10))
        )
    }

    /// A libpq connection string with every value quoted.
    static func conninfo(
        host: String,
        port: Int,
        name: String,
        user: String,
        password: String?,
        sslMode: String? = nil
    ) -> String {
        func quoted(_ value: String) -> String {
            "'" + value.reduce(into: "") { $0 += $1 == "'" || $1 == "\\" ? "\\\($1)" : String($1) } + "'"
        }
        var parts = ["host=\(quoted(host))", "port=\(port)", "dbname=\(quoted(name))", "user=\(quoted(user))"]
        if let password { parts.append("password=\(quoted(password))") }
        if let sslMode { parts.append("sslmode=\(quoted(sslMode))") }
        return parts.joined(separator: " ")
    }
}
