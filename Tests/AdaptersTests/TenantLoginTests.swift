import Adapters
import Platform
import Postgres
import SignalboxTestKit
import Testing

@Suite("Logins of a tenant's database")
struct TenantLoginTests {
    private func login(_ database: TenantDatabase, _ rotation: Int = 2) -> (name: String, password: Secret) {
        let name = Names().login(role: database.role, rotation: rotation)
        return (name, Secret("pw-\(name)"))
    }

    private func refusal(_ conninfo: String) async -> String? {
        do throws(PostgresError) {
            try await Connection.open(conninfo).close()
            return nil
        } catch { return error.message }
    }

    @Test("two logins work side by side, act as the owner, and the first ends without the second noticing")
    func rotation() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let (tenants, next) = (cluster.tenants(), login(database))
        for _ in 0..<2 {
            try await tenants.ensureLogin(next.name, of: database, password: next.password, fence: "test")
        }
        let old = cluster.tcp(user: database.role, password: password, database: database.database)
        let new = cluster.tcp(user: next.name, password: next.password, database: database.database)
        let first = try await Connection.open(old)
        try await first.script("CREATE TABLE mine (id bigint); INSERT INTO mine VALUES (1)")
        #expect(try await tenants.isInUse(next.name, of: database) == false)
        let second = try await Connection.open(new)
        #expect(try await tenants.isInUse(next.name, of: database))
        try await second.script(
            "INSERT INTO mine VALUES (2); ALTER TABLE mine ADD COLUMN more text; CREATE TABLE ours ()"
        )
        let owners = try await second.run("SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'public'")
        #expect(try owners.column(String.self) == [database.role])
        let (user, timeout) = try await second.run(
            "SELECT session_user::text, setting FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"
        ).decode(0, String.self, String.self)
        #expect(user == next.name && timeout == "60000")

        for _ in 0..<2 { try await tenants.retireLogin(database.role, of: database, fence: "test") }
        await #expect(throws: PostgresError.self) { try await first.run("SELECT 1") }
        #expect(await refusal(old) != nil)
        #expect(try await second.run("SELECT count(*) FROM mine").decode(0, Int64.self) == 2)
        #expect(await refusal(new) == nil)
        await first.close()
        await second.close()
    }

    @Test("a later login is dropped with what it may have made for itself handed over")
    func dropped() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, _) = try await cluster.provisioned()
        let (tenants, next) = (cluster.tenants(), login(database))
        try await tenants.ensureLogin(next.name, of: database, password: next.password, fence: "test")
        let own = cluster.tcp(user: next.name, password: next.password, database: database.database)
        let session = try await Connection.open(own)
        try await session.script("RESET ROLE; SET ROLE NONE; CREATE TABLE stubborn ()")
        for _ in 0..<2 { try await tenants.retireLogin(next.name, of: database, fence: "test") }
        await #expect(throws: PostgresError.self) { try await session.run("SELECT 1") }
        await session.close()
        let superuser = try await cluster.superuser(database.database)
        #expect(try await superuser.run("SELECT FROM pg_roles WHERE rolname = \(next.name)").count == 0)
        let owner = try await superuser.run("SELECT tableowner::text FROM pg_tables WHERE tablename = 'stubborn'")
        #expect(try owner.column(String.self) == [database.role])
        await superuser.close()
    }

    @Test("an owner whose login ended may log in again")
    func revived() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let tenants = cluster.tenants()
        try await tenants.retireLogin(database.role, of: database, fence: "test")
        try await tenants.ensureLogin(database.role, of: database, password: password, fence: "test")
        #expect(await refusal(cluster.tcp(user: database.role, password: password, database: database.database)) == nil)
    }

    @Test("with the role its further logins go")
    func roleDropped() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, _) = try await cluster.provisioned()
        let tenants = cluster.tenants()
        for rotation in 2...3 {
            let next = login(database, rotation)
            try await tenants.ensureLogin(next.name, of: database, password: next.password, fence: "test")
        }
        try await tenants.dropDatabase(database, fence: "test")
        try await tenants.dropRole(database, fence: "test")
        let superuser = try await cluster.superuser()
        #expect(
            try await superuser.run("SELECT FROM pg_roles WHERE starts_with(rolname, \(database.role))").count == 0
        )
        await superuser.close()
    }

    @Test("another's role is neither taken over nor ended, and nothing is made beside what is not there")
    func foreign() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, _) = try await cluster.provisioned()
        let (tenants, next) = (cluster.tenants(), login(database))
        let superuser = try await cluster.superuser()
        try await superuser.run("CREATE ROLE \(identifier: next.name) LOGIN")
        let taken = await #expect(throws: PortError.self) {
            try await tenants.ensureLogin(next.name, of: database, password: next.password, fence: "test")
        }
        #expect(taken?.code == "postgres.name-taken")
        try await tenants.retireLogin(next.name, of: database, fence: "test")
        let rows = try await superuser.run("SELECT rolcanlogin FROM pg_roles WHERE rolname = \(next.name)")
        #expect(try rows.decode(0, Bool.self))
        await superuser.close()

        let (absent, _) = cluster.tenant()
        let missing = await #expect(throws: PortError.self) {
            try await tenants.ensureLogin(login(absent).name, of: absent, password: Secret("x"), fence: "test")
        }
        #expect(missing?.code == "postgres.no-database")
        try await tenants.retireLogin(login(absent).name, of: absent, fence: "test")
    }

    @Test("a cluster that cannot be reached is waited for")
    func unreachable() async throws {
        let nobody = TenantPostgres(
            conninfo: "host=127.0.0.1 port=1 user=nobody dbname=postgres",
            address: DatabaseAddress(host: "127.0.0.1", port: 1)
        )
        let database = try await TenantCluster.shared().tenant().database
        for attempt in 0..<3 {
            let error = await #expect(throws: PortError.self) {
                switch attempt {
                case 0:
                    let next = login(database)
                    try await nobody.ensureLogin(next.name, of: database, password: next.password, fence: "test")
                case 1: _ = try await nobody.isInUse(database.role, of: database)
                default: try await nobody.retireLogin(database.role, of: database, fence: "test")
                }
            }
            guard case .transient = error else {
                Issue.record("\(attempt): \(String(describing: error))")
                continue
            }
        }
    }
}
