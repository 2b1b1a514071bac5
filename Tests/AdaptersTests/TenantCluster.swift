import Adapters
import Platform
import Postgres
import SignalboxTestKit

/// A cluster of this suite's own, prepared for tenants, since preparing changes what everybody may do on it.
struct TenantCluster: Sendable {
    let server: PostgresServer
    let provisioner = Secret("provisioner-pw")

    /// One for the whole process.
    static func shared() async throws -> TenantCluster {
        try await common.value
    }

    private static let common = Task {
        let server = try await PostgresServer.start(settings: ["log_statement": "all"])
        let cluster = TenantCluster(server: server)
        let superuser = try await Connection.open(server.conninfo())
        try await superuser.script("CREATE DATABASE control")
        try await superuser.script("CREATE ROLE control_login LOGIN")
        await superuser.close()
        try await cluster.prepare()
        return cluster
    }

    func prepare() async throws {
        try await ClusterPreparation(
            superuser: server.conninfo(),
            password: provisioner,
            protecting: ["control"],
            admitting: ["control_login"]
        ).run()
    }

    func tenants(
        protecting: [String] = ["control"],
        limits: TenantPostgres.Limits = .init()
    ) -> TenantPostgres {
        TenantPostgres(
            conninfo: tcp(user: "signalbox_provisioner", password: provisioner, database: "postgres"),
            address: DatabaseAddress(host: "127.0.0.1", port: server.port),
            protecting: protecting,
            limits: limits
        )
    }

    /// Over TCP, where the server asks for a password.
    func tcp(user: String, password: Secret, database: String) -> String {
        "host=127.0.0.1 port=\(server.port) user=\(user) password='\(password.revealed)' dbname=\(database)"
    }

    func superuser(_ database: String = "postgres") async throws -> Connection {
        try await Connection.open(server.conninfo(database: database))
    }

    /// A tenant that nobody else has.
    func tenant(generation: Int = 1) -> (database: TenantDatabase, password: Secret) {
        let organization = String(Int64.random(in: 1_000_000_000_000...9_000_000_000_000))
        let names = Names()
        let owner = Ownership(
            organization: organization,
            instance: organization + "1",
            generation: generation,
            saga: "s"
        )
        return (
            TenantDatabase(
                database: names.database(organization: organization, instance: "main", generation: generation),
                role: names.role(organization: organization, instance: "main", generation: generation),
                connectionLimit: 7,
                owner: owner
            ),
            Secret("tenant-pw-" + organization)
        )
    }

    /// A tenant with everything that provisioning gives it.
    func provisioned() async throws -> (database: TenantDatabase, password: Secret) {
        let (database, password) = tenant()
        let tenants = tenants()
        try await tenants.ensureRole(database, password: password, fence: "test")
        try await tenants.ensureDatabase(database, fence: "test")
        try await tenants.isolate(database, slot: "a", fence: "test")
        return (database, password)
    }
}
