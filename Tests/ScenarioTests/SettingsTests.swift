import EventStore
import FoundationEssentials
import Glibc
import Kernel
import Logging
import Platform
import Sagas
import Server
import Testing

@testable import signalbox

@Suite("Settings", .wholeMachine, .timeLimit(.minutes(15)))
struct SettingsTests {
    /// The names of the first deployments, as they were documented there.
    private let older = [
        "APP_ROOT_DOMAIN": "railzway.com", "APP_ROOT_SCHEME": "https",
        "DB_HOST": "db.internal", "DB_PORT": "5433", "DB_NAME": "cloud", "DB_USER": "cloud",
        "DB_PASSWORD": "it's \\ here",
        "PROVISION_DB_HOST": "tenants.internal", "PROVISION_DB_PORT": "5434", "PROVISION_DB_NAME": "postgres",
        "PROVISION_DB_USER": "provisioner", "PROVISION_DB_PASSWORD": "p",
        "RAILZWAY_CLIENT_URL": "https://billing.internal/", "RAILZWAY_API_KEY": "vk_live_key_1_x",
        "TENANT_OAUTH2_CLIENT_ID": "client", "TENANT_OAUTH2_CLIENT_SECRET": "c1d2",
        "TENANT_AUTH_JWT_SECRET_KEY": "not used any more",
        "PROVISION_RATE_LIMIT_REDIS_ADDR": "redis:6379", "PROVISION_RATE_LIMIT_REDIS_PASSWORD": "r",
        "PROVISION_RATE_LIMIT_REDIS_DB": "2", "NOMAD_ADDR": "http://nomad:4646", "NOMAD_TOKEN": "t",
    ]
    private let ours = ["SIGNALBOX_MASTER_KEYS": "1:00", "SIGNALBOX_TRAEFIK_TOKEN": "6f1c2b7d90e34a58"]

    @Test("the names of older installations are accepted as they are")
    func olderNames() throws {
        let settings = try Settings(environment: older.merging(ours) { $1 })
        #expect(settings.database.contains("host='db.internal' port=5433 dbname='cloud' user='cloud'"))
        #expect(settings.database.contains("password='it\\'s \\\\ here'"))
        #expect(settings.provisioner.address.port == 5434)
        #expect(settings.billing.url == "https://billing.internal")
        #expect(settings.nomad.token == "t")
        #expect(settings.tenant.redisDatabase == 2)
        #expect(settings.stage == .production)
        #expect(settings.oauth == nil)
        #expect(settings.unused.map(\.name).sorted() == ["PROVISION_DB_NAME", "TENANT_AUTH_JWT_SECRET_KEY"])
    }

    @Test("names of other systems are accepted, and ours go first")
    func otherNames() throws {
        var environment = older.merging(ours) { $1 }
        environment["APP_ENV"] = "development"
        environment["HOST"] = "127.0.0.1"
        environment["CORS_ORIGIN"] = "https://ui.example"
        environment["ORCHESTRATOR_SYNC_INTERVAL"] = "30s"
        environment["LOG_LEVEL"] = "debug"
        var settings = try Settings(environment: environment)
        #expect(settings.stage == .development && settings.host == "127.0.0.1" && settings.logging.level == .debug)
        #expect(settings.origins == ["https://ui.example"] && settings.reconcilePeriod == .seconds(30))
        environment["SIGNALBOX_HOST"] = "0.0.0.0"
        settings = try Settings(environment: environment)
        #expect(settings.host == "0.0.0.0")
    }

    @Test("production does not start with secrets that people have seen")
    func examples() throws {
        for (name, value) in [
            ("RAILZWAY_API_KEY", "changeme"), ("NOMAD_TOKEN", "<nomad-token>"), ("DB_PASSWORD", "postgres"),
            ("DATABASE_URL", "postgres://signalbox:secret@db.internal/log"), ("PROVISION_DB_PASSWORD", "aaaaaaaa"),
            ("SIGNALBOX_TRAEFIK_TOKEN", "your-traefik-token-here"), ("SIGNALBOX_TRAEFIK_TOKEN", "short"),
        ] {
            var environment = older.merging(ours) { $1 }
            environment[name] = value
            let error = #expect(throws: ConfigurationError.self) { try Settings(environment: environment) }
            #expect(error?.problems.count == 1 && error?.problems.first?.hasPrefix(name) == true, "\(name)")
            #expect(error?.description.contains(value) == false, "a secret is told")
            environment["ENVIRONMENT"] = "development"
            #expect(throws: Never.self) { try Settings(environment: environment) }
        }
    }

    @Test("settings may come from a file, after the environment, and a name that is none is an error there")
    func configurationFile() throws {
        let folder = try temporaryFolder("signalbox-settings")
        defer { rmdir(folder) }
        let path = folder + "/settings"
        defer { unlink(path) }
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
        var environment = older.merging(ours) { $1 }
        environment["SIGNALBOX_CONFIG"] = path
        try write("# ours\n\nPORT = 9000\nSIGNALBOX_POOL_SIZE=7\nAPP_ROOT_DOMAIN=\"other.example\"\n")
        let settings = try Settings(environment: environment)
        #expect(settings.port == 9000 && settings.poolSize == 7 && settings.names.rootDomain == "railzway.com")
        for text in ["SIGNALBOX_POOLSIZE=7", "PORT", "PORT=1\nPORT=2", "1PORT=2"] {
            try write(text)
            #expect(throws: ConfigurationError.self, "\(text)") { try Settings(environment: environment) }
        }
        environment["SIGNALBOX_CONFIG"] = path + ".gone"
        #expect(throws: ConfigurationError.self) { try Settings(environment: environment) }
    }

    @Test("OAuth is on when the identity service is named, with the older names for its client")
    func oauth() throws {
        var environment = older.merging(ours) { $1 }
        environment["AUTH_SERVICE_URL"] = "https://auth.internal"
        environment["AUTH_SERVICE_TENANT"] = "railzway"
        #expect(try Settings(environment: environment).oauth?.client == "client")
    }

    @Test("everything that is missing or wrong is said at once")
    func problems() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try Settings(environment: ["PORT": "http", "ENVIRONMENT": "staging", "NOMAD_ADDR": "nomad:4646"])
        }
        let problems = try #require(error).problems.joined(separator: "\n")
        for name in [
            "PORT", "ENVIRONMENT", "NOMAD_ADDR", "DATABASE_URL", "APP_ROOT_DOMAIN", "RAILZWAY_CLIENT_URL",
            "RAILZWAY_API_KEY", "PROVISION_DB_HOST", "PROVISION_DB_USER", "SIGNALBOX_MASTER_KEYS",
            "SIGNALBOX_TRAEFIK_TOKEN", "PROVISION_RATE_LIMIT_REDIS_ADDR",
        ] { #expect(problems.contains(name), "\(name) is not complained about") }
    }

    @Test("what a target takes is said one by one, and what cannot be understood is refused")
    func targets() throws {
        var environment = older.merging(ours) { $1 }
        #expect(try Settings(environment: environment).targets == TargetLimits.defaults)
        environment["SIGNALBOX_TARGET_LIMITS"] = "billing=8/5/20, edge=-/1"
        let limits = try Settings(environment: environment).targets
        #expect(limits["billing"] == TargetLimits(most: 8, rate: 5, burst: 20))
        #expect(limits["edge"] == TargetLimits(rate: 1) && limits["nomad"] == TargetLimits(most: 16))
        for text in ["nomda=3", "nomad", "nomad=many", "nomad=1,nomad=2"] {
            environment["SIGNALBOX_TARGET_LIMITS"] = text
            #expect(throws: ConfigurationError.self) { try Settings(environment: environment) }
        }
    }

    @Test("dev takes the durability from its environment, unless it is said")
    func durability() async throws {
        #expect(try Settings.durability(of: ["SIGNALBOX_DURABILITY": "commit"]) == .commit)
        #expect(try Settings.durability(of: [:]) == .pipelined)
        let signalbox = CommandLine(database: "", environment: ["SIGNALBOX_DURABILITY": "never"])
        let folder = "/tmp/signalbox-never-\(IDSource.system.unique())"
        let outcome = try await signalbox("dev", "--data", folder)
        #expect(outcome.code == 2)
        #expect(outcome.errors.contains("SIGNALBOX_DURABILITY"))
        #expect(access(folder, F_OK) != 0)
    }

    @Test("the log is sealed with a key and a folder that exists, and with both or neither")
    func audit() throws {
        var environment = older.merging(ours) { $1 }
        #expect(try Settings(environment: environment).audit == nil)
        environment["SIGNALBOX_AUDIT_KEY"] = "/etc/signalbox/audit"
        let half = #expect(throws: ConfigurationError.self) { try Settings(environment: environment) }
        #expect(half?.problems.first?.contains("SIGNALBOX_AUDIT_CHECKPOINTS is missing") == true)
        environment["SIGNALBOX_AUDIT_CHECKPOINTS"] = "/nowhere/at/all"
        #expect(throws: ConfigurationError.self) { try Settings(environment: environment) }
        environment["SIGNALBOX_AUDIT_CHECKPOINTS"] = "/tmp"
        #expect(try Settings(environment: environment).audit?.key == "/etc/signalbox/audit")
    }

    @Test("tokens are good with an issuer, an audience and its keys, or not at all; keys come over TLS")
    func tokens() throws {
        var environment = older.merging(ours) { $1 }
        #expect(try Settings(environment: environment).tokens == nil)
        environment["SIGNALBOX_JWT_ISSUER"] = "https://id.example"
        let half = #expect(throws: ConfigurationError.self) { try Settings(environment: environment) }
        #expect(half?.problems.count == 2)
        environment["SIGNALBOX_JWT_AUDIENCE"] = "signalbox"
        for (keys, good) in [
            ("https://id.example/keys", true), ("/etc/keys.json", true), ("http://id.example/keys", false),
            ("keys.json", false),
        ] {
            environment["SIGNALBOX_JWT_KEYS"] = keys
            #expect((try? Settings(environment: environment).tokens?.keys == keys) ?? false == good, "\(keys)")
        }
    }

    @Test("browsers sign in when an issuer is named, and then everything else that this takes has to be there")
    func signIn() throws {
        var environment = older.merging(ours) { $1 }
        // Older installations have a client, and no issuer by the name.
        environment["OAUTH2_CLIENT_ID"] = "cloud"
        environment["OAUTH2_CLIENT_SECRET"] = "f3a9"
        #expect(try Settings(environment: environment).signIn == nil)
        environment["SIGNALBOX_OIDC_ISSUER"] = "https://id.railzway.com/"
        #expect(throws: ConfigurationError.self) { try Settings(environment: environment) }
        environment["SIGNALBOX_PUBLIC_URL"] = "https://console.railzway.com/"
        let settings = try Settings(environment: environment)
        #expect(settings.signIn?.clientID == "cloud" && settings.signIn?.origin == "https://console.railzway.com")
        #expect(settings.signIn?.issuer == "https://id.railzway.com/" && settings.secrets.contains("f3a9"))
        for (name, value) in [
            ("SIGNALBOX_OIDC_ISSUER", "http://id.railzway.com"), ("SIGNALBOX_OIDC_SCOPES", "profile"),
            ("OAUTH2_CLIENT_ID", ""), ("OAUTH2_CLIENT_SECRET", "changeme"),
            ("SIGNALBOX_PUBLIC_URL", "http://console.railzway.com"), ("SIGNALBOX_PUBLIC_URL", "http://127.0.0.1"),
            ("SIGNALBOX_PUBLIC_URL", "https://console.railzway.com/a"), ("SIGNALBOX_PUBLIC_URL", "console"),
            ("SIGNALBOX_PUBLIC_URL", "https://a@b"),
        ] {
            var wrong = environment
            wrong[name] = value
            #expect(throws: ConfigurationError.self, "\(name)=\(value)") { try Settings(environment: wrong) }
        }
        environment["ENVIRONMENT"] = "development"
        for (origin, good) in [
            ("http://127.0.0.1:8080", true), ("http://localhost", true), ("http://[::1]:80", true),
            ("http://localhost.example", false), ("http://10.0.0.1", false),
        ] {
            environment["SIGNALBOX_PUBLIC_URL"] = origin
            #expect(((try? Settings(environment: environment)) != nil) == good, "\(origin)")
        }
    }

    @Test("what one may send, and which pages may call, is read strictly")
    func limits() throws {
        var environment = older.merging(ours) { $1 }
        #expect(try Settings(environment: environment).limits == RateLimits(commands: 300, reads: 6000))
        environment["SIGNALBOX_RATE_LIMIT"] = "10/20"
        environment["SIGNALBOX_CORS_ORIGINS"] = "https://a.example, http://localhost:3000"
        let settings = try Settings(environment: environment)
        #expect(settings.limits == RateLimits(commands: 10, reads: 20) && settings.origins.count == 2)
        environment["SIGNALBOX_RATE_LIMIT"] = "off"
        #expect(try Settings(environment: environment).limits == nil)
        for (name, text) in [
            ("SIGNALBOX_RATE_LIMIT", "0/1"), ("SIGNALBOX_RATE_LIMIT", "many"), ("SIGNALBOX_CORS_ORIGINS", "*"),
            ("SIGNALBOX_CORS_ORIGINS", "https://a.example/"), ("SIGNALBOX_CORS_ORIGINS", "null"),
        ] {
            var wrong = environment
            wrong[name] = text
            #expect(throws: ConfigurationError.self, "\(text)") { try Settings(environment: wrong) }
        }
    }

    @Test("a secret may come from a file")
    func file() throws {
        var template = Array("/tmp/signalbox-secret-XXXXXX".utf8CString)
        let handle = mkstemp(&template)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { unlink(path) }
        let text = Array("from a file\n".utf8)
        #expect(write(handle, text, text.count) == text.count)
        close(handle)
        var environment = older.merging(ours) { $1 }
        environment["RAILZWAY_API_KEY"] = nil
        environment["RAILZWAY_API_KEY_FILE"] = path
        #expect(try Settings(environment: environment).billing.key == "from a file")
        environment["RAILZWAY_API_KEY_FILE"] = path + ".gone"
        #expect(throws: ConfigurationError.self) { try Settings(environment: environment) }
    }
}
