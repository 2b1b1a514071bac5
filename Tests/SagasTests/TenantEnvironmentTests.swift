import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Environment of a tenant")
struct TenantEnvironmentTests {
    private func environment(
        plan: PlanSnapshot = .simulated,
        settings: TenantSettings = TenantSettings(
            oauthURI: "https://auth.example",
            redis: .init(address: "10.0.0.6:6379", hasPassword: true)
        ),
        client: String? = "client-42"
    ) async throws -> TenantEnvironment {
        let simulation = try await Simulation(plan: plan)
        let cause = try #require(simulation.log.events.first { $0.id == simulation.cause })
        let input = try await ProvisionInput.read(cause, simulation.log)
        return try TenantEnvironment(
            input,
            slot: "a",
            database: ("railzway_org_42", DatabaseAddress(host: "10.0.0.5", port: 5432)),
            oauthClient: client,
            settings: settings
        )
    }

    @Test("every variable that the application reads is there, and no secret is in the open")
    func complete() async throws {
        let environment = try await environment()
        #expect(
            environment.open == [
                "APP_MODE": "cloud", "ENVIRONMENT": "production", "LOG_LEVEL": "info", "TELEMETRY_ENABLED": "false",
                "RAILZWAY_INSTANCE_ID": "4201", "SIGNALBOX_SLOT": "a", "BOOTSTRAP_DEFAULT_ORG_ID": "42",
                "BOOTSTRAP_DEFAULT_ORG_NAME": "Acme", "BOOTSTRAP_DEFAULT_ORG_SLUG": "acme", "DB_HOST": "10.0.0.5",
                "DB_PORT": "5432", "DB_NAME": "railzway_org_42", "DB_SSL_MODE": "disable",
                "OAUTH2_CLIENT_ID": "client-42",
                "AUTH_RAILZWAY_COM_NAME": "Railzway.com", "AUTH_RAILZWAY_COM_ENABLED": "true",
                "AUTH_RAILZWAY_COM_ALLOW_SIGN_UP": "false", "AUTH_RAILZWAY_COM_CLIENT_ID": "client-42",
                "AUTH_RAILZWAY_COM_AUTH_URL": "https://auth.example/authorize",
                "AUTH_RAILZWAY_COM_TOKEN_URL": "https://auth.example/oauth/token",
                "AUTH_RAILZWAY_COM_API_URL": "https://auth.example/userinfo",
                "AUTH_RAILZWAY_COM_SCOPES": "openid email profile", "RATE_LIMIT_REDIS_ADDR": "10.0.0.6:6379",
                "RATE_LIMIT_REDIS_DB": "0", "QUOTA_ENABLED": "true", "USAGE_INGEST_CONCURRENCY_TTL_SECONDS": "3",
                "QUOTA_ORG_CUSTOMER": "100", "QUOTA_ORG_SUBSCRIPTION": "100", "QUOTA_ORG_USAGE_MONTHLY": "100",
                "USAGE_INGEST_ENDPOINT_BURST": "100", "USAGE_INGEST_ENDPOINT_RATE": "100",
                "USAGE_INGEST_ORG_BURST": "100", "USAGE_INGEST_ORG_RATE": "100", "WEBHOOK_RETENTION_DAYS": "100",
            ]
        )
        #expect(
            environment.secret == [
                "DB_USER": "db_user", "DB_PASSWORD": "db_password", "AUTH_JWT_SECRET": "jwt_secret",
                "PAYMENT_PROVIDER_CONFIG_SECRET": "payment_secret", "OAUTH2_CLIENT_SECRET": "oauth_client_secret",
                "AUTH_RAILZWAY_COM_CLIENT_SECRET": "oauth_client_secret", "RATE_LIMIT_REDIS_PASSWORD": "redis_password",
            ]
        )
    }

    @Test("a value that is missing is an error that names it", arguments: TenantEnvironment.quotas)
    func missing(name: String) async throws {
        for value in [nil, ""] {
            var plan = PlanSnapshot.simulated
            plan.quotas[name] = value
            let error = await #expect(throws: PortError.self) { try await environment(plan: plan) }
            #expect(error == .blocked(code: "value-missing", message: "no value for \(name)"))
        }
    }

    @Test("without an identity service nobody signs in by it")
    func withoutIdentity() async throws {
        let environment = try await environment(settings: TenantSettings(), client: nil)
        #expect(environment.open["AUTH_RAILZWAY_COM_ENABLED"] == "false")
        #expect(environment.open["OAUTH2_CLIENT_ID"] == nil)
        #expect(
            environment.secret.keys.sorted() == [
                "AUTH_JWT_SECRET", "DB_PASSWORD", "DB_USER", "PAYMENT_PROVIDER_CONFIG_SECRET",
            ]
        )
    }
}

@Suite("What a saga writes about failures")
struct SagaScribeTests {
    @Test("messages have no NUL and at most 2 KB, cut between characters")
    func messages() {
        #expect(SagaScribe.clean("a\0b") == "ab")
        #expect(SagaScribe.clean(String(repeating: "é", count: 3000)) == String(repeating: "é", count: 1024))
        #expect(SagaScribe.clean("fine") == "fine")
    }

    @Test("pauses grow at random, and stay between the shortest and the longest")
    func pauses() {
        let backoff = Backoff(shortest: .milliseconds(500), longest: .seconds(300))
        var pause: Duration?
        for random in [UInt64.min, .max / 2, .max, 17, 1 << 40] + Array(repeating: .max, count: 50) {
            let next = backoff.pause(after: pause, random: random)
            #expect(next >= .milliseconds(500) && next <= .seconds(300))
            #expect(next <= (pause ?? .milliseconds(500)) * 3)
            pause = next
        }
        #expect(backoff.pause(after: .seconds(300), random: 299_500) == .seconds(300))
    }

    @Test("the outside's own wish to be left alone is respected")
    func retryAfter() async throws {
        let simulation = try await Simulation()
        simulation.world.change {
            $0.refusals["ensureCustomer"] = [.transient(code: "429", message: "slow", retryAfter: .seconds(77))]
        }
        try await simulation.start()
        let before = simulation.clock.ids.now()
        _ = await (try simulation.engine()).turn()
        #expect(simulation.log.wakeAt(try simulation.stream()) == before + .seconds(77))
    }
}
