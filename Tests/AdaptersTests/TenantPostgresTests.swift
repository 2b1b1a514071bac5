import Platform
import Postgres
import SignalboxTestKit
import Testing

@testable import Adapters

@Suite("Tenant Postgres")
struct TenantPostgresTests {
    @Test("a tenant logs in with its password, may work, and finds its lease and its limits")
    func whole() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let own = cluster.tcp(user: database.role, password: password, database: database.database)
        let tenant = try await Connection.open(own)
        try await tenant.script("CREATE TABLE public.mine (id bigint); INSERT INTO public.mine VALUES (1)")
        let lease = try await tenant.run("SELECT slot, epoch FROM signalbox.scheduler").decode(0, String.self, Int.self)
        #expect(lease.0 == "a" && lease.1 == 1)
        #expect(
            try await tenant.run("SELECT setting FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'")
                .column(String.self) == ["60000"]
        )
        let limits = try await tenant.run(
            "SELECT rolconnlimit, datconnlimit FROM pg_roles, pg_database WHERE rolname = \(database.role) AND datname = \(database.database)"
        ).decode(0, Int.self, Int.self)
        #expect(limits.0 == 7 && limits.1 == 7)
        await tenant.close()
    }

    @Test("a tenant cannot write its lease, nor take the table away")
    func lease() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let own = cluster.tcp(user: database.role, password: password, database: database.database)
        let tenant = try await Connection.open(own)
        for attempt in [
            "UPDATE signalbox.scheduler SET slot = 'b'", "DROP TABLE signalbox.scheduler",
            "DROP SCHEMA signalbox CASCADE",
            "ALTER SCHEMA signalbox RENAME TO other", "CREATE TABLE signalbox.other (id bigint)",
        ] {
            let error = await #expect(throws: PostgresError.self) { try await tenant.script(attempt) }
            #expect(error?.code == "42501", "\(attempt)")
        }
        await tenant.close()
    }

    @Test("a tenant gets into no other database")
    func isolation() async throws {
        let cluster = try await TenantCluster.shared()
        let (one, password) = try await cluster.provisioned()
        let (other, _) = try await cluster.provisioned()
        for database in [other.database, "postgres", "template1", "control"] {
            let foreign = cluster.tcp(user: one.role, password: password, database: database)
            let error = await #expect(throws: PostgresError.self) { try await Connection.open(foreign) }
            #expect(error?.message.contains("permission denied for database") == true, "\(database)")
        }
    }

    @Test("until it is isolated, a database lets nobody in")
    func closedAtFirst() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = cluster.tenant()
        let tenants = cluster.tenants()
        try await tenants.ensureRole(database, password: password, fence: "test")
        try await tenants.ensureDatabase(database, fence: "test")
        let own = cluster.tcp(user: database.role, password: password, database: database.database)
        let error = await #expect(throws: PostgresError.self) { try await Connection.open(own) }
        #expect(error?.message.contains("not currently accepting connections") == true)
        #expect(try await tenants.probeDatabase(database) == .present(false))
        try await tenants.isolate(database, slot: "a", fence: "test")
        #expect(try await tenants.probeDatabase(database) == .present(true))
    }

    @Test("done again, nothing changes, and a lease that was handed over stays where it is")
    func again() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let inside = try await cluster.superuser(database.database)
        try await inside.run("UPDATE signalbox.scheduler SET slot = 'b', epoch = 2")
        let tenants = cluster.tenants()
        try await tenants.ensureRole(database, password: password, fence: "test")
        try await tenants.ensureDatabase(database, fence: "test")
        try await tenants.isolate(database, slot: "a", fence: "test")
        let lease = try await inside.run("SELECT slot, epoch FROM signalbox.scheduler").decode(0, String.self, Int.self)
        #expect(lease.0 == "b" && lease.1 == 2)
        await inside.close()
        let own = cluster.tcp(user: database.role, password: password, database: database.database)
        try await Connection.open(own).close()
    }

    /// Does as an engine does: who waited too long for the lock of a tenant tries again.
    private static func persistently(_ body: () async throws(PortError) -> Void) async throws(PortError) {
        for _ in 0..<20 {
            do throws(PortError) {
                return try await body()
            } catch {
                guard case .transient = error else { throw error }
            }
        }
        try await body()
    }

    @Test("eight at once make one role and one database")
    func concurrent() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = cluster.tenant()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let tenants = cluster.tenants()
                    try await Self.persistently { () async throws(PortError) in
                        try await tenants.ensureRole(database, password: password, fence: "test")
                        try await tenants.ensureDatabase(database, fence: "test")
                        try await tenants.isolate(database, slot: "a", fence: "test")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await cluster.tenants().probeRole(database) == .present(true))
        #expect(try await cluster.tenants().probeDatabase(database) == .present(true))
    }

    @Test("whoever holds the lock of a tenant and falls silent loses it")
    func silence() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = cluster.tenant()
        let watch = try await cluster.superuser()
        let silent = cluster.tenants(limits: .init(statement: .milliseconds(100)))
        let lost = await #expect(throws: PortError.self) {
            try await silent.settled(database, "sbx/\(database.database)/role/f1") { session throws(PortError) in
                do {
                    try await eventually(within: .seconds(30)) {
                        try await watch.run(
                            """
                            SELECT count(*)
                              FROM pg_stat_activity
                             WHERE application_name = \("sbx/" + database.database + "/role/f1")
                            """
                        ).decode(0, Int64.self) == 0
                    }
                } catch { throw .permanent(code: "test", message: "\(error)") }
                try await silent.on(session) { tx throws(PostgresError) in try tx.script("SELECT 1") }
            }
        }
        guard case .unknown? = lost else { return #expect(Bool(false), "\(String(describing: lost))") }
        // And the next one may.
        try await cluster.tenants().ensureRole(database, password: password, fence: "sbx/next/role/f2")
    }

    @Test("a call waits for what a dead one still has under way, and says who it is meanwhile")
    func settles() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = cluster.tenant()
        let zombie = try await cluster.superuser()
        try await zombie.run("SELECT pg_advisory_lock(hashtextextended(\(database.database), 0))")

        let impatient = cluster.tenants(limits: .init(lock: .milliseconds(100)))
        let error = await #expect(throws: PortError.self) {
            try await impatient.ensureRole(database, password: password, fence: "sbx/saga-1/role/f7")
        }
        #expect(error?.code == "postgres.55P03")

        let fence = "sbx/\(database.database)/role/f8"
        async let ensured: Void = cluster.tenants().ensureRole(database, password: password, fence: fence)
        try await eventually {
            try await zombie.run(
                "SELECT 1 FROM pg_stat_activity WHERE application_name = \(fence) AND wait_event = 'advisory'"
            ).count == 1
        }
        #expect(try await zombie.run("SELECT 1 FROM pg_roles WHERE rolname = \(database.role)").count == 0)
        await zombie.close()
        try await ensured
        #expect(try await cluster.tenants().probeRole(database) == .present(true))
    }

    @Test("the password is in no statement that the server could log")
    func log() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, password) = try await cluster.provisioned()
        let log = try Fixture.absolute(cluster.server.folder + "/log")
        #expect(log.contains("CREATE ROLE \"\(database.role)\""))
        #expect(log.contains("SCRAM-SHA-256$4096:"))
        #expect(!log.contains(password.revealed))
        #expect(!log.contains(cluster.provisioner.revealed))
    }
}

/// Asks until the answer is yes, for at most ten seconds.
func eventually(_ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("it did not become true in ten seconds")
}
