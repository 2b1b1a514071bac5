import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Synchronization
import Testing

@testable import Sagas

@Suite("Saga engine")
struct EngineTests {
    @Test("a build that does not know what is under way refuses to start")
    func boot() async throws {
        let simulation = try await Simulation()
        try await simulation.start()
        #expect(try await simulation.engine().unknownSagas() == nil)

        let known = try simulation.definition(SimulatedProcess())
        let shorter = { version in
            SagaDefinition(
                kind: known.kind,
                version: version,
                steps: known.steps.dropLast(),
                begin: known.begin,
                scope: known.scope,
                failed: known.failed
            )
        }
        let stream = try simulation.stream()
        let missingStep = try await simulation.engine(definition: shorter(1)).unknownSagas()
        #expect(missingStep?.unknown == ["\(stream) (steps mark-running)"])
        let missingVersion = try await simulation.engine(definition: shorter(2)).unknownSagas()
        #expect(missingVersion?.unknown == ["\(stream) (version 1 of provision-instance)"])

        let other = SagaDefinition(
            kind: "other",
            version: 1,
            steps: [],
            begin: known.begin,
            scope: known.scope,
            failed: known.failed
        )
        let missingKind = try await simulation.engine(definition: other).unknownSagas()
        #expect(missingKind?.unknown == ["\(stream) (kind provision-instance)"])
    }

    @Test("sagas that have ended keep no build from starting")
    func bootAfterTheEnd() async throws {
        let simulation = try await Simulation()
        try await simulation.provision()
        let other = try simulation.definition(SimulatedProcess()).renamed("other")
        #expect(try await simulation.engine(definition: other).unknownSagas() == nil)
    }

    @Test("an event starts one saga, however often it is read")
    func startedOnce() async throws {
        let simulation = try await Simulation()
        for _ in 0..<3 { try await simulation.start() }
        #expect(simulation.log.events.filter { $0.type == "saga.started" }.count == 1)

        let checkpoint = MemoryCheckpoint()
        while try await simulation.starter(at: checkpoint).turn() {}
        #expect(try await checkpoint.position() > 0)
    }

    @Test("a stop ends the run after the step under way, and gives the lease back")
    func stop() async throws {
        let simulation = try await Simulation()
        try await simulation.start()
        let box = Mutex<SagaEngine?>(nil)
        let stopping = try simulation.engine(
            SimulatedProcess { _, point in
                if point == .before("isolate") { box.withLock { $0 }?.stop() }
                return .go
            }
        )
        box.withLock { $0 = stopping }
        await stopping.run()
        #expect(try simulation.sagaEvents().map(\.summary).contains("saga.step-succeeded isolate-database"))
        #expect(try await simulation.status() == "running")

        // No time has to pass before another takes over.
        #expect(await (try simulation.engine()).turn() == 1)
        #expect(try await simulation.violations() == [])
    }

    @Test("two sagas of one lane take turns")
    func lane() async throws {
        let simulation = try await Simulation()
        try await simulation.start()
        let again = simulation.clock.ids.unique()
        let stream = StreamName(category: "instance", id: simulation.instance)
        let retry = InstanceEvent.retryRequested(.init(generation: 2))
        _ = try await simulation.log.append(
            AppendRequest(
                causation: Causation(actor: "user-7", command: simulation.clock.ids.unique()),
                writes: [
                    StreamWrite(
                        stream,
                        expecting: .version(1),
                        events: [NewEvent(id: again, type: retry.name.rawValue, payload: try retry.payload())]
                    )
                ]
            )
        )
        simulation.world.change { $0.refusals["ensureCustomer"] = [.blocked(code: "402", message: "no quota")] }
        try await simulation.start()
        _ = await (try simulation.engine()).turn()
        _ = await (try simulation.engine()).turn()
        // The first is parked and holds the lane.
        let statuses = [try await simulation.status(), try await simulation.status(again)]
        #expect(Set(statuses) == ["parked", "queued"])
    }

    @Test("an operator parks, resumes and cancels, each with the version that was seen")
    func operators() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.outages["ensureRole"] = .transient(code: "57P03", message: "starting up") }
        try await simulation.start()
        let engine = try simulation.engine()
        let operations = try simulation.operations()
        let tooEarly = SagaOperationError.notPossible("the saga has not begun")
        await #expect(throws: tooEarly) { try await operations.park(simulation.cause, .byOperator) }
        _ = await engine.turn()
        #expect(try await simulation.status() == "waiting")
        #expect(try await operations.list().data.map(\.step) == ["create-role"])

        let view = try await operations.show(simulation.cause)
        #expect(view.steps.first { $0.id == "create-role" }?.lastError == "transient 57P03: starting up")
        var stale = SagaDeed.byOperator
        stale.expectedVersion = view.version - 1
        await #expect(throws: SagaOperationError.conflict(actual: view.version)) {
            try await operations.park(simulation.cause, stale)
        }
        try await operations.park(simulation.cause, .byOperator)
        #expect(try await simulation.status() == "parked")
        simulation.clock.advance(.seconds(3600))
        #expect(await engine.turn() == 0)

        try await operations.resume(simulation.cause, .byOperator)
        _ = await engine.turn()
        #expect(try await simulation.status() == "waiting")

        try await operations.cancel(simulation.cause, .byOperator)
        try await simulation.settle(engine)
        #expect(try await simulation.status() == "compensated")
        #expect(try await simulation.violations() == [])
        await #expect(throws: SagaOperationError.notFound) {
            try await operations.show(simulation.clock.ids.unique())
        }
    }

    @Test("a cancellation interrupts a wait")
    func cancelWhileWaiting() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.health = [.deploying(reason: "0 of 1 healthy")] }
        let looks = SimulatedProcess { number, point in
            if number > 80, point == .before("health") { await simulation.deleteOrganization() }
            return .go
        }
        try await simulation.provision(looks)
        #expect(try await simulation.status() == "compensated")
        #expect(try await simulation.violations() == [])
    }

    @Test("a workload that is never healthy is taken back, one without room waits for a person")
    func health() async throws {
        for (health, status) in [
            (WorkloadHealth.deploying(reason: "0 of 1 healthy"), "compensated"),
            (.waitingForCapacity(reason: "no node with team"), "parked"),
            (.failed(reason: "crash loop"), "compensated"),
        ] {
            let simulation = try await Simulation(settings: TenantSettings(healthPatience: .seconds(10)))
            simulation.world.change { $0.health = [health] }
            try await simulation.provision()
            #expect(try await simulation.status() == status)
        }
    }
}

extension SagaDeed {
    static let byOperator = SagaDeed(actor: "operator-1", reason: "a test")
}

extension SagaDefinition {
    func renamed(_ kind: String) -> SagaDefinition {
        SagaDefinition(kind: kind, version: version, steps: steps, begin: begin, scope: scope, failed: failed)
    }
}
