import Commands
import Domain
import EventStore
import Kernel
import Logging
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("The reconciler, with the repairs it starts")
struct ReconcilerTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func reconciler(_ simulation: Simulation) -> Reconciler {
        Reconciler(
            log: simulation.log,
            queue: simulation.log,
            inventory: WorldInventory(world: simulation.world),
            names: Names(),
            owner: "test",
            ids: simulation.clock.ids,
            logger: quiet
        )
    }

    private func definitions(_ simulation: Simulation) throws -> [SagaDefinition] {
        SagaRegistry.definitions(try simulation.ports(SimulatedProcess()))
    }

    /// Two sweeps, far enough apart, and everything that they start.
    @discardableResult
    private func sweep(_ simulation: Simulation, _ state: inout Reconciler.Sweep) async throws -> Planner.Plan {
        let reconciler = reconciler(simulation)
        _ = try await reconciler.sweep(&state)
        simulation.clock.advance(.seconds(60))
        let plan = try await reconciler.sweep(&state)
        try await work(simulation)
        return plan
    }

    private func work(_ simulation: Simulation) async throws {
        let definitions = try definitions(simulation)
        let starter = Starter(
            log: simulation.log,
            queue: simulation.log,
            checkpoint: MemoryCheckpoint(),
            definitions: definitions,
            ids: simulation.clock.ids,
            logger: quiet
        )
        while try await starter.turn() {}
        let engine = SagaEngine(
            log: simulation.log,
            queue: simulation.log,
            definitions: definitions,
            owner: "test",
            ids: simulation.clock.ids,
            logger: quiet,
            pausing: { span in simulation.clock.advance(span) }
        )
        try await simulation.settle(engine)
    }

    private func provisioned() async throws -> Simulation {
        let simulation = try await Simulation()
        try await simulation.provision()
        #expect(try await simulation.status() == "completed")
        return simulation
    }

    private func repairs(_ simulation: Simulation) async throws -> [WorkItem] {
        let all = SagaEngine.activeStatuses + WorkFilter.ends
        return try await simulation.log.list(kinds: [RepairInstance.kind], statuses: all)
    }

    private func types(_ simulation: Simulation) -> [String] {
        simulation.log.events.filter { $0.stream.category == "instance" }.map(\.type)
    }

    @Test("leaves alone what is as it should be")
    func nothing() async throws {
        let simulation = try await provisioned()
        let size = simulation.log.events.count
        var state = Reconciler.Sweep()
        for _ in 0..<3 { #expect(try await sweep(simulation, &state) == Planner.Plan()) }
        #expect(simulation.log.events.count == size)
    }

    @Test("a job that is gone is registered again, and the drift is over then")
    func job() async throws {
        let simulation = try await provisioned()
        simulation.world.change { $0.jobs = [:] }
        var state = Reconciler.Sweep()
        try await sweep(simulation, &state)
        #expect(try await repairs(simulation).map(\.status) == ["completed"])
        #expect(simulation.world.read { $0.jobs.values.map(\.isStopped) } == [false])
        try await sweep(simulation, &state)
        #expect(
            types(simulation).filter { $0.hasPrefix("instance.drift") } == [
                "instance.drift-detected", "instance.drift-repaired",
            ]
        )
        #expect(try await simulation.violations() == [])
    }

    @Test("a database that is gone parks its repair, and is never made again")
    func database() async throws {
        let simulation = try await provisioned()
        let lost = simulation.world.read { $0.databases }
        simulation.world.change { $0.databases = [:] }
        var state = Reconciler.Sweep()
        let plan = try await sweep(simulation, &state)
        #expect(plan.alarms.count == 1)
        let parked = try #require(try await repairs(simulation).first)
        #expect(parked.status == "parked" && parked.step == "confirm")
        #expect(simulation.world.read { $0.databases.isEmpty })

        // Brought back by a person, who says so.
        simulation.world.change { $0.databases = lost }
        let id = try #require(UniqueID(parked.stream.text.suffix(36)))
        let operations = SagaOperations(
            log: simulation.log,
            queue: simulation.log,
            definitions: try definitions(simulation),
            ids: simulation.clock.ids
        )
        try await operations.resume(id, .byOperator)
        try await work(simulation)
        #expect(try await repairs(simulation).map(\.status) == ["completed"])
        try await sweep(simulation, &state)
        #expect(types(simulation).last == "instance.drift-repaired")
    }

    @Test("a role that may not log in is set right")
    func role() async throws {
        let simulation = try await provisioned()
        simulation.world.change { $0.roles = [:] }
        var state = Reconciler.Sweep()
        try await sweep(simulation, &state)
        #expect(try await repairs(simulation).map(\.status) == ["completed"])
        #expect(try await simulation.violations() == [])
    }

    @Test("after a rotation the login that is in use is set right, and the owner stays without a password")
    func rotatedRole() async throws {
        let simulation = try await provisioned()
        try await simulation.ask(.requestChange(.init(change: InstanceChange.credentials, from: "1", to: "2")))
        simulation.world.change { $0.roles["railzway_user_42_r2"] = nil }
        var state = Reconciler.Sweep()
        try await sweep(simulation, &state)
        #expect(try await repairs(simulation).map(\.status) == ["completed"])
        simulation.world.read { state in
            #expect(state.roles["railzway_user_42"]?.password == World.noPassword)
            #expect(state.roles["railzway_user_42_r2"] != nil)
        }
        #expect(try await simulation.violations() == [])
    }

    @Test("a repair whose turn comes after something else was asked for does what is right by then")
    func overtaken() async throws {
        let simulation = try await provisioned()
        simulation.world.change { $0.jobs = [:] }
        var state = Reconciler.Sweep()
        let reconciler = reconciler(simulation)
        _ = try await reconciler.sweep(&state)
        simulation.clock.advance(.seconds(60))
        #expect(try await reconciler.sweep(&state).detected.count == 1)
        // A person stops it before the repair has begun, and goes first.
        try await simulation.request(.requestStop(reason: "asked"))
        try await work(simulation)
        #expect(try await repairs(simulation).map(\.status) == ["superseded"])
        #expect(try await simulation.stage() == .stopped)
        #expect(simulation.world.read { $0.jobs.values.filter { !$0.isStopped }.isEmpty })

        // The other way round: the login was rotated since, and it is the new one that counts.
        let other = try await provisioned()
        other.world.change { $0.roles["railzway_user_42"]?.password = World.noPassword }
        state = Reconciler.Sweep()
        let drift = InstanceEvent.Drift(
            what: DriftKind.roleDrift.rawValue,
            expected: "may log in",
            observed: "may not log in",
            name: "railzway_user_42"
        )
        try await other.detect(drift)
        try await other.request(.requestChange(.init(change: InstanceChange.credentials, from: "1", to: "2")))
        try await work(other)
        #expect(try await repairs(other).map(\.status) == ["completed"])
        #expect(other.world.read { $0.roles["railzway_user_42"]?.password } == World.noPassword)
        #expect(try await other.violations() == [])
    }

    @Test("the database that an earlier generation left is put aside, and dropped with its role when its time has come")
    func older() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.refusals["health"] = [.permanent(code: "x", message: "crash loop")] }
        try await simulation.provision()
        try await simulation.ask(.retry)
        #expect(try await simulation.stage() == .running)
        let owner = Ownership(
            organization: "\(simulation.organization)",
            instance: "\(simulation.instance)",
            generation: 1,
            saga: "somebody"
        )
        let living = simulation.world.read { $0.databases.keys.sorted() }
        simulation.world.change { state in
            state.databases["railzway_org_42"] = owner
            state.roles["railzway_user_42"] = (owner, Secret("x"))
        }
        #expect(living.count == 1 && living != ["railzway_org_42"])
        var state = Reconciler.Sweep()
        try await sweep(simulation, &state)
        #expect(try await repairs(simulation).map(\.status) == ["completed"])
        #expect(simulation.world.read { $0.quarantined.count } == 1)
        #expect(try await simulation.folded(simulation.instance).orphans.keys.sorted() == ["railzway_org_42"])
        // Its own is left alone, and what is aside waits for its time in a saga that operators see and can hurry.
        #expect(simulation.world.read { $0.databases.keys.sorted() } == living)
        #expect(try await simulation.folded(simulation.instance).database != nil)
        let begun = simulation.clock.ids.now()
        try await work(simulation)
        #expect(simulation.clock.ids.now() - begun >= simulation.settings.quarantine)
        simulation.world.read { state in
            #expect(state.quarantined.isEmpty && state.roles["railzway_user_42"] == nil && state.roles.count == 1)
            #expect(state.databases.keys.sorted() == living)
        }
        #expect(try await simulation.folded(simulation.instance).orphans.isEmpty)
        #expect(try await simulation.violations() == [])
    }

    @Test("a subscription that was paused at billing becomes a condition of the instance, and no saga")
    func billing() async throws {
        let simulation = try await provisioned()
        simulation.world.change { $0.subscriptions[0].status = .paused }
        var state = Reconciler.Sweep()
        try await sweep(simulation, &state)
        try await sweep(simulation, &state)
        #expect(try await repairs(simulation).isEmpty)
        #expect(types(simulation).filter { $0 == "instance.observed" }.count == 1)
        simulation.world.change { $0.subscriptions[0].status = .active }
        try await sweep(simulation, &state)
        #expect(types(simulation).filter { $0 == "instance.observed" }.count == 2)
    }

    @Test("what is left of a failed provisioning is taken away, and nothing of others")
    func orphans() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.refusals["health"] = [.permanent(code: "x", message: "crash loop")] }
        try await simulation.provision()
        #expect(try await simulation.status() == "compensated")
        let owner = Ownership(
            organization: "\(simulation.organization)",
            instance: "\(simulation.instance)",
            generation: 1,
            saga: "somebody"
        )
        let theirs = Ownership(organization: "9", instance: "9", generation: 1, saga: "somebody")
        simulation.world.change { state in
            state.databases["railzway_org_left"] = owner
            state.databases["railzway_org_9"] = theirs
            state.jobs["railzway-org-left"] = World.Job(
                owner: owner,
                index: 900,
                version: 0,
                isStopped: false,
                environment: [:]
            )
        }
        var state = Reconciler.Sweep()
        let plan = try await sweep(simulation, &state)
        #expect(plan.alarms == ["database railzway_org_9 carries our tag for an instance that the log does not know"])
        #expect(try await repairs(simulation).map(\.status) == ["completed", "completed"])
        simulation.world.read { state in
            #expect(state.databases.keys.sorted() == ["railzway_org_9"])
            #expect(state.quarantined.count == 1)
            #expect(state.jobs["railzway-org-left"]?.isStopped == true)
        }
    }

    @Test("a target that does not answer changes nothing, and does not keep the others from being compared")
    func unwell() async throws {
        let simulation = try await provisioned()
        simulation.world.change { $0.jobs = [:] }
        let inventory = WorldInventory(world: simulation.world, isDeaf: true)
        let reconciler = Reconciler(
            log: simulation.log,
            queue: simulation.log,
            inventory: inventory,
            names: Names(),
            owner: "test",
            ids: simulation.clock.ids,
            logger: quiet
        )
        simulation.world.change { $0.databases = [:] }
        var state = Reconciler.Sweep()
        _ = try await reconciler.sweep(&state)
        simulation.clock.advance(.seconds(60))
        let plan = try await reconciler.sweep(&state)
        #expect(plan.detected.keys.map(\.kind) == [.jobGone])
    }
}
