import FoundationEssentials
import Glibc
import Kernel
import Postgres
import Testing

/// What becomes of an instance after it runs, over HTTP and from the command line.
@Suite("Lifecycle", .wholeMachine, .timeLimit(.minutes(15)))
struct LifecycleTests {
    @Test("an instance is stopped and cannot be reached or billed, and is started again with its data")
    func stopAndStart() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        try await dev.run { running in
            let story = Story(running: running)
            let made = try await story.onboard("acme")
            #expect(try await story.ended(made.operation) == "completed")
            _ = try await story.reached("acme")

            let stop = try await story.client.post(
                "/v1/instances/\(made.instance)/stop",
                headers: ["Prefer": "wait=30"]
            )
            #expect(stop.status == 202, "\(stop.text)")
            let operation = try #require(stop.json["operation"]?["id"]?.string)
            #expect(stop["Location"] == "/v1/operations/\(operation)")
            #expect(try await story.ended(operation) == "completed")
            let stopped = try await story.instance(made.instance, becomes: "stopped")
            #expect(stopped["subscription"]?["status"] == "paused")
            try await story.gone("acme")
            let again = try await story.client.post("/v1/instances/\(made.instance)/stop")
            #expect(again.status == 409, "\(again.text)")

            // The subscription's command is the same one; and so is that of the command line.
            let resumed = try await story.client.post("/v1/subscriptions/\(made.subscription)/resume")
            #expect(resumed.status == 202, "\(resumed.text)")
            #expect(try await story.ended(try #require(resumed.json["operation"]?["id"]?.string)) == "completed")
            let started = try await story.instance(made.instance, becomes: "running")
            #expect(started["subscription"]?["status"] == "active")
            _ = try await story.reached("acme")

            let tool = CommandLine(database: running.databaseUrl)
            let paused = try await tool("instance", "stop", made.instance, "--data", dev.directory, "--json")
            #expect(paused.code == 0, "\(paused.errors)")
            #expect(paused.json["status"] == "stopped")
            let resume = try await tool("instance", "start", made.instance, "--data", dev.directory, "--json")
            #expect(resume.code == 0, "\(resume.errors)")
            #expect(resume.json["status"] == "running")
            let refused = try await tool("instance", "start", made.instance, "--data", dev.directory)
            #expect(refused.code == 4, "\(refused.errors)")
        }
        #expect(dev.survivors == [])
    }

    @Test("an instance is terminated: saved, billed no more, its database put aside, and dropped when told")
    func terminate() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        try await dev.run { running in
            let story = Story(running: running)
            let made = try await story.onboard("acme")
            #expect(try await story.ended(made.operation) == "completed")
            let answer = try await story.client.post("/v1/instances/\(made.instance)/terminate")
            #expect(answer.status == 202, "\(answer.text)")
            #expect(try await story.ended(try #require(answer.json["operation"]?["id"]?.string)) == "completed")
            try await eventually(within: .seconds(60), { "the instance is not terminated and paid no more" }) {
                let shown = try await story.client.get("/v1/instances/\(made.instance)").json
                return shown["status"] == "terminated" && shown["subscription"]?["status"] == "cancelled" ? () : nil
            }
            try await story.gone("acme")
            let again = try await story.client.post("/v1/instances/\(made.instance)/terminate")
            #expect(again.status == 410, "\(again.text)")
            let (path, size) = try await story.query { tx throws(PostgresError) in
                try tx.run(
                    """
                    SELECT convert_from(payload, 'UTF8')::jsonb ->> 'path',
                           (convert_from(payload, 'UTF8')::jsonb ->> 'size')::bigint
                      FROM log.event JOIN log.event_type USING (type_id) WHERE name = 'instance.backed-up'
                    """
                ).decode(0, String.self, Int64.self)
            }
            #expect(path.hasPrefix(dev.directory + "/backups/"))
            #expect(try Data(contentsOf: URL(filePath: path)).count == Int(size))
            #expect(try await story.left(of: made.organization) == ["zz_railzway_org_\(made.organization)", "role"])

            let tool = CommandLine(database: running.databaseUrl)
            let early = try await tool("instance", "reap", made.instance, "--reason", "x", "--data", dev.directory)
            #expect(early.code == 2)
            let now = try await tool(
                "instance",
                "reap",
                made.instance,
                "--now",
                "--reason",
                "they asked for it",
                "--data",
                dev.directory,
                "--json"
            )
            #expect(now.code == 0, "\(now.errors)")
            let reap = try #require(now.json["operation"]?["id"]?.string)
            #expect(try await story.ended(reap) == "completed")
            #expect(try await story.left(of: made.organization).isEmpty)
            let job = try await Client(base: running.nomad, key: nil).get("/v1/job/railzway-org-\(made.organization)")
            #expect(job.status == 404)
        }
        #expect(dev.survivors == [])
    }

    @Test("a process that is killed between two steps of a termination leaves it to the next one")
    func crashed() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        let made = try await dev.run { running in
            let story = Story(running: running)
            let made = try await story.onboard("acme")
            #expect(try await story.ended(made.operation) == "completed")
            return made
        }.value
        let operation = Box<String>()
        // In the middle: the workload is stopped, and nothing is saved yet.
        let outcome = try await dev.run(ending: 0, environment: ["SIGNALBOX_CRASH_AFTER_SAGA_APPENDS": "7"]) {
            running in
            let story = Story(running: running)
            let answer = try await story.client.post("/v1/instances/\(made.instance)/terminate")
            await operation.set(try #require(answer.json["operation"]?["id"]?.string))
            _ = try? await story.ended(try #require(await operation.value), within: .seconds(30))
        }
        #expect(outcome.status == 128 + Int(SIGKILL))
        let id = try #require(await operation.value)
        try await dev.run { running in
            let story = Story(running: running)
            #expect(try await story.ended(id) == "completed")
            try await eventually(within: .seconds(60), { "the instance is not terminated and paid no more" }) {
                let shown = try await story.client.get("/v1/instances/\(made.instance)").json
                return shown["status"] == "terminated" && shown["subscription"]?["status"] == "cancelled" ? () : nil
            }
            let backups = try await story.query { tx throws(PostgresError) in
                try tx.run(
                    """
                    SELECT count(*) FROM log.event JOIN log.event_type USING (type_id)
                     WHERE name = 'instance.backed-up'
                    """
                ).decode(0, Int64.self)
            }
            #expect(backups == 1)
        }
        #expect(dev.survivors == [])
    }

    @Test("an organization is deleted with both of its instances, and refuses new work at once")
    func deleteOrganization() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        try await dev.run { running in
            let story = Story(running: running)
            let made = try await story.onboard("acme")
            #expect(try await story.ended(made.operation) == "completed")
            let path = "/v1/organizations/\(made.organization)"
            // The second one is under way when the organization is deleted.
            let second = try await story.client.post(path + "/instances", ["name": "blue", "priceId": "pro-monthly"])
            #expect(second.status == 202, "\(second.text)")
            let other = try #require(second.json["instance"]?["id"]?.string)

            let answer = try await story.client.send("DELETE", path)
            #expect(answer.status == 202, "\(answer.text)")
            let refused = try await story.client.post(path + "/instances", ["name": "red", "priceId": "pro-monthly"])
            #expect(refused.status == 409, "\(refused.text)")
            let operation = try #require(answer.json["operation"]?["id"]?.string)
            #expect(try await story.ended(operation, within: .seconds(120)) == "completed")
            for instance in [made.instance, other] {
                _ = try await story.instance(instance, becomes: "terminated")
            }
            // Its members are told that it is deleted, without its name; nothing else answers, and no list has it.
            let deleted = try await eventually(within: .seconds(30), { "the organization is not said to be deleted" }) {
                let reply = try await story.client.get(path)
                return reply.json["status"] == "deleted" ? reply : nil
            }
            #expect(deleted.status == 200 && deleted.json["name"] == "")
            #expect(try await story.client.get(path + "/members").status == 404)
            #expect(try await story.client.get("/v1/organizations").json["data"] == [])
            let active = try await story.query { tx throws(PostgresError) in
                try tx.run("SELECT count(*) FROM pg_database WHERE datname LIKE 'railzway%'").decode(0, Int64.self)
            }
            #expect(active == 0)
            let parents = try await story.query { tx throws(PostgresError) in
                try tx.run(
                    """
                    SELECT count(*) FROM log.event JOIN log.event_type USING (type_id)
                     WHERE name = 'saga.started'
                       AND convert_from(payload, 'UTF8')::jsonb ->> 'parent' LIKE 'saga-delete-organization.%'
                    """
                ).decode(0, Int64.self)
            }
            #expect(parents == 2)
        }
        #expect(dev.survivors == [])
    }
}

extension Story {
    /// What a tenant cluster still has of an organization: its databases, without the time in their names, and `role`.
    fileprivate func left(of organization: String) async throws -> [String] {
        try await query(database: "postgres") { tx throws(PostgresError) in
            try tx.run(
                """
                SELECT regexp_replace(datname, '_[0-9]{10}$', '') FROM pg_database
                 WHERE datname LIKE \("%org_" + organization + "%")
                UNION ALL
                SELECT 'role' FROM pg_roles WHERE rolname LIKE \("%user_" + organization + "%")
                """
            ).column(String.self)
        }
    }
}
