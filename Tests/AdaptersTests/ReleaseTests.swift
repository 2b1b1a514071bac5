import Adapters
import Kernel
import Platform
import Postgres
import SignalboxTestKit
import Testing

@Suite("What a change of the release asks of the targets")
struct ReleaseTests {
    @Test("what runs once is a batch job without services, updates or ports")
    func batch() throws {
        let job = try JobSpecification().job(for: .sample.with { $0.once = ["migrate"] })
        let group = job["TaskGroups"]?.array?.first
        #expect(job["Type"] == "batch")
        for name in ["Services", "Update", "Migrate", "Networks"] { #expect(group?[name] == nil) }
        #expect(group?["ReschedulePolicy"]?["Attempts"]?.integer == 0)
        let config = group?["Tasks"]?.array?.first?["Config"]
        #expect(config?["args"] == ["migrate"] && config?["ports"] == nil)
    }

    @Test("its end is that of the registered version's allocation")
    func end() async throws {
        let nomad = FakeNomad()
        try await withService {
            try await nomad.answer($0)
        } _: { base in
            let client = NomadClient(caller: HTTPCaller(client: OutboundClient.shared, base: base))
            let scheduler = NomadScheduler(client: client, specification: JobSpecification())
            let registered = try await scheduler.register(.sample.with { $0.once = ["migrate"] })
            #expect(try await scheduler.end(of: registered) == .running(reason: "not placed yet"))
            func allocate(_ status: JSONValue, failed: Bool = false, version: JSONValue = 0) async {
                await nomad.allocate([
                    "ID": "a", "JobVersion": version, "ClientStatus": status, "ModifyIndex": 1, "DesiredStatus": "run",
                    "TaskStates": [
                        "railzway": [
                            "State": "dead", "Failed": .bool(failed),
                            "Events": [["Time": 1, "DisplayMessage": "Exit Code: 1"]],
                        ]
                    ],
                ])
            }
            await allocate("running")
            #expect(try await scheduler.end(of: registered) == .running(reason: "it is running"))
            await allocate("complete", version: 7)
            #expect(try await scheduler.end(of: registered) == .running(reason: "not placed yet"))
            await allocate("complete")
            #expect(try await scheduler.end(of: registered) == .succeeded)
            await allocate("failed", failed: true)
            #expect(try await scheduler.end(of: registered) == .failed(reason: "Exit Code: 1"))
            try await scheduler.stop(.sample.with { $0.once = ["migrate"] })
            #expect(try await scheduler.end(of: registered) == .failed(reason: "the job was stopped"))
        }
    }

    @Test("a route is live when rule, weights and the router for reads are as they should be")
    func edge() async throws {
        let service: JSONValue = [
            "weighted": ["services": [["name": "s@nomad", "weight": 90], ["name": "s-b@nomad", "weight": 10]]]
        ]
        let one: JSONValue = ["weighted": ["services": [["name": "s@nomad", "weight": 100]]]]
        let answers: [String: JSONValue] = [
            "/api/http/routers/org-1@http": ["status": "enabled", "rule": "Host(`h`)"],
            "/api/http/services/org-1@http": one,
            "/api/http/routers/org-1-read@http": [
                "status": "enabled", "rule": "Host(`h`) && (Method(`GET`) || Method(`HEAD`))",
            ],
            "/api/http/services/org-1-read@http": service,
        ]
        try await withService { asked in
            answers[asked.path.replacing("%40", with: "@")].map { .json($0) } ?? .text(404, "")
        } _: { (base) async throws in
            let edge = TraefikEdge(caller: HTTPCaller(client: OutboundClient.shared, base: base))
            func problem(_ services: [String: Int], _ reads: [String: Int]?) async throws -> String? {
                try await edge.problem(
                    with: Route(router: "org-1", host: "h", services: services, reads: reads)
                )
            }
            #expect(try await problem(["s": 100], ["s": 90, "s-b": 10]) == nil)
            #expect(try await problem(["s": 100], ["s": 50, "s-b": 50])?.contains("otherwise") == true)
            #expect(try await problem(["s": 100], nil)?.contains("for reads") == true)
            #expect(try await problem(["s-b": 100], nil)?.contains("otherwise") == true)
        }
    }

    @Test("readiness is read from the body, and the lease alone is no problem for one that stands by")
    func readiness() async throws {
        let body: JSONValue = [
            "ready": false,
            "issues": [
                ["id": "scheduler_single_lease", "status": "not_ready"], ["id": "schema_gate", "status": "ready"],
            ],
        ]
        let answers: [String: Answer] = [
            "/lease/ready": .json(body), "/broken/ready": .text(200, "hello"), "/old/ready": .text(404, ""),
            "/sick/ready": .text(500, ""),
        ]
        try await withService { asked in
            answers[asked.path] ?? .text(404, "")
        } _: { base in
            let tenants = TenantHTTP(client: OutboundClient.shared, timeout: .seconds(30))
            let standing = try await tenants.readiness(at: base + "/lease")
            #expect(standing.problem(standingBy: true) == nil)
            #expect(standing.problem(standingBy: false)?.contains("scheduler_single_lease") == true)
            #expect(try await tenants.readiness(at: base + "/old").isReady)
            #expect(try await tenants.readiness(at: base + "/sick").problem(standingBy: true) != nil)
            await #expect(throws: PortError.self) { try await tenants.readiness(at: base + "/broken") }
        }
        #expect(TenantReadiness(isReady: false).problem(standingBy: true) == "it is not ready")
    }

    @Test("the scheduler lease goes to a slot once, with an epoch that grows, and only in a database of ours")
    func lease() async throws {
        let cluster = try await TenantCluster.shared()
        let (database, _) = try await cluster.provisioned()
        let tenants = cluster.tenants()
        func give(_ slot: String) async throws -> Int64 {
            try await tenants.handOverLease(of: database, to: slot, fence: "test")
        }
        #expect(try await give("a") == 1)
        #expect(try await give("b") == 2)
        #expect(try await give("b") == 2)
        #expect(try await give("a") == 3)
        var foreign = database
        foreign.owner.instance = "9"
        await #expect(throws: PortError.self) {
            try await tenants.handOverLease(of: foreign, to: "b", fence: "test")
        }
    }
}
