/// One setting as the code asks for it: a row of docs/configuration.md without its meaning.
struct Setting: Equatable {
    var name: String
    /// Names that older systems had for it; the first that is set counts.
    var aliases: [String]
    var type: String
    var fallback: String
    var isSecret: Bool

    /// Every name that is understood.
    var names: [String] { [name] + aliases }

    /// The first three cells of its row.
    var cells: [String] {
        let others = aliases.isEmpty ? "" : ", else " + aliases.map { "`\($0)`" }.joined(separator: ", ")
        return ["`\(name)`" + others, type + (isSecret ? "; secret" : ""), fallback]
    }
}

/// Names of the systems before this one that mean nothing here.
///
/// They are taken, so that an old environment needs no editing, and the log says at the start which of them do nothing.
enum UnusedSettings {
    /// Why, by name.
    static let reasons: [(names: [String], why: String)] = [
        (
            ["TENANT_AUTH_JWT_SECRET_KEY", "AUTH_JWT_SECRET", "JWT_SECRET", "INSTANCE_SECRET_ENCRYPTION_KEY"],
            "every secret of a tenant is derived from the master key"
        ),
        (["APP_VERSION", "APP_MODE", "API_PREFIX", "API_VERSION", "DB_TYPE"], "there is one of it"),
        (["PROVISION_DB_NAME"], "locks of all tenants are taken in the database postgres"),
        (
            ["DB_MAX_IDLE_CONN", "DB_MAX_OPEN_CONN", "DB_CONN_MAX_LIFETIME", "DB_CONN_MAX_IDLE_TIME"],
            "SIGNALBOX_POOL_SIZE says how many connections a pool has"
        ),
        (
            [
                "RAILZWAY_CLIENT_RETRY_COUNT", "RAILZWAY_CLIENT_RETRY_DELAY", "RAILZWAY_CLIENT_CACHE_TTL",
                "RAILZWAY_CLIENT_CACHE_SIZE", "RAILZWAY_CLIENT_RATE_LIMIT", "RAILZWAY_CLIENT_RATE_BURST",
                "RAILZWAY_CLIENT_ENABLE_CIRCUIT_BREAKER", "RAILZWAY_CLIENT_CIRCUIT_BREAKER_FAILURE_THRESHOLD",
                "RAILZWAY_CLIENT_CIRCUIT_BREAKER_RECOVERY_TIME", "RAILZWAY_CLIENT_CIRCUIT_BREAKER_MIN_REQUESTS",
                "RAILZWAY_CLIENT_CIRCUIT_BREAKER_SAMPLING_DURATION",
                "RAILZWAY_CLIENT_CIRCUIT_BREAKER_HALF_OPEN_MAX_SUCCESS",
            ],
            "sagas try again by themselves, and SIGNALBOX_TARGET_LIMITS says how much each target takes"
        ),
        (
            [
                "NOMAD_HTTP_AUTH", "NOMAD_CACERT", "NOMAD_CAPATH", "NOMAD_CLIENT_CERT", "NOMAD_CLIENT_KEY",
                "NOMAD_TLS_SERVER_NAME", "NOMAD_SKIP_VERIFY",
            ],
            "the scheduler is trusted by the system's certificates, and we are known to it by NOMAD_TOKEN"
        ),
        (["AUTH_SERVICE_CLIENT_SCOPE"], "the scope is always admin"),
        (["RATE_LIMIT_MAX", "RATE_LIMIT_WINDOW_MS"], "SIGNALBOX_RATE_LIMIT says what one principal may send"),
    ]

    /// Those of them that are set, and why they do nothing.
    static func among(_ environment: [String: String]) -> [(name: String, why: String)] {
        reasons.flatMap { reason in
            reason.names.filter { environment[$0]?.isEmpty == false }.map { ($0, reason.why) }
        }
    }
}
