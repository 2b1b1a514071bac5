import Adapters
import Kernel
import Platform
import Testing

@Suite("Secrets in Nomad")
struct NomadSecretTests {
    private static let path = "nomad/jobs/" + Workload.sample.job
    private static let items = Dictionary(
        Workload.sample.secretEnvironment.values.map { ($0, Secret("value of " + $0)) }
    ) { first, _ in first }

    private func with(_ body: @escaping @Sendable (FakeNomad, NomadScheduler) async throws -> Void) async throws {
        let nomad = FakeNomad()
        try await withService {
            try await nomad.answer($0)
        } _: { base in
            let client = NomadClient(caller: HTTPCaller(client: OutboundClient.shared, base: base))
            try await body(nomad, NomadScheduler(client: client, specification: JobSpecification()))
        }
    }

    @Test("equal items are written once, changed ones again, and then nothing secret is left, nor written any more")
    func whole() async throws {
        try await with { nomad, scheduler in
            for _ in 0..<2 { try await scheduler.putSecret(Self.items, for: .sample) }
            #expect(await nomad.writes.count == 1)
            #expect(await nomad.variables[Self.path]?["Items"]?["db_password"]?.string == "value of db_password")
            var changed = Self.items
            changed["db_password"] = Secret("new")
            try await scheduler.putSecret(changed, for: .sample)
            #expect(await nomad.variables[Self.path]?["Items"]?["db_password"]?.string == "new")
            for _ in 0..<2 { try await scheduler.deleteSecret(for: .sample) }
            #expect(await nomad.writes.count == 3)
            let left = await nomad.variables[Self.path]?["Items"]?.object
            #expect(left?["sbx_stopped_by"]?.string == Workload.sample.owner.saga)
            #expect(Set((left ?? [:]).keys).isDisjoint(with: Self.items.keys))
            let late = await #expect(throws: PortError.self) {
                try await scheduler.putSecret(Self.items, for: .sample)
            }
            #expect(late?.code == "superseded")
        }
    }

    @Test("what is restored is written even when it never changed, so that a write under way comes too late")
    func restored() async throws {
        try await with { nomad, scheduler in
            let rotation = Workload.sample.with { $0.owner.saga = "rotation" }
            try await scheduler.putSecret(Self.items, for: .sample)
            let index = await nomad.variables[Self.path]?["ModifyIndex"]?.integer
            #expect(try await scheduler.restoreSecret(Self.items, for: rotation) == false)
            #expect(await nomad.variables[Self.path]?["ModifyIndex"]?.integer != index)
            // Once more: nobody knows any more what the first time found.
            #expect(try await scheduler.restoreSecret(Self.items, for: rotation))
            #expect(await nomad.writes.count == 2)
            var next = Self.items
            next["db_password"] = Secret("next")
            let late = await #expect(throws: PortError.self) { try await scheduler.putSecret(next, for: rotation) }
            #expect(late?.code == "superseded")
            let other = Workload.sample.with { $0.owner.saga = "another" }
            try await scheduler.putSecret(next, for: other)
            #expect(try await scheduler.restoreSecret(Self.items, for: other))
            #expect(await nomad.variables[Self.path]?["Items"]?["db_password"]?.string == "value of db_password")
        }
    }

    @Test("a newer generation's secret stays, an older one's is replaced")
    func generations() async throws {
        try await with { nomad, scheduler in
            let second = Workload.sample.with { $0.owner.generation = 2 }
            try await scheduler.putSecret(Self.items, for: .sample)
            try await scheduler.putSecret(Self.items, for: second)
            let error = await #expect(throws: PortError.self) {
                try await scheduler.putSecret(Self.items, for: .sample)
            }
            #expect(error?.code == "superseded")
            try await scheduler.deleteSecret(for: .sample)
            #expect(await nomad.variables[Self.path]?["Items"]?["sbx_generation"]?.string == "2")
        }
    }

    @Test("another's variable is neither overwritten nor deleted")
    func foreign() async throws {
        try await with { nomad, scheduler in
            await nomad.put(variable: ["Items": ["by": "hand"]], at: Self.path)
            let error = await #expect(throws: PortError.self) {
                try await scheduler.putSecret(Self.items, for: .sample)
            }
            #expect(error?.code == "nomad.name-taken")
            try await scheduler.deleteSecret(for: .sample)
            #expect(await nomad.variables[Self.path] != nil)
        }
    }

    @Test("a value that is missing or empty is an error that names the item and no value")
    func missing() async throws {
        try await with { nomad, scheduler in
            for broken in [nil, Secret("")] {
                let items = Self.items.filter { $0.key != "db_password" }
                    .merging(broken.map { ["db_password": $0] } ?? [:]) { _, new in new }
                let error = await #expect(throws: PortError.self) {
                    try await scheduler.putSecret(items, for: .sample)
                }
                #expect(error?.code == "nomad.specification")
                #expect(error?.message.contains("db_password") == true)
                #expect(error?.message.contains("value of") == false)
            }
            #expect(await nomad.writes == [])
        }
    }

    @Test("a conflict says nothing of what the variable holds")
    func conflict() async throws {
        try await with { nomad, scheduler in
            let body = #"{"Items":{"db_password":"hunter2"},"ModifyIndex":99}"#
            await nomad.answerNextWrite(with: .text(409, body))
            let error = await #expect(throws: PortError.self) {
                try await scheduler.putSecret(Self.items, for: .sample)
            }
            #expect(error?.code == "nomad.conflict")
            #expect("\(String(describing: error))".contains("hunter2") == false)
        }
    }
}
