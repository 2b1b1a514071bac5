import Adapters
import Platform
import Postgres
import SignalboxTestKit
import Testing

@Suite("What there is on a tenant cluster")
struct TenantListingTests {
    @Test("roles and databases are listed with whose they are, also when they are put aside or may not log in")
    func listed() async throws {
        let cluster = try await TenantCluster.shared()
        let (one, _) = try await cluster.provisioned()
        let tenants = cluster.tenants()
        let names = Names()
        func database(_ name: String) async throws -> ListedDatabase? {
            let listing = try await tenants.list(databasesFrom: names.databasePrefix)
            #expect(listing.isComplete)
            return listing.items.first { $0.name == name }
        }
        func role() async throws -> ListedRole? {
            try await tenants.list(rolesFrom: names.rolePrefix).items.first { $0.name == one.role }
        }
        let found = try #require(try await database(one.database))
        #expect(found.role == one.role && found.owner == one.owner)
        #expect(try await role()?.mayLogIn == true)
        #expect(try await role()?.owner == one.owner)

        let admin = try await cluster.superuser()
        try await admin.script("ALTER ROLE \"\(one.role)\" NOLOGIN")
        await admin.close()
        #expect(try await role()?.mayLogIn == false)

        let renamed = "zz_\(one.database)_7"
        try await tenants.quarantineDatabase(one, as: renamed, fence: "test")
        #expect(try await database(one.database) == nil)
        #expect(try await database(renamed)?.role == one.role)
    }

    @Test("what others made with such a name is listed without an owner")
    func strangers() async throws {
        let cluster = try await TenantCluster.shared()
        let (one, _) = cluster.tenant()
        let admin = try await cluster.superuser()
        try await admin.script("CREATE ROLE \"\(one.role)\"")
        await admin.close()
        let roles = try await cluster.tenants().list(rolesFrom: Names().rolePrefix).items
        let found = try #require(roles.first { $0.name == one.role })
        #expect(found.owner == nil && !found.mayLogIn)
    }
}
