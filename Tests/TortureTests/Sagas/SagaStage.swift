import Adapters
import AsyncHTTPClient
import DevPlane
import FoundationEssentials
import Kernel
import Logging
import Platform
import Postgres
import SagaSimulator
import SignalboxTestKit

/// Real targets for sagas: a Postgres with the log and the tenants, an agent that runs tenants, a billing engine.
struct SagaStage: Sendable {
    static let billingKey = "vk_live_key_1_s"

    let server: PostgresServer
    let database: TestDatabase
    let nomad: String
    let billing: String
    /// What the agent and the billing engine do wrong next.
    let nomadFaults: Faults
    let billingFaults: Faults
    let folder: String
    let http = HTTPCaller.makeClient()

    var tenants: String {
        "host=127.0.0.1 port=\(server.port) user=signalbox_provisioner password='provisioner-pw' dbname=postgres"
    }

    /// What an organization has out there.
    struct Belongings: Sendable, Equatable {
        var databases: Int64
        var roles: Int64
        /// Whether the job is there and not stopped.
        var runs: Bool
        var subscription: BillingStatus?

        static let all = Belongings(databases: 1, roles: 1, runs: true, subscription: .active)
    }

    func belongings(of instance: Onboarding) async throws -> Belongings {
        let organization = "\(instance.organization)"
        let connection = try await Connection.open(server.conninfo())
        let counts = try await connection.run(
            """
            SELECT (SELECT count(*) FROM pg_database WHERE datname LIKE \("%org_" + organization + "%")),
                   (SELECT count(*) FROM pg_roles WHERE rolname LIKE \("%user_" + organization + "%"))
            """
        )
        let (databases, roles) = try counts.decode(0, Int64.self, Int64.self)
        await connection.close()
        let job = try await HTTPCaller(client: http, base: nomad).send(
            .get,
            "/v1/job/" + Names().job(organization: organization, instance: "main")
        )
        let text = String(decoding: job.body, as: UTF8.self)
        let stopped = try? JSON.decode(JSONValue.self, from: text.utf8)["Stop"]?.bool
        return Belongings(
            databases: databases,
            roles: roles,
            runs: job.status == 200 && stopped != true,
            subscription: try await subscription(of: instance)
        )
    }

    /// Drops the databases of an instance that was judged: hundreds of them take their time and room.
    func clear(_ instance: Onboarding) async throws {
        let connection = try await Connection.open(server.conninfo())
        let found = try await connection.run(
            "SELECT datname FROM pg_database WHERE datname LIKE \("%org_" + "\(instance.organization)" + "%")"
        )
        for row in 0..<found.count {
            try await connection.script("DROP DATABASE \"\(try found.decode(row, String.self))\" WITH (FORCE)")
        }
        await connection.close()
    }

    private func subscription(of instance: Onboarding) async throws -> BillingStatus? {
        let organization = "\(instance.organization)"
        let client = BillingClient(
            caller: HTTPCaller(
                client: http,
                base: billing,
                headers: BillingClient.headers(key: Secret(Self.billingKey))
            )
        )
        // The same keys find what the saga made; a second subscription would have another.
        let customer = try await client.ensureCustomer(
            email: Names().billingEmail(organization: organization),
            name: "Acme",
            key: Names().customerKey(organization: organization)
        )
        return try await client.ensureDraft(
            customer: customer,
            price: BillingPrice(code: "team-monthly", currency: "USD", amount: 9900),
            key: Names().subscriptionKey(subscription: "\(instance.subscription)", generation: 1)
        ).status
    }
}

/// Runs `body` on a stage of its own.
func withSagaStage(_ body: @escaping @Sendable (SagaStage) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sbx-sagas-\(UInt64.random(in: .min ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let server = try await PostgresServer.start(settings: ["max_connections": "100"])
    let database = try await server.makeDatabase(.migrated)
    try await ClusterPreparation(superuser: server.conninfo(), password: Secret("provisioner-pw")).run()
    let quiet = Logger(label: "stage", factory: { _ in SwiftLogNoOpLogHandler() })
    let (nomadFaults, billingFaults) = (Faults(), Faults())
    var configuration = NomadAgent.Configuration(
        directory: folder.path + "/agent",
        runDirectory: folder.path + "/run",
        port: 0,
        command: [
            "/bin/sh", "-c",
            "mkdir -p site && touch site/health && cd site && exec python3 -m http.server --bind 127.0.0.1 "
                + #""$NOMAD_HOST_PORT_http""#,
        ]
    )
    configuration.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
    let agent = NomadAgent(configuration, faults: nomadFaults, logger: quiet)
    let prices = [BillingEngine.SeedPrice(code: "team-monthly", name: "Team", currency: "USD", amount: 9900)]
    let billing = BillingEngine(
        .init(directory: folder.path + "/billing", apiKey: SagaStage.billingKey, prices: prices),
        faults: billingFaults,
        logger: quiet
    )
    try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
            try await agent.run()
            return false
        }
        group.addTask {
            try await billing.run()
            return false
        }
        group.addTask {
            let stage = SagaStage(
                server: server,
                database: database,
                nomad: "http://127.0.0.1:\(try await agent.port)",
                billing: "http://127.0.0.1:\(try await billing.port)",
                nomadFaults: nomadFaults,
                billingFaults: billingFaults,
                folder: folder.path
            )
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(stage)) } catch { outcome = .failure(error) }
            try await stage.http.shutdown()
            try outcome.get()
            return true
        }
        while let isTest = try await group.next() {
            if isTest { group.cancelAll() }
        }
    }
    try await server.remove()
}
