import DevPlane
import Kernel
import Postgres
import SignalboxTestKit
import Synchronization
import Testing

/// Each tenant of these tests listens on a port of its own.
private let ports = Atomic<Int>(32100)

@Suite("Tenant stand-in (e)")
struct TenantTests {
    private func environment(_ database: TestDatabase, port: Int, slot: String = "a") -> [String: String] {
        [
            "BOOTSTRAP_DEFAULT_ORG_ID": "42", "BOOTSTRAP_DEFAULT_ORG_NAME": "Acme", "DB_HOST": database.server.folder,
            "DB_PORT": "\(database.server.port)", "DB_NAME": database.name, "DB_USER": "postgres",
            "DB_PASSWORD": "it's \\ odd",
            "NOMAD_HOST_PORT_http": "\(port)", "PORT": "8080", "SIGNALBOX_SLOT": slot, "SIGNALBOX_IMAGE": "tenant:1",
        ]
    }

    private func withTenant(
        _ database: TestDatabase,
        slot: String = "a",
        _ body: @Sendable @escaping (Client) async throws -> Void
    ) async throws {
        let port = ports.wrappingAdd(1, ordering: .relaxed).newValue
        try await serving(Tenant(environment: environment(database, port: port, slot: slot))) {
            let client = Client(port: port)
            try await eventually { (try? await client.get("/health").status) == 200 }
            try await body(client)
        }
    }

    private func lease(_ database: TestDatabase, _ slot: String, _ epoch: Int64) async throws {
        let connection = try await Connection.open(database.superuser)
        try await connection.script(
            """
            CREATE SCHEMA IF NOT EXISTS signalbox;
            CREATE TABLE IF NOT EXISTS signalbox.scheduler (one boolean PRIMARY KEY DEFAULT true, slot text, epoch bigint);
            """
        )
        try await connection.run(
            """
            INSERT INTO signalbox.scheduler (slot, epoch)
            VALUES (\(slot), \(epoch))
            ON CONFLICT (one) DO UPDATE SET slot = excluded.slot, epoch = excluded.epoch
            """
        )
        await connection.close()
    }

    @Test("it counts visits in its own database, over restarts")
    func visits() async throws {
        try await withDatabase(.empty) { database in
            try await withTenant(database) { tenant in
                let health = try await tenant.get("/health")
                #expect(health.json == ["status": "ok"])
                let first = try await tenant.get("/").json
                #expect(first["organization"] == "42")
                #expect(first["database"] == .string(database.name))
                #expect(first["user"] == "postgres")
                #expect(first["starts"]?.integer == 1)
                #expect(first["visits"]?.integer == 1)
            }
            try await withTenant(database) { tenant in
                let again = try await tenant.get("/").json
                #expect(again["starts"]?.integer == 2)
                #expect(again["visits"]?.integer == 2)
            }
        }
    }

    @Test("readiness is in the body, always with 200, and follows the lease")
    func ready() async throws {
        try await withDatabase(.empty) { database in
            try await withTenant(database, slot: "b") { tenant in
                func scheduler() async throws -> JSONValue? {
                    let reply = try await tenant.get("/ready")
                    #expect(reply.status == 200)
                    return reply.json["issues"]?.array?.first { $0["id"] == "scheduler_single_lease" }
                }
                #expect(try await scheduler()?["status"] == "not_ready")
                #expect(try await tenant.get("/ready").json["ready"]?.bool == false)
                try await lease(database, "a", 1)
                #expect(try await scheduler()?["status"] == "optional")
                #expect(try await tenant.get("/ready").json["ready"]?.bool == true)
                try await lease(database, "b", 2)
                let holding = try await scheduler()
                #expect(holding?["status"] == "ready")
                #expect(holding?["evidence"]?["epoch"]?.integer == 2)
                #expect(try await tenant.get("/metrics").text.contains("tenant_scheduler_active 1"))
            }
        }
    }

    @Test("it says which slot and image answered, takes writes, and its migration only adds")
    func release() async throws {
        try await withDatabase(.empty) { database in
            try await withTenant(database, slot: "b") { tenant in
                let written = try await tenant.send("POST", "/visits", [:])
                #expect(written.status == 200 && written.json["slot"] == "b")
                #expect(written.headers["x-tenant-image"] == "tenant:1")
                try await Tenant(environment: environment(database, port: 1)).migrate()
                try await Tenant(environment: environment(database, port: 1)).migrate()
                #expect(try await tenant.get("/").json["visits"]?.integer == 2)
            }
        }
    }

    @Test("it comes back by itself when its session was ended")
    func reconnects() async throws {
        try await withDatabase(.empty) { database in
            try await withTenant(database) { tenant in
                _ = try await tenant.get("/")
                let connection = try await Connection.open(database.superuser)
                try await connection.run(
                    """
                    SELECT pg_terminate_backend(pid)
                    FROM pg_stat_activity
                    WHERE application_name = 'tenant-42' AND datname = current_database()
                    """
                )
                await connection.close()
                #expect(try await tenant.get("/").status == 200)
            }
        }
    }

    @Test(
        "it does not start without what it needs",
        arguments: ["BOOTSTRAP_DEFAULT_ORG_ID", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"]
    )
    func missing(name: String) async throws {
        var environment = [
            "BOOTSTRAP_DEFAULT_ORG_ID": "42", "DB_HOST": "h", "DB_PORT": "1", "DB_NAME": "d", "DB_USER": "u",
            "DB_PASSWORD": "p",
        ]
        environment[name] = ""
        await #expect(throws: Tenant.Failure.environment("\(name) is missing")) {
            try await Tenant(environment: environment).run()
        }
    }
}
