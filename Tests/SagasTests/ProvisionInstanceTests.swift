import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Provisioning an instance")
struct ProvisionInstanceTests {
    @Test("a happy run records every intent before its effect and ends running")
    func happy() async throws {
        let simulation = try await Simulation()
        try await simulation.provision()

        #expect(try await simulation.violations() == [])
        let ids = try simulation.definition(SimulatedProcess()).steps.map(\.id)
        var expected = ["saga.started"]
        for id in ids { expected += ["saga.step-started \(id)", "saga.step-succeeded \(id)"] }
        expected.append("saga.completed")
        #expect(try simulation.sagaEvents().map(\.summary) == expected)
        #expect(expected.count <= 34)
    }

    @Test("its facts stand in the streams of the things they are about, with actor and correlation")
    func facts() async throws {
        let simulation = try await Simulation()
        try await simulation.provision()

        let events = simulation.log.events.filter { $0.stream.category != "saga" }
        #expect(
            events.map(\.type) == [
                "organization.created", "subscription.requested", "instance.requested",
                "instance.credentials-reserved", "organization.billing-customer-linked", "subscription.drafted",
                "instance.database-provisioned", "instance.isolation-applied", "instance.workload-registered",
                "instance.became-healthy", "instance.route-published", "subscription.activated", "instance.running",
            ]
        )
        let correlation = events[0].correlation
        for event in simulation.log.events.dropFirst(3) {
            #expect(event.actor == "saga-provision-instance")
            #expect(event.correlation == correlation)
            #expect(event.command == simulation.cause)
            #expect(event.organization == simulation.organization)
        }
    }

    @Test("no secret is in any event")
    func secrets() async throws {
        let simulation = try await Simulation()
        try await simulation.provision()

        let secrets = simulation.world.read { state in
            // Who logs in is no secret, but it changes together with the one that is.
            state.roles.values.map(\.password)
                + state.secrets.values.flatMap { $0.items.filter { $0.key != "db_user" }.values }
        }
        #expect(secrets.count > 4)
        for event in simulation.log.events {
            let payload = String(decoding: event.payload ?? [], as: UTF8.self)
            for secret in secrets { #expect(!payload.contains(secret.revealed)) }
        }
    }

    @Test("waiting is recorded when what is seen changes, not when one looks")
    func waiting() async throws {
        let simulation = try await Simulation()
        simulation.world.change { state in
            let deploying = WorkloadHealth.deploying(reason: "0 of 1 healthy")
            state.health = Array(repeating: deploying, count: 100) + [.waitingForCapacity(reason: "no node"), .healthy]
            state.routeProblems = Array(repeating: "no such router", count: 50)
        }
        try await simulation.provision()

        #expect(try await simulation.violations() == [])
        let events = try simulation.sagaEvents()
        #expect(events.filter { $0.name == .conditionChanged }.count == 3)
        #expect(events.count <= 34)
    }

    @Test("what is not configured is skipped")
    func skipped() async throws {
        let simulation = try await Simulation(settings: TenantSettings(), hasOAuth: false)
        try await simulation.provision()

        #expect(try await simulation.violations() == [])
        let skipped = try simulation.sagaEvents().compactMap { event -> String? in
            guard case .stepSucceeded(let fact) = event, fact.skipped == true else { return nil }
            return fact.step
        }
        #expect(skipped == ["ensure-oauth-client"])
        #expect(!simulation.world.read { $0.jobs.values.contains { $0.environment["OAUTH2_CLIENT_ID"] != nil } })
    }

    @Test("an outage is waited out, with a pause that is recorded", arguments: Self.calls)
    func outage(call: String) async throws {
        let simulation = try await Simulation()
        simulation.world.change {
            $0.refusals[call] = Array(repeating: .transient(code: "503", message: "unwell"), count: 3)
        }
        try await simulation.provision()

        #expect(try await simulation.violations() == [])
        let failures = try simulation.sagaEvents().compactMap { event -> SagaEvent.AttemptFailed? in
            guard case .stepAttemptFailed(let fact) = event else { return nil }
            return fact
        }
        #expect(failures.map(\.attempt) == [1, 2, 3])
        #expect(failures.allSatisfy { $0.failure == .transient && $0.retryAt != nil })
    }

    @Test("a step that is refused for good leaves nothing behind", arguments: Self.calls)
    func refused(call: String) async throws {
        let simulation = try await Simulation()
        // The undo of the activation may use the very call that is refused once.
        simulation.world.change { $0.refusals[call] = [.permanent(code: "400", message: "no\0 way")] }
        try await simulation.provision()

        #expect(try await simulation.status() == "compensated")
        #expect(try await simulation.violations() == [])
        let failed = simulation.log.events.last { $0.type == "instance.provisioning-failed" }
        let fact = try JSON.decode(InstanceEvent.ProvisioningFailed.self, from: try #require(failed?.payload))
        #expect(fact.failure == "permanent")
        #expect(fact.reason == "no way")
        #expect(fact.generation == 1)
    }

    @Test("an outage that does not end is taken back after half an hour")
    func patience() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.outages["ensureDatabase"] = .transient(code: "57P03", message: "starting up") }
        let begun = simulation.clock.ids.now()
        try await simulation.provision()

        #expect(try await simulation.status() == "compensated")
        #expect(try await simulation.violations() == [])
        #expect(simulation.clock.ids.now() - begun >= .seconds(30 * 60))
        #expect(simulation.clock.ids.now() - begun < .seconds(45 * 60))
        let failed = try simulation.operations().show
        let view = try await failed(simulation.cause)
        #expect(view.failure?.contains("create-database was not done in time") == true)
    }

    @Test("what only a person can mend waits for them, and goes on when they say so")
    func blocked() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.refusals["ensureRole"] = [.blocked(code: "unprepared", message: "not prepared")] }
        try await simulation.provision()
        #expect(try await simulation.status() == "parked")

        let deed = SagaDeed(actor: "operator-1", reason: "prepared it")
        try await simulation.operations().retry(simulation.cause, deed)
        try await simulation.settle(try simulation.engine())
        #expect(try await simulation.violations() == [])
        #expect(simulation.log.events.contains { $0.type == "saga.operator-acted" && $0.actor == "operator-1" })
    }

    @Test("one undo that fails does not keep the others from being done")
    func stubbornUndo() async throws {
        let simulation = try await Simulation()
        simulation.world.change { state in
            state.health = [.failed(reason: "crash loop")]
            state.outages["stop"] = .transient(code: "500", message: "no leader")
        }
        try await simulation.start()
        let engine = try simulation.engine()
        for _ in 0..<5 {
            _ = await engine.turn()
            simulation.clock.advance(.seconds(10))
        }
        #expect(try await simulation.status() == "compensating")
        #expect(simulation.world.read { $0.rotations } == 1)
        #expect(simulation.log.events.contains { $0.type == "subscription.abandoned" })
        // What the running job needs stays until the job is stopped.
        #expect(simulation.world.read { $0.databases.count } == 1)

        simulation.world.change { $0.outages = [:] }
        try await simulation.settle(engine)
        #expect(try await simulation.violations() == [])
    }

    @Test("an undo that never works is left to a person after a day")
    func givenUp() async throws {
        let simulation = try await Simulation()
        simulation.world.change { state in
            state.refusals["register"] = [.permanent(code: "400", message: "bad job")]
            state.outages["dropDatabase"] = .blocked(code: "42501", message: "no right")
        }
        let begun = simulation.clock.ids.now()
        try await simulation.provision()
        #expect(try await simulation.status() == "parked")
        #expect(simulation.clock.ids.now() - begun >= .seconds(24 * 3600))

        simulation.world.change { $0.outages = [:] }
        try await simulation.operations().retry(simulation.cause, SagaDeed(actor: "operator-1", reason: "granted"))
        try await simulation.settle(try simulation.engine())
        #expect(try await simulation.violations() == [])
    }

    @Test("after the pivot a failure is waited for, not taken back")
    func rollsForward() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.outages["activate"] = .transient(code: "503", message: "unwell") }
        try await simulation.start()
        let engine = try simulation.engine()
        _ = await engine.turn()
        simulation.world.change { $0.outages = [:] }
        try await simulation.settle(engine)
        #expect(try await simulation.violations() == [])
        let cancel = SagaOperationError.notPossible("the saga is completed")
        await #expect(throws: cancel) {
            try await simulation.operations().cancel(simulation.cause, SagaDeed(actor: "operator-1", reason: "late"))
        }
    }

    @Test("another's role or database is never touched")
    func foreign() async throws {
        let simulation = try await Simulation()
        let stranger = Ownership(organization: "9", instance: "99", generation: 1, saga: "x")
        simulation.world.change { $0.databases["railzway_org_42"] = stranger }
        try await simulation.provision()

        #expect(try await simulation.status() == "compensated")
        #expect(simulation.world.read { $0.databases["railzway_org_42"] } == stranger)
        #expect(simulation.world.read { $0.roles.isEmpty })
    }

    @Test("a failed provisioning is tried again as the next generation, with names of its own")
    func nextGeneration() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.refusals["register"] = [.permanent(code: "400", message: "bad job")] }
        try await simulation.provision()
        #expect(try await simulation.stage() == .provisioningFailed)

        let again = simulation.clock.ids.unique()
        let stream = StreamName(category: "instance", id: simulation.instance)
        let version = try #require(simulation.log.events.last { $0.stream == stream }).version
        let retry = InstanceEvent.retryRequested(.init(generation: 2))
        _ = try await simulation.log.append(
            AppendRequest(
                causation: Causation(actor: "user-7", command: simulation.clock.ids.unique()),
                writes: [
                    StreamWrite(
                        stream,
                        expecting: .version(version),
                        events: [NewEvent(id: again, type: retry.name.rawValue, payload: try retry.payload())]
                    )
                ]
            )
        )
        try await simulation.start()
        try await simulation.settle(try simulation.engine())

        #expect(try await simulation.status(again) == "completed")
        #expect(try await simulation.stage() == .running)
        simulation.world.read { state in
            #expect(Array(state.databases.keys) == ["railzway_org_42_g2"])
            #expect(Array(state.roles.keys) == ["railzway_user_42_g2"])
            #expect(state.jobs["railzway-org-42"]?.isStopped == false)
            // The draft that nobody had paid for is used again.
            #expect(state.subscriptions.map(\.status) == [.active])
            #expect(state.customers.count == 1)
        }
    }

    /// Every call to the outside that a provisioning begins a step's effect with.
    static let calls = [
        "ensureCustomer", "ensureDraft", "ensureRole", "ensureDatabase", "isolate", "ensureClient", "putSecret",
        "readJob", "register", "health", "problem", "subscription", "activate",
    ]
}

extension SagaEvent {
    /// Its name, and the step it is about.
    var summary: String {
        switch self {
        case .stepStarted(let fact), .undoStarted(let fact): "\(name.rawValue) \(fact.step)"
        case .stepSucceeded(let fact): "\(name.rawValue) \(fact.step)"
        case .stepAttemptFailed(let fact), .undoAttemptFailed(let fact): "\(name.rawValue) \(fact.step)"
        case .undoSucceeded(let fact): "\(name.rawValue) \(fact.step)"
        default: name.rawValue
        }
    }
}
