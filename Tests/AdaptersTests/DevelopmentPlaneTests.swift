import Adapters
import DevPlane
internal import FoundationEssentials
import Kernel
import Logging
import Platform
import Testing

/// The adapters against the plane that `signalbox dev` embeds: both were written from the same page, apart.
@Suite("The adapters on the development plane")
struct DevelopmentPlaneTests {
    private static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static let specification = JobSpecification(
        .init(
            development: true,
            timing: WorkloadTiming(
                minimumHealthy: .milliseconds(500),
                healthyDeadline: .seconds(30),
                progressDeadline: .seconds(40),
                checkInterval: .seconds(1),
                checkTimeout: .seconds(1)
            )
        )
    )

    /// Serves `/health`, with the password it was given as its content.
    private static let task = """
        mkdir -p site && printf '%s' "$DB_PASSWORD" > site/health && cd site \
        && exec python3 -m http.server --bind 127.0.0.1 "$NOMAD_HOST_PORT_http"
        """

    private func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "sbx-adapters-\(UInt64.random(in: .min ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.path)
    }

    private func withNomad(
        _ faults: Faults = Faults(),
        _ body: @escaping @Sendable (NomadScheduler, NomadClient) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            var configuration = NomadAgent.Configuration(
                directory: folder + "/agent",
                runDirectory: folder + "/run",
                port: 0,
                command: ["/bin/sh", "-c", Self.task]
            )
            configuration.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
            let agent = NomadAgent(configuration, faults: faults, logger: Self.quiet)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await agent.run()
                    return false
                }
                group.addTask {
                    let base = "http://127.0.0.1:\(try await agent.port)"
                    let client = NomadClient(caller: HTTPCaller(client: OutboundClient.shared, base: base))
                    try await body(NomadScheduler(client: client, specification: Self.specification), client)
                    return true
                }
                // The agent ends when it is cancelled, and its tasks with it; that is waited for.
                while let isTest = try await group.next() {
                    if isTest { group.cancelAll() }
                }
            }
        }
    }

    private func secret(_ password: String = "hunter2") -> [String: Secret] {
        var items = Dictionary(Workload.sample.secretEnvironment.values.map { ($0, Secret("x")) }) { first, _ in first }
        items["db_password"] = Secret(password)
        return items
    }

    private func healthy(_ scheduler: NomadScheduler, _ registered: RegisteredWorkload) async throws {
        let end = ContinuousClock.now + .seconds(30)
        var health = WorkloadHealth.deploying(reason: "")
        while ContinuousClock.now < end, health != .healthy {
            health = try await scheduler.health(of: registered, wait: .seconds(5))
            if case .failed(let reason) = health {
                Issue.record("failed: \(reason)")
                return
            }
        }
        #expect(health == .healthy)
    }

    @Test("a workload is registered, becomes healthy, changes, stops, and stays stopped")
    func lifecycle() async throws {
        try await withNomad { scheduler, client in
            #expect(try await scheduler.probe(.sample) == .absent)
            for _ in 0..<2 { try await scheduler.putSecret(secret(), for: .sample) }
            let first = try await scheduler.register(.sample)
            #expect(try await scheduler.register(.sample) == first)
            #expect(try await scheduler.probe(.sample) == .present(first))
            try await healthy(scheduler, first)
            #expect(try await scheduler.probe(.sample) == .present(first))

            let changed = Workload.sample.with { $0.environment["QUOTA_ORG_CUSTOMER"] = "6000" }
            #expect(try await scheduler.probe(changed) == .absent)
            let second = try await scheduler.register(changed)
            #expect(second.version == first.version + 1)
            #expect(second.modifyIndex > first.modifyIndex)

            #expect(try await scheduler.isAtRest(.sample) == false)
            for _ in 0..<2 { try await scheduler.stop(.sample) }
            #expect(try await scheduler.probe(.sample) == .absent)
            while try await !scheduler.isAtRest(.sample) { try await Task.sleep(for: .milliseconds(20)) }
            let late = await #expect(throws: PortError.self) { try await scheduler.register(.sample) }
            #expect(late?.code == "superseded")
            guard case .failed = try await scheduler.health(of: second, wait: .zero) else {
                return #expect(Bool(false), "a stopped workload has not failed")
            }
            // A later saga starts it again, and stops it again.
            let later = changed.with { $0.owner.saga = "later" }
            try await healthy(scheduler, try await scheduler.register(later))
            #expect(try await scheduler.isAtRest(later) == false)
            try await scheduler.stop(.sample)
            for _ in 0..<2 { try await scheduler.deleteSecret(for: .sample) }
            let left = try #require(try await client.variable(NomadVariable.path(job: Workload.sample.job)))
            #expect(Set(left.items.keys).isDisjoint(with: secret().keys))
            let zombie = await #expect(throws: PortError.self) {
                try await scheduler.putSecret(secret(), for: .sample)
            }
            #expect(zombie?.code == "superseded")
            for _ in 0..<2 { try await scheduler.purge(.sample) }
            #expect(try await client.job(Workload.sample.job) == nil)
            #expect(try await client.variable(NomadVariable.path(job: Workload.sample.job)) == nil)
        }
    }

    @Test("a changed secret starts the task anew as the same version, and so does asking for it")
    func restart() async throws {
        try await withNomad { scheduler, _ in
            try await scheduler.putSecret(secret(), for: .sample)
            let registered = try await scheduler.register(.sample)
            try await healthy(scheduler, registered)
            func started(after known: [String: String]) async throws -> [String: String] {
                let end = ContinuousClock.now + .seconds(30)
                while ContinuousClock.now < end {
                    let now = try await scheduler.starts(of: .sample)
                    if !now.isEmpty, now != known, try await scheduler.condition(of: .sample) == .healthy { return now }
                    try await Task.sleep(for: .milliseconds(50))
                }
                Issue.record("it was not started anew")
                return known
            }
            let first = try await scheduler.starts(of: .sample)
            #expect(first.count == 1)
            try await scheduler.putSecret(secret("changed"), for: .sample)
            let second = try await started(after: first)
            // Whoever names an earlier start has been obeyed already.
            try await scheduler.restart(.sample, startedAt: first)
            #expect(try await scheduler.starts(of: .sample) == second)
            try await scheduler.restart(.sample, startedAt: second)
            let third = try await started(after: second)
            #expect(third.keys == second.keys)
            #expect(try await scheduler.probe(.sample) == .present(registered))

            let foreign = Workload.sample.with { $0.owner.instance = "1" }
            let error = await #expect(throws: PortError.self) {
                try await scheduler.restart(foreign, startedAt: third)
            }
            #expect(error?.code == "nomad.not-running")
            try await scheduler.stop(.sample)
            #expect(try await scheduler.condition(of: .sample) == .failed(reason: "it is stopped"))
            await #expect(throws: PortError.self) { try await scheduler.starts(of: .sample) }
        }
    }

    @Test("a change of resources is looked at before, promoted when its canary is well, and taken back")
    func plans() async throws {
        try await withNomad { scheduler, _ in
            try await scheduler.putSecret(secret(), for: .sample)
            let first = try await scheduler.register(.sample)
            #expect(try await scheduler.promote(first) || true)
            try await healthy(scheduler, first)
            #expect(try await scheduler.promote(first))
            let larger = Workload.sample.with { $0.memory = 5000 }
            #expect(try await scheduler.preview(larger) == nil)
            #expect(try await scheduler.preview(.sample.with { $0.memory = 50_000_000 }) == "not enough memory")
            #expect(try await scheduler.probe(.sample) == .present(first))

            let second = try await scheduler.register(larger)
            let end = ContinuousClock.now + .seconds(30)
            while ContinuousClock.now < end, !(try await scheduler.promote(second)) {
                try await Task.sleep(for: .milliseconds(50))
            }
            try await healthy(scheduler, second)
            let third = try await scheduler.restore(.sample)
            #expect(third.version > second.version)
            while ContinuousClock.now < end, !(try await scheduler.promote(third)) {
                try await Task.sleep(for: .milliseconds(50))
            }
            try await healthy(scheduler, third)
            // Nothing to change is a change of the index all the same, for a registration that is on its way.
            let fourth = try await scheduler.restore(.sample)
            #expect(fourth.modifyIndex > third.modifyIndex)
            #expect(try await scheduler.probe(.sample) == .present(fourth))
        }
    }

    @Test("a tombstone that comes first keeps a registration under way out, and a new generation may come")
    func tombstone() async throws {
        try await withNomad { scheduler, client in
            try await scheduler.stop(.sample)
            let job = try Self.specification.job(for: .sample)
            let late = await #expect(throws: PortError.self) { try await client.register(job, ifIndexIs: 0) }
            #expect(late?.code == "nomad.conflict")
            let retry = Workload.sample.with { ($0.owner.generation, $0.owner.saga) = (2, "retry") }
            try await scheduler.putSecret(secret(), for: retry)
            let stopped = try await scheduler.list(jobsFrom: retry.job)
            #expect(stopped.items.map(\.isStopped) == [true] && stopped.items.map(\.isStoppedByUs) == [true])
            let registered = try await scheduler.register(retry)
            try await healthy(scheduler, registered)
            #expect(try await scheduler.probe(.sample) == .newer)
            var owner = retry.owner
            owner.saga = ""
            let running = ListedJob(
                job: retry.job,
                owner: owner,
                isStopped: false,
                isStoppedByUs: false,
                modifyIndex: registered.modifyIndex
            )
            #expect(try await scheduler.list(jobsFrom: retry.job) == Listing([running]))
            #expect(try await scheduler.list(jobsFrom: "nobody") == Listing([]))
        }
    }

    @Test("a registration whose answer was lost is found")
    func lostAnswer() async throws {
        let faults = Faults()
        faults.add(.dropAnswer, method: "PUT", path: "/v1/jobs")
        try await withNomad(faults) { scheduler, _ in
            let error = await #expect(throws: PortError.self) { try await scheduler.register(.sample) }
            guard case .unknown = error else { return #expect(Bool(false), "\(String(describing: error))") }
            guard case .present = try await scheduler.probe(.sample) else {
                return #expect(Bool(false), "it was not registered")
            }
        }
    }

    @Test("a subscription goes its way at the development billing engine")
    func billing() async throws {
        try await withFolder { folder in
            let prices = [BillingEngine.SeedPrice(code: "team-monthly", name: "Team", currency: "USD", amount: 9900)]
            let engine = BillingEngine(
                .init(directory: folder + "/billing", apiKey: "vk_live_key_1_s", prices: prices),
                logger: Self.quiet
            )
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await engine.run()
                    return false
                }
                group.addTask {
                    let base = "http://127.0.0.1:\(try await engine.port)"
                    let headers = BillingClient.headers(key: Secret("vk_live_key_1_s"))
                    try await story(
                        BillingClient(caller: HTTPCaller(client: OutboundClient.shared, base: base, headers: headers))
                    )
                    return true
                }
                while let isTest = try await group.next() {
                    if isTest { group.cancelAll() }
                }
            }
        }
    }

    private func story(_ billing: BillingClient) async throws {
        let customer = try await billing.ensureCustomer(email: "org_42@railzway.com", name: "Acme", key: "c")
        #expect(try await billing.ensureCustomer(email: "org_42@railzway.com", name: "Acme", key: "c") == customer)
        let price = BillingPrice(code: "team-monthly", currency: "USD", amount: 9900)
        let draft = try await billing.ensureDraft(customer: customer, price: price, key: "s")
        #expect(draft.status == .draft)
        #expect(try await billing.ensureDraft(customer: customer, price: price, key: "s") == draft)
        let early = await #expect(throws: PortError.self) { try await billing.cancel(draft.id) }
        #expect(early?.code == "billing.draft")
        for _ in 0..<2 { try await billing.activate(draft.id) }
        let listed = Listing([ListedSubscription(id: draft.id, status: .active, key: "s")])
        #expect(try await billing.listSubscriptions() == listed)
        #expect(try await billing.subscription(draft.id).status == .active)
        for round in 0..<2 {
            for _ in 0..<2 { try await billing.pause(draft.id, key: "p\(round)") }
            #expect(try await billing.subscription(draft.id).status == .paused)
            for _ in 0..<2 { try await billing.resume(draft.id, key: "r\(round)") }
            #expect(try await billing.subscription(draft.id).status == .active)
        }
        for _ in 0..<2 { try await billing.cancel(draft.id) }
        let over = await #expect(throws: PortError.self) { try await billing.pause(draft.id, key: "p") }
        #expect(over?.code == "billing.canceled")
        #expect(try await billing.subscription(draft.id).status == .cancelled)
        let late = await #expect(throws: PortError.self) { try await billing.activate(draft.id) }
        #expect(late?.code == "billing.canceled")
        // No key may change the items of a subscription, so another way has to be gone.
        #expect(try await billing.changeItems(of: draft.id, to: price, key: "i") == false)
        let wrong = BillingPrice(code: "team-monthly", currency: "USD", amount: 1)
        let differs = await #expect(throws: PortError.self) {
            try await billing.ensureDraft(customer: customer, price: wrong, key: "t")
        }
        #expect(differs?.code == "billing.price-differs")
        let nobody = await #expect(throws: PortError.self) { try await billing.subscription("9999") }
        #expect(nobody?.code == "billing.not_found")
    }
}
