import Adapters
import Kernel
import Platform
import Testing

@Suite("Nomad scheduler")
struct NomadSchedulerTests {
    private let job = Workload.sample.job

    private func with(
        _ body: @escaping @Sendable (FakeNomad, NomadScheduler) async throws -> Void
    ) async throws {
        let nomad = FakeNomad()
        try await withService {
            try await nomad.answer($0)
        } _: { base in
            let caller = HTTPCaller(client: OutboundClient.shared, base: base)
            let client = NomadClient(caller: caller)
            try await body(nomad, NomadScheduler(client: client, specification: JobSpecification()))
        }
    }

    @Test("registers once, reads the true index back, and writes nothing the second time")
    func registersOnce() async throws {
        try await with { nomad, scheduler in
            #expect(try await scheduler.probe(.sample) == .absent)
            let first = try await scheduler.register(.sample)
            #expect(first.version == 0)
            #expect(first.modifyIndex < 1000)
            #expect(first.specHash.count == 64)
            #expect(try await scheduler.probe(.sample) == .present(first))
            #expect(try await scheduler.register(.sample) == first)
            #expect(await nomad.writes == ["PUT /v1/jobs"])
        }
    }

    @Test("a changed workload is a new version")
    func changes() async throws {
        try await with { _, scheduler in
            _ = try await scheduler.register(.sample)
            let bigger = Workload.sample.with { $0.memory = 8192 }
            #expect(try await scheduler.probe(bigger) == .absent)
            let second = try await scheduler.register(bigger)
            #expect(second.version == 1)
        }
    }

    @Test("whoever writes in between wins, and we read again")
    func overtaken() async throws {
        try await with { nomad, scheduler in
            let other = try JobSpecification().job(for: .sample.with { $0.priority = 1 })
            await nomad.overtake(with: other)
            let error = await #expect(throws: PortError.self) { try await scheduler.register(.sample) }
            #expect(error?.code == "nomad.conflict")
            #expect(try await scheduler.register(.sample).version == 1)
        }
    }

    @Test("an answer that was lost leaves a question, and asking again settles it")
    func lost() async throws {
        try await with { nomad, scheduler in
            await nomad.answerNextWrite(with: .text(500, "leadership lost while committing log"))
            let error = await #expect(throws: PortError.self) { try await scheduler.register(.sample) }
            guard case .unknown = error else { return #expect(Bool(false), "\(String(describing: error))") }
            guard case .present(let there) = try await scheduler.probe(.sample) else {
                return #expect(Bool(false), "not there")
            }
            #expect(try await scheduler.register(.sample) == there)
        }
    }

    @Test("another's job is neither overwritten nor stopped")
    func foreign() async throws {
        try await with { nomad, scheduler in
            await nomad.overtake(with: ["ID": .string(Workload.sample.job), "Meta": ["sbx_organization": "9"]])
            _ = try? await scheduler.register(.sample)
            let error = await #expect(throws: PortError.self) { try await scheduler.register(.sample) }
            #expect(error?.code == "nomad.name-taken")
            guard case .foreign = try await scheduler.probe(.sample) else { return #expect(Bool(false), "not foreign") }
            await nomad.forget()
            try await scheduler.stop(.sample)
            #expect(await nomad.writes == [])
        }
    }

    @Test("a newer generation ends the older one; an older one is replaced")
    func generations() async throws {
        try await with { nomad, scheduler in
            let second = Workload.sample.with { ($0.owner.generation, $0.owner.saga) = (2, "t") }
            _ = try await scheduler.register(.sample)
            #expect(try await scheduler.probe(second) == .absent)
            #expect(try await scheduler.register(second).version == 1)
            #expect(try await scheduler.probe(.sample) == .newer)
            let error = await #expect(throws: PortError.self) { try await scheduler.register(.sample) }
            #expect(error?.code == "superseded")
            await nomad.forget()
            try await scheduler.stop(.sample)
            #expect(await nomad.writes == [])
        }
    }

    @Test("stopping leaves a tombstone that a late registration of the same saga meets")
    func tombstone() async throws {
        try await with { nomad, scheduler in
            _ = try await scheduler.register(.sample)
            for _ in 0..<2 { try await scheduler.stop(.sample) }
            #expect(await nomad.jobs[Workload.sample.job]?["Stop"] == true)
            #expect(await nomad.writes == ["PUT /v1/jobs", "PUT /v1/jobs"])
            let error = await #expect(throws: PortError.self) { try await scheduler.register(.sample) }
            #expect(error?.code == "superseded")
            // A later saga of the same instance may start it again.
            let later = Workload.sample.with { $0.owner.saga = "later" }
            #expect(try await scheduler.register(later).version == 2)
        }
    }

    @Test("stopping what was never registered leaves a tombstone too, so that the request under way fails")
    func tombstoneFirst() async throws {
        try await with { nomad, scheduler in
            try await scheduler.stop(.sample)
            #expect(await nomad.jobs[Workload.sample.job]?["Stop"] == true)
            let late: JSONValue = [
                "Job": try JobSpecification().job(for: .sample), "EnforceIndex": true, "JobModifyIndex": 0,
            ]
            let answer = try await nomad.answer(
                Asked(
                    method: "PUT",
                    path: "/v1/jobs",
                    headers: [:],
                    body: String(decoding: try JSON.encode(late), as: UTF8.self)
                )
            )
            #expect(answer.status == 500)
        }
    }

    @Test("an agent that takes no notice of a tombstone is told the plain way")
    func fallback() async throws {
        try await with { nomad, scheduler in
            await nomad.ignoreStop()
            _ = try await scheduler.register(.sample)
            try await scheduler.stop(.sample)
            #expect(await nomad.writes.last == "DELETE /v1/job/\(Workload.sample.job)")
            #expect(await nomad.jobs[Workload.sample.job]?["Stop"] == true)
        }
    }

    @Test("what is left of a stopped workload is taken away, and nothing of one that runs, or of another")
    func purges() async throws {
        try await with { nomad, scheduler in
            try await scheduler.purge(.sample)
            _ = try await scheduler.register(.sample)
            let running = await #expect(throws: PortError.self) { try await scheduler.purge(.sample) }
            #expect(running?.code == "nomad.running")
            try await scheduler.deleteSecret(for: .sample)
            let second = Workload.sample.with { ($0.owner.generation, $0.owner.saga) = (2, "t") }
            _ = try await scheduler.register(second)
            try await scheduler.stop(second)
            try await scheduler.purge(.sample)
            #expect(await nomad.jobs[Workload.sample.job] != nil, "that is a newer generation's")
            for _ in 0..<2 { try await scheduler.purge(second) }
            #expect(await nomad.jobs.isEmpty)
            #expect(await nomad.variables.isEmpty)
        }
    }

    @Test("a workload that could never be registered can be stopped all the same")
    func impossible() async throws {
        try await with { nomad, scheduler in
            try await scheduler.stop(.sample.with { $0.cpu = 0 })
            #expect(await nomad.writes == [])
        }
    }

    @Test("nobody there is a matter of time")
    func unreachable() async throws {
        let caller = HTTPCaller(client: OutboundClient.shared, base: "http://127.0.0.1:1")
        let scheduler = NomadScheduler(client: NomadClient(caller: caller), specification: JobSpecification())
        let error = await #expect(throws: PortError.self) { try await scheduler.register(.sample) }
        guard case .transient(code: "nomad.unreachable", _, _) = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
    }
}
