internal import Domain
internal import Kernel
internal import Platform

/// What the tenant's process reads from its environment: a pure function of what was agreed on.
///
/// The names are those that the application reads (reference: its `internal/config`); it takes an empty value for an
/// unset one and falls back to defaults of its own, so a value that is missing here is an error.
struct TenantEnvironment: Sendable, Equatable {
    /// For everybody to see.
    private(set) var open: [String: String] = [:]
    /// The variable and the item of the workload's secret that it reads.
    private(set) var secret: [String: String] = [:]

    /// Nothing at all.
    init() {}

    /// The items of a workload's secret.
    enum Item {
        /// The login changes with every rotation, and a change of what is in the open would be a new version.
        static let user = "db_user"
        static let database = "db_password"
        static let jwt = "jwt_secret"
        static let payment = "payment_secret"
        static let oauth = "oauth_client_secret"
        static let redis = "redis_password"
    }

    /// The limits that every plan has to name.
    static let quotas = [
        "QUOTA_ORG_CUSTOMER", "QUOTA_ORG_SUBSCRIPTION", "QUOTA_ORG_USAGE_MONTHLY", "USAGE_INGEST_ENDPOINT_BURST",
        "USAGE_INGEST_ENDPOINT_RATE", "USAGE_INGEST_ORG_BURST", "USAGE_INGEST_ORG_RATE", "WEBHOOK_RETENTION_DAYS",
    ]

    /// The environment of one slot.
    ///
    /// - Parameters:
    ///   - input: What was agreed on.
    ///   - slot: Which of the instance's two.
    ///   - database: Where its data is.
    ///   - oauthClient: The id at the identity service; `nil` when there is none.
    ///   - settings: What is the same for all tenants.
    /// - Throws: ``PortError/blocked(code:message:)`` naming every value that is missing.
    init(
        _ input: ProvisionInput,
        slot: String,
        database: (name: String, address: DatabaseAddress),
        oauthClient: String?,
        settings: TenantSettings
    ) throws(PortError) {
        open = [
            "APP_MODE": "cloud",
            "ENVIRONMENT": settings.environment,
            "LOG_LEVEL": settings.logLevel,
            "TELEMETRY_ENABLED": "false",
            "RAILZWAY_INSTANCE_ID": "\(input.instance)",
            "SIGNALBOX_SLOT": slot,
            "BOOTSTRAP_DEFAULT_ORG_ID": "\(input.organization)",
            "BOOTSTRAP_DEFAULT_ORG_NAME": input.organizationName,
            "BOOTSTRAP_DEFAULT_ORG_SLUG": input.slug,
            "DB_HOST": database.address.host,
            "DB_PORT": "\(database.address.port)",
            "DB_NAME": database.name,
            "DB_SSL_MODE": settings.databaseSSLMode,
            // The limits below are only looked at when this says so.
            "QUOTA_ENABLED": "true",
            // The application clamps it to 2…5.
            "USAGE_INGEST_CONCURRENCY_TTL_SECONDS": "3",
        ]
        secret = [
            "DB_USER": Item.user,
            "DB_PASSWORD": Item.database,
            "AUTH_JWT_SECRET": Item.jwt,
            "PAYMENT_PROVIDER_CONFIG_SECRET": Item.payment,
        ]
        signIn(oauthClient, settings)
        if let redis = settings.redis {
            open["RATE_LIMIT_REDIS_ADDR"] = redis.address
            open["RATE_LIMIT_REDIS_DB"] = "\(redis.database)"
            if redis.hasPassword { secret["RATE_LIMIT_REDIS_PASSWORD"] = Item.redis }
        }
        open.merge(input.plan.quotas) { _, plan in plan }
        open.merge(settings.further) { _, further in further }

        let absent = Self.quotas.filter { open[$0] == nil } + open.filter(\.value.isEmpty).keys.sorted()
        guard absent.isEmpty else {
            throw .blocked(code: "value-missing", message: "no value for \(absent.joined(separator: ", "))")
        }
    }

    private mutating func signIn(_ client: String?, _ settings: TenantSettings) {
        guard let client, let uri = settings.oauthURI else {
            open["AUTH_RAILZWAY_COM_ENABLED"] = "false"
            return
        }
        open["OAUTH2_CLIENT_ID"] = client
        secret["OAUTH2_CLIENT_SECRET"] = Item.oauth
        let provider = [
            "NAME": "Railzway.com",
            "ENABLED": "true",
            "ALLOW_SIGN_UP": "false",
            "CLIENT_ID": client,
            "AUTH_URL": "\(uri)/authorize",
            "TOKEN_URL": "\(uri)/oauth/token",
            "API_URL": "\(uri)/userinfo",
            "SCOPES": "openid email profile",
        ]
        for (name, value) in provider { open["AUTH_RAILZWAY_COM_\(name)"] = value }
        secret["AUTH_RAILZWAY_COM_CLIENT_SECRET"] = Item.oauth
    }
}
