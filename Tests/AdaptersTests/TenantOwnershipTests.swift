import Adapters
import Platform
import Postgres
import Testing

@Suite("Whose a tenant's database is")
struct TenantOwnershipTests {
    @Test("a role of that name which is not ours is neither used nor dropped")
    func foreignRole() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = cluster.tenant()
        let superuser = try await cluster.superuser()
        try await superuser.run("CREATE ROLE \(identifier: database.role)")
        let tenants = cluster.tenants()
        let error = await #expect(throws: PortError.self) {
            try await tenants.ensureRole(database, password: password, fence: "test")
        }
        #expect(error?.code == "postgres.name-taken")
        guard case .foreign = try await tenants.probeRole(database) else { return #expect(Bool(false), "not foreign") }
        try await tenants.dropRole(database, fence: "test")
        #expect(try await superuser.run("SELECT 1 FROM pg_roles WHERE rolname = \(database.role)").count == 1)
        await superuser.close()
    }

    @Test("a database of that name which is not ours is neither used, dropped nor renamed")
    func foreignDatabase() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = cluster.tenant()
        let superuser = try await cluster.superuser()
        try await superuser.run("CREATE DATABASE \(identifier: database.database) TEMPLATE template0")
        let tenants = cluster.tenants()
        try await tenants.ensureRole(database, password: password, fence: "test")
        let error = await #expect(throws: PortError.self) { try await tenants.ensureDatabase(database, fence: "test") }
        #expect(error?.code == "postgres.name-taken")
        guard case .foreign = try await tenants.probeDatabase(database) else {
            return #expect(Bool(false), "not foreign")
        }
        try await tenants.dropDatabase(database, fence: "test")
        try await tenants.quarantineDatabase(database, as: "zz_" + database.database, fence: "test")
        #expect(try await superuser.run("SELECT 1 FROM pg_database WHERE datname = \(database.database)").count == 1)
        try await superuser.run("DROP DATABASE \(identifier: database.database)")
        await superuser.close()
    }

    @Test("what a newer generation made ends the older one")
    func newer() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        var newer = database
        newer.owner.generation = 2
        let superuser = try await cluster.superuser()
        let tag =
            #"sbx:{"organization":"\#(newer.owner.organization)","instance":"\#(newer.owner.instance)","generation":2,"saga":"t"}"#
        for (kind, name) in [("ROLE", database.role), ("DATABASE", database.database)] {
            try await superuser.run(
                "COMMENT ON \(unsafe: kind) \(identifier: name) IS \(unsafe: SQL.quoted(literal: tag))"
            )
        }
        let tenants = cluster.tenants()
        let error = await #expect(throws: PortError.self) {
            try await tenants.ensureRole(database, password: password, fence: "test")
        }
        #expect(error?.code == "superseded")
        #expect(try await tenants.probeRole(database) == .newer)
        #expect(try await tenants.probeDatabase(database) == .newer)
        try await tenants.dropDatabase(database, fence: "test")
        try await tenants.dropRole(database, fence: "test")
        #expect(try await tenants.probeDatabase(newer) == .present(true))
        #expect(try await tenants.probeRole(newer) == .present(true))
        await superuser.close()
    }

    @Test("a database without its tag is its owner's, as after a crash between making and tagging it")
    func untagged() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = cluster.tenant()
        let tenants = cluster.tenants()
        try await tenants.ensureRole(database, password: password, fence: "test")
        let superuser = try await cluster.superuser()
        try await superuser.run(
            "CREATE DATABASE \(identifier: database.database) OWNER \(identifier: database.role) TEMPLATE template0"
        )
        #expect(try await tenants.probeDatabase(database) == .present(true))
        try await tenants.ensureDatabase(database, fence: "test")
        let tag = try await superuser.run(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = \(database.database)"
        ).column(String.self)
        #expect(tag.first?.contains(database.owner.organization) == true)
        await superuser.close()
    }

    @Test("taken back in order, with somebody connected, and once more: nothing is left")
    func removal() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let own = cluster.tcp(user: database.role, password: password, database: database.database)
        let tenant = try await Connection.open(own)
        let tenants = cluster.tenants()
        for _ in 0..<2 {
            try await tenants.dropDatabase(database, fence: "test")
            try await tenants.dropRole(database, fence: "test")
            #expect(try await tenants.probeDatabase(database) == .absent)
            #expect(try await tenants.probeRole(database) == .absent)
        }
        await #expect(throws: PostgresError.self) { try await tenant.script("SELECT 1") }
    }

    @Test("a role that still owns its database is made harmless, kept, and named with what it owns")
    func dependents() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let tenants = cluster.tenants()
        let error = await #expect(throws: PortError.self) { try await tenants.dropRole(database, fence: "test") }
        #expect(error?.code == "postgres.2BP01")
        #expect(error?.message.contains(database.database) == true)
        let own = cluster.tcp(user: database.role, password: password, database: database.database)
        await #expect(throws: PostgresError.self) { try await Connection.open(own) }
        #expect(try await tenants.probeRole(database) == .present(false))
    }

    @Test("a quarantined database keeps its data under another name and lets nobody in")
    func quarantine() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let own = cluster.tcp(user: database.role, password: password, database: database.database)
        let tenant = try await Connection.open(own)
        let tenants = cluster.tenants()
        let renamed = "zz_\(database.database)_1700000000"
        for _ in 0..<2 { try await tenants.quarantineDatabase(database, as: renamed, fence: "test") }
        await #expect(throws: PostgresError.self) { try await tenant.script("SELECT 1") }
        #expect(try await tenants.probeDatabase(database) == .absent)
        let there = cluster.tcp(user: database.role, password: password, database: renamed)
        await #expect(throws: PostgresError.self) { try await Connection.open(there) }
        var moved = database
        moved.database = renamed
        #expect(try await tenants.probeDatabase(moved) == .present(false))
        try await tenants.dropDatabase(moved, fence: "test")
        try await tenants.dropRole(database, fence: "test")
    }
}
