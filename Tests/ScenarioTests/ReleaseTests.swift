import FoundationEssentials
import Glibc
import Kernel
import Postgres
import Synchronization
import Testing

/// Another release for an instance that is used all the while, over HTTP and through the real edge.
@Suite("Releases", .wholeMachine, .timeLimit(.minutes(15)))
struct ReleaseTests {
    @Test("a release takes over without one failed request: reads, writes and the scheduler, there and back")
    func takeover() async throws {
        try await Story.told { story, dev in
            let made = try await story.provisioned("acme")
            try await story.register("v2")

            let traffic = Traffic(story: story, slug: "acme")
            let ended = try await traffic.during {
                let operation = try await story.start("/v1/instances/\(made.instance)/deploy", ["version": "v2"])
                return try await story.ended(operation, within: .seconds(120))
            }
            #expect(ended == "completed")
            #expect(traffic.failures == [])
            #expect(traffic.slots(of: "GET") == ["a", "b"] && traffic.slots(of: "POST") == ["a", "b"])
            #expect(traffic.last == "b")

            let shown = try await story.instance(made.instance, becomes: "running")
            #expect(shown["release"]?["version"] == "v2" && shown["desiredRelease"] == "v2")
            #expect(shown["slots"]?.array?.map { $0["status"] } == ["terminated", "serving"])
            let lease = try await story.lease("acme")
            #expect(lease == ["holder": "b", "epoch": 2])
            let migrated = try await story.query(database: "railzway_org_\(made.organization)") {
                tx throws(PostgresError) in
                try tx.run("SELECT migrated_by FROM tenant_visit").decode(0, String.self)
            }
            #expect(migrated == "railzway:v2")
            let again = try await story.client.post("/v1/instances/\(made.instance)/deploy", ["version": "v2"])
            #expect(again.status == 409, "\(again.text)")
            let none = try await story.client.post("/v1/instances/\(made.instance)/deploy", ["version": "v9"])
            #expect(none.status == 409, "\(none.text)")

            // Back in the first slot, in place this time from the command line: every way acts on what serves.
            try await story.register("v3")
            let tool = CommandLine(database: story.running.databaseUrl)
            let rolled = try await tool(
                "instance",
                "deploy",
                made.instance,
                "--release",
                "v3",
                "--strategy",
                "rolling",
                "--data",
                dev.directory,
                "--json"
            )
            #expect(rolled.code == 0, "\(rolled.errors)")
            #expect(rolled.json["release"]?["version"] == "v3")
            // What is replaced in place goes on answering until the edge has noticed.
            try await eventually(within: .seconds(30), { "the release before still answers" }) {
                try await story.visit("acme")["X-Tenant-Image"] == "railzway:v3" ? () : nil
            }
            #expect(try await story.lease("acme") == ["holder": "b", "epoch": 2])
        }
    }

    @Test("a release that never is ready leaves the one before serving, and nothing behind")
    func unready() async throws {
        try await Story.told { story, _ in
            let made = try await story.provisioned("acme")
            let traffic = Traffic(story: story, slug: "acme")
            try await traffic.during {
                for version in ["v2-unready", "v2-unmigratable"] {
                    try await story.register(version)
                    let path = "/v1/instances/\(made.instance)/deploy"
                    let operation = try await story.start(path, ["version": .string(version)])
                    #expect(try await story.ended(operation, within: .seconds(120)) == "compensated")
                    let shown = try await story.instance(made.instance, becomes: "running")
                    #expect(shown["release"]?["version"] != .string(version))
                    #expect(shown["lastError"]?["class"] == "rolled-back")
                }
            }
            #expect(traffic.failures == [] && traffic.slots(of: "GET") == ["a"])
            #expect(try await story.lease("acme") == ["holder": "a", "epoch": 1])
            let nomad = Client(base: story.running.nomad, key: nil)
            for job in ["b", "b-migrate"] {
                let name = "railzway-org-\(made.organization)-\(job)"
                #expect(try await nomad.get("/v1/job/" + name).json["Stop"]?.bool == true)
                let items = try await nomad.get("/v1/var/nomad/jobs/" + name).json["Items"]?.object ?? [:]
                #expect(items["db_password"] == nil)
            }
        }
    }

    @Test("a process that is killed while traffic is divided leaves the change to the next one")
    func crashed() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        let made = try await dev.run { running in
            let story = Story(running: running)
            let made = try await story.provisioned("acme")
            try await story.register("v2")
            return made
        }.value
        let (operation, crashed) = try await dev.crash(after: 16, within: .seconds(60), operation: \.self) { story in
            try await story.start("/v1/instances/\(made.instance)/deploy", ["version": "v2"])
        }
        #expect(crashed)
        try await dev.run { running in
            let story = Story(running: running)
            #expect(try await story.ended(operation, within: .seconds(120)) == "completed")
            let page = try await story.reached("acme")
            #expect(page["X-Tenant-Slot"] == "b")
            #expect(try await story.lease("acme") == ["holder": "b", "epoch": 2])
            #expect(try await story.count(of: "instance.traffic-shifted") == 4)
        }
        #expect(dev.survivors == [])
    }
}

/// Reads and writes through the edge, one after the other and without a pause, from several clients at once.
private final class Traffic: Sendable {
    private struct Seen {
        var failures: [String] = []
        var slots: [String: Set<String>] = [:]
        var last: String?
    }

    private let story: Story
    private let slug: String
    private let seen = Mutex(Seen())

    init(story: Story, slug: String) {
        (self.story, self.slug) = (story, slug)
    }

    var failures: [String] { seen.withLock { $0.failures } }
    /// The slot that the last answer came from.
    var last: String? { seen.withLock { $0.last } }

    func slots(of method: String) -> Set<String> { seen.withLock { $0.slots[method] ?? [] } }

    func during<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for method in ["GET", "GET", "POST", "POST"] {
                group.addTask { while !Task.isCancelled { await self.ask(method) } }
            }
            let value: Value
            do {
                value = try await body()
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            try await group.waitForAll()
            return value
        }
    }

    private func ask(_ method: String) async {
        do {
            let edge = Client(base: story.running.edge ?? "", key: nil)
            let headers = ["Host": slug + ".localhost"]
            let answer = try await edge.send(method, method == "GET" ? "/" : "/visits", headers: headers)
            seen.withLock { seen in
                if answer.status != 200 { seen.failures.append("\(method) \(answer.status) \(answer.text)") }
                seen.last = answer["X-Tenant-Slot"]
                if let slot = seen.last { seen.slots[method, default: []].insert(slot) }
            }
        } catch {
            // The end of the test is no failure of the tenant.
            if !Task.isCancelled { seen.withLock { $0.failures.append("\(method) \(error)") } }
        }
    }
}

extension Story {
    /// Whose scheduler works, as the tenant itself says it.
    fileprivate func lease(_ slug: String) async throws -> JSONValue {
        let issues = try await visit(slug, "/ready").json["issues"]?.array ?? []
        let evidence = issues.first { $0["id"] == "scheduler_single_lease" }?["evidence"]
        return ["holder": evidence?["holder"] ?? nil, "epoch": evidence?["epoch"] ?? nil]
    }
}
