import Adapters
import Platform
import Postgres
import Testing

@testable import Adapters

@Suite("What a tenant cluster says no with")
struct TenantRefusalTests {
    @Test("a cluster that lets everybody into a shared database is refused")
    func unprepared() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = cluster.tenant()
        let superuser = try await cluster.superuser()
        let shared = "shared_" + database.owner.organization
        try await superuser.run("CREATE DATABASE \(identifier: shared)")
        let tenants = cluster.tenants(protecting: [shared])
        let error = await #expect(throws: PortError.self) {
            try await tenants.ensureRole(database, password: password, fence: "test")
        }
        #expect(error?.code == "postgres.unprepared")
        #expect(error?.message.contains(shared) == true)
        #expect(try await tenants.probeRole(database) == .absent)
        try await superuser.run("DROP DATABASE \(identifier: shared)")
        await superuser.close()
    }

    @Test("preparing twice is preparing once, and those who are admitted may enter")
    func preparation() async throws {
        let cluster = try await TenantCluster.shared()
        try await cluster.prepare()
        let superuser = try await cluster.superuser()
        let (createsRoles, createsDatabases, isSuperuser) = try await superuser.run(
            "SELECT rolcreaterole, rolcreatedb, rolsuper FROM pg_roles WHERE rolname = 'signalbox_provisioner'"
        ).decode(0, Bool.self, Bool.self, Bool.self)
        #expect(createsRoles && createsDatabases && !isSuperuser)
        let may = try await superuser.run(
            """
            SELECT has_database_privilege('control_login', 'control', 'CONNECT'),
                has_database_privilege('public', 'control', 'CONNECT'),
                has_database_privilege('signalbox_provisioner', 'control', 'CONNECT')
            """
        ).decode(0, Bool.self, Bool.self, Bool.self)
        #expect(may.0 && !may.1 && !may.2)
        await superuser.close()
    }

    @Test("a server that is not there is a matter of time, a wrong password one for a person")
    func connecting() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, _) = cluster.tenant()
        let address = DatabaseAddress(host: "127.0.0.1", port: 1)
        let nowhere = TenantPostgres(conninfo: "host=127.0.0.1 port=1 user=x dbname=postgres", address: address)
        let unreachable = await #expect(throws: PortError.self) { try await nowhere.probeRole(database) }
        #expect(unreachable?.code == "postgres.unreachable")
        let conninfo = cluster.tcp(user: "signalbox_provisioner", password: Secret("wrong"), database: "postgres")
        let wrong = await #expect(throws: PortError.self) {
            try await TenantPostgres(conninfo: conninfo, address: address).probeRole(database)
        }
        guard case .blocked = wrong else { return #expect(Bool(false), "\(String(describing: wrong))") }
    }

    @Test("a name that Postgres would cut is refused", arguments: [String(repeating: "x", count: 64), "", "a\"b", "Ä"])
    func names(name: String) async throws {
        let cluster = try await TenantCluster.shared()
        let (proper, password) = cluster.tenant()
        var changed = proper
        changed.role = name
        let database = changed
        let error = await #expect(throws: PortError.self) {
            try await cluster.tenants().ensureRole(database, password: password, fence: "test")
        }
        #expect(error?.code == "postgres.name")
    }

    static let table: [(String, PostgresError.Kind, String)] = [
        ("23505", .refused, "conflict"), ("42P04", .refused, "conflict"), ("42710", .refused, "conflict"),
        ("55006", .refused, "pending"), ("55P03", .refused, "pending"), ("40001", .refused, "transient"),
        ("40P01", .refused, "transient"), ("53300", .refused, "transient"), ("53300", .unreachable, "transient"),
        ("57P03", .unreachable, "transient"), ("57P01", .refused, "transient"), ("08006", .refused, "transient"),
        ("2BP01", .refused, "pending"), ("42501", .refused, "blocked"), ("28P01", .unreachable, "blocked"),
        ("28000", .unreachable, "blocked"), ("3D000", .unreachable, "blocked"), ("25001", .refused, "permanent"),
        ("42601", .refused, "permanent"), ("XX000", .refused, "permanent"), ("", .unreachable, "transient"),
        ("", .lost, "unknown"), ("57014", .cancelled, "transient"), ("", .busy, "transient"), ("", .shape, "permanent"),
    ]

    @Test("every SQLSTATE has its class", arguments: table.indices)
    func classes(row: Int) {
        let (code, kind, expected) = Self.table[row]
        let error = PortError(tenant: PostgresError(kind, code: code, message: "secret words"))
        #expect("\(error)".contains("secret words") == false)
        #expect(Self.name(error) == expected)
    }

    @Test("two who alter one role at once are told to try again")
    func concurrently() {
        let error = PostgresError(.refused, code: "XX000", message: "tuple concurrently updated")
        #expect(Self.name(PortError(tenant: error)) == "transient")
    }

    static func name(_ error: PortError) -> String {
        switch error {
        case .transient: "transient"
        case .pending: "pending"
        case .unknown: "unknown"
        case .conflict: "conflict"
        case .permanent: "permanent"
        case .blocked: "blocked"
        case .superseded: "superseded"
        }
    }

    @Test("parameters are replaced in both forms of a connection string")
    func connectionStrings() {
        let words = ConnectionString.replacing([("dbname", "it's")], in: "host=h dbname=x")
        #expect(words == #"host=h dbname=x dbname='it\'s'"#)
        let address = ConnectionString.replacing([("application_name", "a/b c")], in: "postgresql://u@h/x")
        #expect(address == "postgresql://u@h/x?application_name=a%2Fb%20c")
        #expect(
            ConnectionString.replacing([("dbname", "y")], in: "postgres://h/x?sslmode=require").hasSuffix(
                "require&dbname=y"
            )
        )
    }
}
