import FoundationEssentials
import Glibc
import Kernel
import Postgres
import Testing

/// The whole story on one real machine: HTTP in, a reachable tenant and a clean log out.
@Suite("Story", .wholeMachine, .timeLimit(.minutes(15)))
struct StoryTests {
    @Test("one request onboards an organization whose own process answers at its own host, across stops and crashes")
    func story() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }

        let (first, _) = try await dev.run { running in
            let story = Story(running: running)
            let first = try await story.onboard("acme")
            // The location that was answered must work at once, for who knows nothing of positions.
            let operation = try await story.client.get("/v1/operations/\(first.operation)")
            #expect(operation.status == 200, "\(operation.text)")
            #expect(try await story.ended(first.operation) == "completed")
            let instance = try await story.instance(first.instance, becomes: "running")
            #expect(instance["subscription"]?["status"]?.string == "active")
            #expect(instance["plan"]?["tier"]?.string == "TEAM")
            let page = try await story.reached("acme")
            #expect(page.text.contains(first.organization))
            #expect(try await story.visit("acme", "/health").status == 200)
            #expect(try await story.visit("nobody").status == 404)
            let checks = try await story.client.get("/v1/instances/\(first.instance)/checks")
            #expect(checks.status == 200 && checks.json["status"] == "passing", "\(checks.text)")
            try await checkLog(story)
            try await checkSecrets(story, organization: first.organization, directory: dev.directory)
            try await checkIsolation(story, organization: first.organization)
            try await checkMetrics(story)
            return first
        }
        #expect(dev.survivors == [])

        // A second start finds everything as it was; this one is then killed without a chance to clean up.
        let before = try await dev.run(ending: SIGKILL) { running in
            let story = Story(running: running)
            _ = try await story.instance(first.instance, becomes: "running")
            _ = try await story.reached("acme")
            let started = try await story.query { tx throws(PostgresError) in
                try tx.run("SELECT pg_postmaster_start_time()").decode(0, Timestamp.self)
            }
            return (started: started, ports: [running.edge, running.nomad, running.billing, running.databaseUrl])
        }
        #expect(before.status == 128 + Int(SIGKILL))

        try await dev.run { running in
            let story = Story(running: running)
            let started = try await story.query { tx throws(PostgresError) in
                try tx.run("SELECT pg_postmaster_start_time()").decode(0, Timestamp.self)
            }
            #expect(started == before.value.started, "the running Postgres was not adopted")
            // Nor has anything moved, though an edge was left running at its port.
            #expect([running.edge, running.nomad, running.billing, running.databaseUrl] == before.value.ports)
            _ = try await story.reached("acme")
            _ = try await story.provisioned("globex", price: "starter-monthly")
            try await checkLog(story)
        }
        #expect(dev.survivors == [])
    }

    /// Positions are dense, and every event says who, by which command, in which conversation.
    private func checkLog(_ story: Story) async throws {
        let (count, last, unsigned) = try await story.query { tx throws(PostgresError) in
            try tx.run(
                """
                SELECT count(*), max(position),
                       count(*) FILTER (WHERE actor = '' OR command_id IS NULL OR correlation_id IS NULL)
                  FROM log.event
                """
            ).decode(0, Int64.self, Int64.self, Int64.self)
        }
        #expect(count == last && count > 10)
        #expect(unsigned == 0)
    }

    /// Nothing that the tenant's process holds as a secret is in an event, a job specification, a process list or a log.
    private func checkSecrets(_ story: Story, organization: String, directory: String) async throws {
        let secrets = try tenantSecrets(organization: organization, directory: directory)
        #expect(secrets.count >= 3, "the tenant has its secrets in its environment")
        let texts = try await story.query { tx throws(PostgresError) in
            try tx.run("SELECT convert_from(payload, 'UTF8') || metadata FROM log.event").column(String.self)
                + tx.run("SELECT convert_from(answer, 'UTF8') FROM log.command").column(String.self)
        }
        let job = try await Client(base: story.running.nomad, key: nil).get("/v1/job/railzway-org-\(organization)")
        #expect(job.status == 200)
        let logs = ["dev.log", "postgres.log", "traefik.log"].map { name -> String in
            (try? String(decoding: Data(contentsOf: URL(filePath: directory + "/" + name)), as: UTF8.self)) ?? ""
        }
        for (name, secret) in secrets {
            for text in texts + logs + [job.text] where text.contains(secret) {
                Issue.record("\(name) is in the clear: \(text.prefix(60))…")
            }
            for command in commandLines() where command.contains(secret) {
                Issue.record("\(name) is in a process list")
            }
        }
    }

    /// Every metric that docs/metrics.md promises is there.
    private func checkMetrics(_ story: Story) async throws {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let document = String(decoding: try Data(contentsOf: URL(filePath: root + "/docs/metrics.md")), as: UTF8.self)
        let promised = document.split(separator: "\n").filter {
            $0.hasPrefix("| `signalbox_") || $0.hasPrefix("| `http_")
        }.compactMap {
            $0.split(separator: "`").dropFirst().first
        }
        #expect(promised.count > 20)
        for name in promised {
            // Some are told for the first time after a few seconds.
            _ = try await eventually(within: .seconds(30), { "\(name) is not offered" }) {
                try await story.client.get("/metrics").text.contains("# TYPE \(name) ") ? true : nil
            }
        }
    }

    /// The tenant's role gets into its own database and no other.
    private func checkIsolation(_ story: Story, organization: String) async throws {
        let secrets = try tenantEnvironment(organization: organization)
        let password = try #require(secrets["DB_PASSWORD"])
        let port = try #require(secrets["DB_PORT"])
        func open(_ database: String) async throws(PostgresError) {
            let connection = try await Connection.open(
                "host=127.0.0.1 port=\(port) user=railzway_user_\(organization) dbname=\(database) password='\(password)'"
            )
            await connection.close()
        }
        try await open("railzway_org_\(organization)")
        for database in ["signalbox", "postgres", "template1"] {
            await #expect(throws: PostgresError.self, "\(database) let a tenant in") { try await open(database) }
        }
    }

    private func tenantSecrets(organization: String, directory: String) throws -> [String: String] {
        let names = ["DB_PASSWORD", "AUTH_JWT_SECRET", "PAYMENT_PROVIDER_CONFIG_SECRET"]
        return try tenantEnvironment(organization: organization).filter { names.contains($0.key) && !$0.value.isEmpty }
    }

    /// The environment of the process that runs for this organization.
    private func tenantEnvironment(organization: String) throws -> [String: String] {
        for pid in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init) {
            guard let data = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/environ")) else { continue }
            var values: [String: String] = [:]
            for pair in data.split(separator: 0) {
                let text = String(decoding: pair, as: UTF8.self)
                guard let equals = text.firstIndex(of: "=") else { continue }
                values[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            if values["DB_USER"] == "railzway_user_\(organization)" { return values }
        }
        throw DevProcess.Failure(description: "no process runs for \(organization)")
    }

    private func commandLines() -> [String] {
        let pids = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int32.init)
        return pids.compactMap { pid in
            (try? Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline"))).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
