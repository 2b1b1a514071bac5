import DevPlane
import Kernel
import SignalboxTestKit
import Testing

@Suite("Agent: jobs that end (a.4, a.11)")
struct AgentBatchTests {
    private func batch(_ id: String, _ script: String, attempts: JSONValue = 0) -> JSONValue {
        [
            "ID": .string(id), "Name": .string(id), "Type": "batch", "Datacenters": ["dc1"],
            "TaskGroups": [
                [
                    "Name": .string(id),
                    "RestartPolicy": [
                        "Attempts": attempts, "Interval": .integer(300 * TestJob.second),
                        "Delay": .integer(TestJob.second / 10), "Mode": "fail",
                    ],
                    "ReschedulePolicy": ["Unlimited": false, "Attempts": 0],
                    "Tasks": [
                        [
                            "Name": "railzway", "Driver": "docker",
                            "Config": ["image": "batch:1", "args": ["-c", .string(script)]],
                            "Resources": ["CPU": 100, "MemoryMB": 64],
                        ]
                    ],
                ]
            ],
        ]
    }

    private func withBatch(_ body: @Sendable @escaping (AgentWorld) async throws -> Void) async throws {
        try await withAgent({ $0.commands["batch:1"] = ["/bin/sh"] }, body)
    }

    @Test("one that ends well is complete, has no deployment, and is not run again until it was stopped")
    func complete() async throws {
        try await withBatch { world in
            let job = batch("once", "echo ran >> \(world.folder)/ran; exit 0")
            _ = try await world.register(job)
            try await eventually(within: .seconds(30)) {
                try await world.allocations("once").first?["ClientStatus"] == "complete"
            }
            #expect(try await world.deployment("once") == .null)
            try await eventually(within: .seconds(30)) { try await world.job("once")["Status"] == "dead" }
            // An unchanged registration makes a new evaluation, and nothing is to be done.
            let again = try await world.register(job)
            let id = try #require(again.json["EvalID"]?.string)
            try await eventually(within: .seconds(30)) {
                try await world.agent.get("/v1/evaluation/\(id)").json["Status"] == "complete"
            }
            #expect(try await world.allocations("once").count == 1)

            _ = try await world.agent.send("DELETE", "/v1/job/once")
            _ = try await world.register(job)
            try await eventually(within: .seconds(30)) {
                try await world.allocations("once").filter { $0["ClientStatus"] == "complete" }.count == 2
            }
        }
    }

    @Test("one that ends badly is tried again where it was, and then has failed")
    func failed() async throws {
        try await withBatch { world in
            _ = try await world.register(batch("bad", "exit 3", attempts: 1))
            try await eventually(within: .seconds(30)) {
                try await world.allocations("bad").first?["ClientStatus"] == "failed"
            }
            let allocations = try await world.allocations("bad")
            #expect(allocations.count == 1)
            #expect(allocations.first?["TaskStates"]?["railzway"]?["Restarts"]?.integer == 1)
        }
    }

    @Test("what only services have is refused")
    func refused() async throws {
        try await withBatch { world in
            let answer = try await world.register(TestJob.json("x", job: ["Type": "batch"]))
            #expect(answer.status == 500)
            #expect(answer.text.contains("does not allow update block"))
        }
    }
}
