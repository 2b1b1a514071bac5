import Adapters
import Kernel
import Platform
import Testing

@Suite("Health of a workload in Nomad")
struct NomadHealthTests {
    private func with(
        _ body: @escaping @Sendable (FakeNomad, NomadScheduler, RegisteredWorkload) async throws -> Void
    ) async throws {
        let nomad = FakeNomad()
        try await withService {
            try await nomad.answer($0)
        } _: { base in
            let client = NomadClient(caller: HTTPCaller(client: OutboundClient.shared, base: base))
            let scheduler = NomadScheduler(client: client, specification: JobSpecification())
            try await body(nomad, scheduler, try await scheduler.register(.sample))
        }
    }

    private static func deployment(_ status: String, version: Int64 = 0, _ description: String = "") -> JSONValue {
        [
            "ID": "d", "JobVersion": .integer(version), "Status": .string(status),
            "StatusDescription": .string(description),
            "TaskGroups": ["g": ["DesiredTotal": 1, "HealthyAllocs": 0]],
        ]
    }

    @Test("waits until the deployment of our version has succeeded")
    func waits() async throws {
        try await with { nomad, scheduler, registered in
            #expect(try await scheduler.health(of: registered, wait: .zero) == .deploying(reason: "not placed yet"))
            await nomad.deploy(Self.deployment("running"))
            #expect(try await scheduler.health(of: registered, wait: .zero) == .deploying(reason: "0 of 1 healthy"))
            async let health = scheduler.health(of: registered, wait: .seconds(4))
            try await eventually { await nomad.asked.filter { $0.hasSuffix("/deployments") }.count >= 4 }
            await nomad.deploy(Self.deployment("successful"))
            #expect(try await health == .healthy)
        }
    }

    @Test("the success of another version is not ours")
    func otherVersion() async throws {
        try await with { nomad, scheduler, registered in
            await nomad.deploy(Self.deployment("successful", version: 7))
            #expect(try await scheduler.health(of: registered, wait: .zero) == .deploying(reason: "not placed yet"))
            _ = try await scheduler.register(.sample.with { $0.memory = 8192 })
            let health = try await scheduler.health(of: registered, wait: .zero)
            #expect(health == .failed(reason: "version 1 of the job took the place of 0"))
        }
    }

    @Test("a failed deployment says what happened to the task")
    func failed() async throws {
        try await with { nomad, scheduler, registered in
            await nomad.deploy(Self.deployment("failed", "Failed due to unhealthy allocations"))
            await nomad.allocate([
                "ID": "a", "JobVersion": 0, "ClientStatus": "failed", "ModifyIndex": 1,
                "TaskStates": [
                    "railzway": [
                        "Events": [
                            ["Type": "Started", "Time": 1, "DisplayMessage": "Task started by client"],
                            ["Type": "Terminated", "Time": 2, "DisplayMessage": "Exit Code: 1"],
                        ]
                    ]
                ],
            ])
            let health = try await scheduler.health(of: registered, wait: .seconds(5))
            #expect(health == .failed(reason: "Failed due to unhealthy allocations (Exit Code: 1)"))
        }
    }

    @Test("without a node for it, it says what is missing")
    func capacity() async throws {
        try await with { nomad, scheduler, registered in
            await nomad.evaluate([
                "ID": "e", "Status": "blocked",
                "FailedTGAllocs": [
                    "g": ["ConstraintFiltered": ["${meta.tier} = team": 3], "DimensionExhausted": ["memory": 1]]
                ],
            ])
            let health = try await scheduler.health(of: registered, wait: .zero)
            #expect(health == .waitingForCapacity(reason: "no node has ${meta.tier} = team, not enough memory"))
        }
    }

    @Test("a job that was stopped or is gone has failed")
    func gone() async throws {
        try await with { _, scheduler, registered in
            try await scheduler.stop(.sample)
            #expect(
                try await scheduler.health(of: registered, wait: .seconds(5)) == .failed(reason: "the job was stopped")
            )
            let other = RegisteredWorkload(job: "railzway-org-9", version: 0, modifyIndex: 1, specHash: "")
            #expect(try await scheduler.health(of: other, wait: .seconds(5)) == .failed(reason: "the job is gone"))
        }
    }
}
