import FoundationEssentials
import Kernel
import Postgres
import Testing

/// What becomes of an instance after it runs, over HTTP and from the command line.
@Suite("Lifecycle", .wholeMachine, .timeLimit(.minutes(15)))
struct LifecycleTests {
    @Test("an instance is stopped and cannot be reached or billed, and is started again with its data")
    func stopAndStart() async throws {
        try await Story.told { story, dev in
            let made = try await story.provisioned("acme")

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
            let resumption = try await story.start("/v1/subscriptions/\(made.subscription)/resume")
            #expect(try await story.ended(resumption) == "completed")
            let started = try await story.instance(made.instance, becomes: "running")
            #expect(started["subscription"]?["status"] == "active")
            _ = try await story.reached("acme")

            let tool = CommandLine(database: story.running.databaseUrl)
            let paused = try await tool("instance", "stop", made.instance, "--data", dev.directory, "--json")
            #expect(paused.code == 0, "\(paused.errors)")
            #expect(paused.json["status"] == "stopped")
            let resume = try await tool("instance", "start", made.instance, "--data", dev.directory, "--json")
            #expect(resume.code == 0, "\(resume.errors)")
            #expect(resume.json["status"] == "running")
            let refused = try await tool("instance", "start", made.instance, "--data", dev.directory)
            #expect(refused.code == 4, "\(refused.errors)")
        }
    }

    @Test("an instance is terminated: saved, billed no more, its database put aside, and dropped when told")
    func terminate() async throws {
        try await Story.told { story, dev in
            let made = try await story.provisioned("acme")
            let termination = try await story.start("/v1/instances/\(made.instance)/terminate")
            #expect(try await story.ended(termination) == "completed")
            try await story.terminated(made.instance)
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

            let tool = CommandLine(database: story.running.databaseUrl)
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
            let nomad = Client(base: story.running.nomad, key: nil)
            #expect(try await nomad.get("/v1/job/railzway-org-\(made.organization)").status == 404)
        }
    }

    @Test("a process that is killed between two steps of a termination leaves it to the next one")
    func crashed() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        let made = try await dev.run { try await Story(running: $0).provisioned("acme") }.value
        // In the middle: the workload is stopped, and nothing is saved yet.
        let (operation, crashed) = try await dev.crash(after: 7, operation: \.self) { story in
            try await story.start("/v1/instances/\(made.instance)/terminate")
        }
        #expect(crashed)
        try await dev.run { running in
            let story = Story(running: running)
            #expect(try await story.ended(operation) == "completed")
            try await story.terminated(made.instance)
            #expect(try await story.count(of: "instance.backed-up") == 1)
        }
        #expect(dev.survivors == [])
    }

    @Test("an organization is deleted with both of its instances, and refuses new work at once")
    func deleteOrganization() async throws {
        try await Story.told { story, dev in
            let made = try await story.provisioned("acme")
            let path = "/v1/organizations/\(made.organization)"
            let keys = dev.directory + "/log-keys"
            // Its secret is sealed with the key of the organization.
            let webhook: JSONValue = ["url": "https://hooks.example/acme", "types": ["organization.suspended"]]
            #expect(try await story.client.post(path + "/webhooks", webhook).status == 201)
            try await story.takeAway(made.organization, to: dev.directory + "/before.tar", trusting: keys)
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
                // Nobody of the organization sees them any more.
                _ = try await story.instance(instance, becomes: "terminated", for: story.desk)
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
            try await story.takeAwayRest(of: made.organization, to: dev.directory, keys)
        }
    }
}

extension Story {
    /// Exports an organization, as its owner, and holds the export against the log's keys; a changed one is refused.
    fileprivate func takeAway(_ organization: String, to file: String, trusting keys: String) async throws {
        let signers = try await eventually(within: .seconds(30), { "the log is not signed" }) {
            let answer = try await client.get("/audit/vkey")
            return answer.status == 200 ? answer.text : nil
        }
        try Data(signers.utf8).write(to: URL(filePath: keys))
        let owner = CommandLine(environment: ["SIGNALBOX_URL": running.api, "SIGNALBOX_TOKEN": running.apiKey])
        let done = try await owner("org", "export", organization, "--out", file)
        #expect(done.code == 0, "\(done.errors)")
        let again = try await owner("org", "export", organization, "--out", file)
        #expect(again.code == 1 && again.errors.contains("there already"), "\(again)")
        let held = try await owner("org", "check-export", file, "--vkey", keys, "--json")
        #expect(held.code == 0 && held.json["trust"] == "authentic", "\(held)")
        #expect(held.json["unproven"] == 0 && (held.json["events"]?.integer ?? 0) > 10)
        var archive = try Data(contentsOf: URL(filePath: file))
        let name = try #require(archive.firstRange(of: Data("The acme company".utf8)))
        archive[name.lowerBound] ^= 1
        try archive.write(to: URL(filePath: file + ".changed"))
        let refused = try await owner("org", "check-export", file + ".changed", "--vkey", keys)
        #expect(refused.code == 1 && refused.errors.contains("not accepted"), "\(refused)")
    }

    /// Exports what is left of one that is deleted: it holds, and nobody can open what was sealed in it.
    fileprivate func takeAwayRest(
        of organization: String,
        to folder: String,
        _ keys: String
    ) async throws {
        #expect(try await client.get("/v1/organizations/\(organization)/export").status == 404)
        let desk = CommandLine(environment: ["SIGNALBOX_URL": running.api, "SIGNALBOX_TOKEN": running.operatorKey])
        let file = folder + "/after.tar"
        let done = try await desk("org", "export", organization, "--out", file)
        #expect(done.code == 0, "\(done.errors)")
        let held = try await desk("org", "check-export", file, "--vkey", keys, "--json")
        #expect(held.code == 0 && held.json["trust"] == "authentic", "\(held)")
        let (before, after) = (
            try Data(contentsOf: URL(filePath: folder + "/before.tar")), try Data(contentsOf: URL(filePath: file))
        )
        let (sealed, erased) = (Data(#""secret":{"sealed":true}"#.utf8), Data(#""secret":{"erased":true}"#.utf8))
        #expect(before.firstRange(of: sealed) != nil && before.firstRange(of: erased) == nil)
        #expect(after.firstRange(of: sealed) == nil && after.firstRange(of: erased) != nil)
        #expect(after.firstRange(of: Data(#""name":"","slug":"acme""#.utf8)) != nil)
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
