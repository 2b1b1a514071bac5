internal import Commands
internal import EventStore
internal import Platform
internal import Sagas
internal import Server

/// How much a wrong setting may cost.
enum Stage: String, CaseIterable {
    case production, development
}

/// Whether something is there.
enum Switch: String, CaseIterable {
    case on, off
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
    /// How browsers sign in; `nil` when they do not.
    var signIn: SignInSettings?
    /// How many requests one principal may send; `nil` for as many as they like.
    var limits: RateLimits?
    /// Origins of web pages that may call the API.
    var origins: [String]
    /// How the log is sealed; `nil` when it is not.
    var audit: AuditSettings?
    /// Whether the routes of the older control plane are served, too.
    var servesOlderRoutes: Bool
    /// The folder of a web page that is served where no route is; `nil` for none.
    var page: String?
    /// Where spans go; `nil` when nobody follows traces.
    var tracing: TraceSettings?
    /// What log lines look like.
    var logging: LogSettings
    /// The values of all secrets, which no log line may have in it.
    var secrets: [String] = []
    /// Settings of older systems that are set and do nothing, and why.
    var unused: [(name: String, why: String)] = []

    /// The cluster of the tenants.
    struct Provisioner {
        /// The provisioner's own connection, to the database `postgres`.
        var conninfo: String
        /// Where tenants find the cluster.
        var address: DatabaseAddress
        var connectionLimit: Int
        /// Databases of that cluster that no tenant may enter, besides `postgres` and `template1`.
        var protecting: [String]
        /// How tenants' own connections are protected.
        var tenantSSLMode: String
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
    /// The names of the systems that this one replaces are accepted as they are, and `SIGNALBOX_CONFIG` names a file with
    /// more of them; see docs/configuration.md.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
    init(environment: [String: String]) throws(ConfigurationError) {
        let (values, fromFile) = try EnvironmentFile.merged(into: environment)
        var read = EnvironmentReader(values)
        self.init(&read)
        let known = Set(read.asked.flatMap(\.names) + UnusedSettings.reasons.flatMap(\.names))
        for name in fromFile where !known.contains(name) && !known.contains(String(name.dropLast("_FILE".count))) {
            read.complain("\(EnvironmentFile.name) sets \(name), which is no setting")
        }
        if stage == .production {
            for problem in ExampleKeys.problems(with: read.secrets) { read.complain(problem) }
            if (1..<16).contains(edge.token.utf8.count) {
                read.complain("SIGNALBOX_TRAEFIK_TOKEN must have 16 characters or more in production")
            }
        }
        guard read.problems.isEmpty else { throw ConfigurationError(problems: read.problems) }
        secrets = read.secrets.map(\.value)
        unused = UnusedSettings.among(values)
    }

    /// Every setting there is, as it is asked for.
    static var all: [Setting] {
        var read = EnvironmentReader([:])
        _ = Settings(&read)
        return read.asked
    }

    /// Asks for each setting, whatever the others say; what is wrong is said to the reader.
    private init(_ read: inout EnvironmentReader) {
        stage = read.choice("ENVIRONMENT", "APP_ENV", "NODE_ENV", default: Stage.production)
        host = read.text("SIGNALBOX_HOST", "HOST", as: "address", default: "0.0.0.0")
        port = read.integer("PORT", default: 8080, in: 0...65535)
        logging = LogSettings(&read)
        tracing = TraceSettings(&read)
        database = Self.database(&read)
        poolSize = read.integer("SIGNALBOX_POOL_SIZE", default: 4, in: 1...64)
        projectionSlices = read.integer("SIGNALBOX_PROJECTION_SLICES", default: 16, in: 1...256)
        durability = read.choice(Self.durabilityName, default: Durability.pipelined)
        archive = read.optional("SIGNALBOX_ARCHIVE", as: "path")
        names = Names(
            rootDomain: read.required(
                "APP_ROOT_DOMAIN",
                "DOMAIN",
                as: "name",
                meaning: "tenants are <slug>.<this domain>"
            ),
            rootScheme: read.text("APP_ROOT_SCHEME", as: "`http` or `https`", default: "https")
        )
        if !["http", "https"].contains(names.rootScheme) { read.complain("APP_ROOT_SCHEME must be http or https") }
        masterKeys = read.requiredSecret(
            "SIGNALBOX_MASTER_KEYS",
            as: "`<version>:<64 hexadecimal digits>`, comma between",
            meaning: "<version>:<64 hexadecimal digits>"
        )
        operatorKeys = read.list("SIGNALBOX_OPERATOR_KEYS", as: "`sbx_<id>_<secret>`, comma between", secret: true)
        if operatorKeys.contains(where: { IssuedKey($0) == nil }) {
            read.complain(
                "SIGNALBOX_OPERATOR_KEYS must be keys of the form sbx_<id>_<secret>, the secret of 32 characters or more"
            )
        }
        tokens = TokenSettings(&read, stage)
        signIn = SignInSettings(&read, stage)
        limits = Self.limits(&read)
        origins = Self.origins(&read)
        servesOlderRoutes = read.choice("SIGNALBOX_OLDER_API", default: Switch.off) == .on
        page = read.optional("STATIC_DIR", as: "path")
        reconcilePeriod = max(
            .seconds(1),
            read.seconds("SIGNALBOX_RECONCILE_PERIOD", "ORCHESTRATOR_SYNC_INTERVAL", default: .seconds(60))
        )
        targets = Self.targets(&read)
        audit = AuditSettings(&read)
        edge = Self.edge(&read)
        provisioner = Self.provisioner(&read)
        backups = Backups(
            folder: read.text("BACKUP_DIR", as: "absolute path", default: "/var/lib/signalbox/backups"),
            program: read.text("PG_DUMP", as: "path or name", default: "pg_dump")
        )
        if !backups.folder.hasPrefix("/") { read.complain("BACKUP_DIR must be an absolute path") }
        nomad = Self.nomad(&read)
        billing = Billing(
            url: read.address("RAILZWAY_CLIENT_URL", default: "", shown: "required"),
            key: read.requiredSecret("RAILZWAY_API_KEY", meaning: "the key of the billing engine"),
            timeout: read.seconds("RAILZWAY_CLIENT_TIMEOUT", default: .seconds(30))
        )
        if billing.url.isEmpty { read.complain("RAILZWAY_CLIENT_URL is missing: where the billing engine is") }
        oauth = Self.oauth(&read)
        tenant = Tenant(
            redisAddress: read.required(
                "PROVISION_RATE_LIMIT_REDIS_ADDR",
                as: "host:port",
                meaning: "the tenants' rate limiter"
            ),
            redisPassword: read.secret("PROVISION_RATE_LIMIT_REDIS_PASSWORD", otherwise: "empty") ?? "",
            redisDatabase: read.integer("PROVISION_RATE_LIMIT_REDIS_DB", default: 0, in: 0...1_000_000),
            identityURL: read.address(
                "OAUTH2_URI",
                default: "https://accounts.\(names.rootDomain)",
                shown: "`https://accounts.<root domain>`"
            ),
            sslMode: provisioner.tenantSSLMode
        )
        release = read.text("RAILZWAY_OSS_VERSION", as: "version", default: "v1.6.0")
        registry = read.text("SIGNALBOX_IMAGE", as: "image reference", default: "ghcr.io/smallbiznis/railzway")
        catalogue = read.optional("SIGNALBOX_CATALOGUE", as: "path", otherwise: "the one in the binary")
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
}
