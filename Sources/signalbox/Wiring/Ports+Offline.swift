internal import Adapters
internal import Commands
internal import Kernel
internal import Postgres
internal import Sagas

extension Ports {
    /// Every saga that this build knows, with ports that lead nowhere: for who looks at sagas without driving any.
    ///
    /// - Parameter pool: As the role `signalbox_append`.
    /// - Returns: The definitions; none of their steps can be done.
    /// - Throws: Never, as long as these settings are complete.
    static func definitions(pool: Pool) throws -> [SagaDefinition] {
        let key = (0..<32).map { _ in Hex.text(UInt8.random(in: .min ... .max)) }.joined()
        let settings = try Settings(
            environment: [
                "DATABASE_URL": "postgres://nowhere.invalid/none", "APP_ROOT_DOMAIN": "nowhere.invalid",
                "PROVISION_DB_HOST": "nowhere.invalid", "PROVISION_DB_USER": "nobody",
                "RAILZWAY_CLIENT_URL": "http://nowhere.invalid", "RAILZWAY_API_KEY": key,
                "SIGNALBOX_TRAEFIK_TOKEN": key, "PROVISION_RATE_LIMIT_REDIS_ADDR": "nowhere.invalid:1",
                "SIGNALBOX_MASTER_KEYS": "1:\(key)",
            ]
        )
        let keys = try MasterKeys(parsing: settings.masterKeys)
        let ports = Ports(settings: settings, http: APIClient.http, keys: keys, pool: pool)
        return SagaRegistry.definitions(ports.provisioning)
    }
}
