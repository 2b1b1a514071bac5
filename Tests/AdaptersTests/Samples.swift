import Platform

extension Workload {
    /// The workload that `Tests/Fixtures/jobs/sample.*.json` registers.
    static let sample = Workload(
        job: "railzway-org-1234567890123456789",
        slot: "a",
        owner: Ownership(
            organization: "1234567890123456789",
            instance: "2234567890123456789",
            generation: 1,
            saga: "0197f2c0-0000-7000-8000-000000000001"
        ),
        tier: "team",
        computeEngine: "hetzner",
        cpu: 2000,
        memory: 4096,
        priority: 90,
        canary: 1,
        autoRevert: true,
        image: "ghcr.io/smallbiznis/railzway:v1.6.0",
        environment: [
            "APP_MODE": "cloud", "RAILZWAY_MODE": "cloud", "ENVIRONMENT": "production", "PORT": "8080",
            "DB_TYPE": "postgres", "DB_SSL_MODE": "require", "BOOTSTRAP_DEFAULT_ORG_ID": "1234567890123456789",
            "BOOTSTRAP_DEFAULT_ORG_SLUG": "acme", "BOOTSTRAP_DEFAULT_ORG_NAME": "Acme Inc",
            "TELEMETRY_ENABLED": "false", "RATE_LIMIT_REDIS_ADDR": "redis.service.consul:6379",
            "RATE_LIMIT_REDIS_DB": "0", "USAGE_INGEST_ORG_RATE": "100", "USAGE_INGEST_ORG_BURST": "200",
            "USAGE_INGEST_ENDPOINT_RATE": "50", "USAGE_INGEST_ENDPOINT_BURST": "100",
            "USAGE_INGEST_CONCURRENCY_TTL_SECONDS": "3", "QUOTA_ENABLED": "true", "QUOTA_ORG_CUSTOMER": "5000",
            "QUOTA_ORG_SUBSCRIPTION": "200", "QUOTA_ORG_USAGE_MONTHLY": "10000000", "WEBHOOK_RETENTION_DAYS": "180",
            "AUTH_RAILZWAY_COM_NAME": "Railzway.com", "AUTH_RAILZWAY_COM_ENABLED": "true",
            "AUTH_RAILZWAY_COM_ALLOW_SIGN_UP": "false",
            "AUTH_RAILZWAY_COM_AUTH_URL": "https://accounts.railzway.com/authorize",
            "AUTH_RAILZWAY_COM_TOKEN_URL": "https://accounts.railzway.com/oauth/token",
            "AUTH_RAILZWAY_COM_API_URL": "https://accounts.railzway.com/userinfo",
            "AUTH_RAILZWAY_COM_SCOPES": "openid email profile",
        ],
        secretEnvironment: [
            "DB_HOST": "db_host", "DB_PORT": "db_port", "DB_NAME": "db_name", "DB_USER": "db_user",
            "DB_PASSWORD": "db_password", "AUTH_JWT_SECRET": "auth_jwt_secret", "OAUTH2_CLIENT_ID": "oauth_client_id",
            "OAUTH2_CLIENT_SECRET": "oauth_client_secret", "AUTH_RAILZWAY_COM_CLIENT_ID": "oauth_client_id",
            "AUTH_RAILZWAY_COM_CLIENT_SECRET": "oauth_client_secret",
            "PAYMENT_PROVIDER_CONFIG_SECRET": "payment_provider_config_secret",
            "RATE_LIMIT_REDIS_PASSWORD": "redis_password",
        ]
    )

    /// The same workload, changed.
    func with(_ change: (inout Workload) -> Void) -> Workload {
        var copy = self
        change(&copy)
        return copy
    }
}
