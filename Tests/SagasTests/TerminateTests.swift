import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Terminating an instance")
struct TerminateTests {
    private let simulation: Simulation

    init() async throws {
        simulation = try await Simulation()
    }

    private func running() async throws {
        try await simulation.provision()
    }

    private static let asked = Instance.Command.requestTermination(reason: "asked")

    @Test("what it had is saved, put aside and, after the grace period, gone; its bill has ended")
    func happy() async throws {
        try await running()
        let began = simulation.clock.ids.now()
        let saga = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "completed")
        try await expectNothingLeft()
        let instance = try await simulation.model()
        let backup = try #require(instance.backup)
        #expect(backup.path.hasSuffix(".dump") && backup.size == 7 && backup.sha256 == "ab")
        #expect(simulation.world.read { $0.backups.count } == 1)
        #expect(simulation.clock.ids.now() - began >= simulation.settings.quarantine)
        let types = simulation.log.events.map(\.type)
        let order = [
            "instance.termination-requested", "instance.route-withdrawn", "instance.backed-up",
            "subscription.cancelled", "instance.database-quarantined", "instance.terminated",
            "instance.database-dropped",
        ]
        #expect(order.compactMap { types.firstIndex(of: $0) } == order.compactMap { types.firstIndex(of: $0) }.sorted())
        #expect(order.allSatisfy { types.contains($0) })
        #expect(try await simulation.paidFor().stage == .cancelled)
    }

    @Test("the database is put aside under a name that says when, and nobody can use it")
    func quarantine() async throws {
        try await running()
        try await simulation.play(Self.asked, until: "instance.database-quarantined")
        let fact = try #require(try await simulation.model().quarantine)
        #expect(fact.renamed.hasPrefix("zz_\(fact.database)_"))
        #expect(simulation.world.read { $0.quarantined } == [fact.renamed])
        #expect(simulation.world.read { $0.databases.isEmpty })
    }

    @Test("once its bill has ended it is not abandoned half gone, but a step can be passed over")
    func halfGone() async throws {
        try await running()
        simulation.world.change { $0.outages["quarantineDatabase"] = .permanent(code: "no", message: "never") }
        let saga = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "parked")
        let operations = try simulation.operations()
        await #expect(throws: SagaOperationError.self) { try await operations.act(.abandon, on: saga, .byOperator) }
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "parked")
        try await operations.act(.skip(step: "quarantine-database", force: true), on: saga, .byOperator)
        try await simulation.settle(try simulation.engine())
        #expect(try await simulation.model().stage == .terminated)
    }

    @Test("a stopped instance, and one that was never provisioned, end as well")
    func others() async throws {
        try await running()
        try await simulation.play(.requestStop(reason: "asked"))
        let saga = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "completed")
        try await expectNothingLeft()

        let other = try await Simulation()
        other.world.change { $0.refusals["register"] = [.permanent(code: "no", message: "never")] }
        try await other.provision()
        let failed = try await other.play(Self.asked)
        #expect(try await other.status(of: TerminateInstance.kind, failed) == "completed")
        #expect(try await other.model().stage == .terminated)
        #expect(try await other.paidFor().stage == .abandoned)
        #expect(other.world.read { $0.databases.isEmpty && $0.roles.isEmpty && $0.backups.isEmpty })
    }

    @Test("a provisioning that is under way is taken back first", arguments: ["ensureDatabase", "health", "activate"])
    func meanwhile(call: String) async throws {
        let stopped = SimulatedProcess { _, point in point == .after(call) ? .die : .go }
        try await simulation.start()
        _ = await (try simulation.engine(stopped)).turn()
        simulation.clock.advance(.seconds(60))
        let saga = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "completed")
        try await expectNothingLeft()
    }

    @Test(
        "an outage is waited out",
        arguments: [
            "problem", "readJob", "stop", "isAtRest", "backUp", "subscription", "cancel", "quarantineDatabase",
            "deleteSecret", "dropDatabase", "dropRole", "purge",
        ]
    )
    func outage(call: String) async throws {
        try await running()
        simulation.world.change {
            $0.refusals[call] = Array(repeating: .unknown(code: "lost", message: "no answer"), count: 3)
        }
        let saga = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "completed")
        try await expectNothingLeft()
    }

    @Test("what cannot be saved goes on as before", arguments: ["problem", "readJob", "stop", "isAtRest", "backUp"])
    func refused(call: String) async throws {
        try await running()
        simulation.world.change { $0.refusals[call] = [.permanent(code: "no", message: "never")] }
        let saga = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "compensated")
        let instance = try await simulation.model()
        #expect(instance.stage == .running && instance.route != nil)
        simulation.world.read { state in
            #expect(state.jobs.values.map(\.isStopped) == [false])
            #expect(state.subscriptions.map(\.status) == [.active])
            #expect(state.databases.count == 1)
        }
        let again = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, again) == "completed")
        try await expectNothingLeft()
    }

    @Test("a stopped instance whose termination failed stays stopped")
    func refusedWhileStopped() async throws {
        try await running()
        try await simulation.play(.requestStop(reason: "asked"))
        simulation.world.change { $0.refusals["backUp"] = [.permanent(code: "no", message: "never")] }
        let saga = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "compensated")
        let instance = try await simulation.model()
        #expect(instance.stage == .stopped && instance.route == nil)
        #expect(simulation.world.read { $0.jobs.values.map(\.isStopped) } == [true])
    }

    @Test(
        "once the cancellation is begun there is only the way forward, and a person is asked",
        arguments: ["cancel", "quarantineDatabase", "deleteSecret"]
    )
    func forward(call: String) async throws {
        try await running()
        simulation.world.change { $0.refusals[call] = [.permanent(code: "no", message: "never")] }
        let saga = try await simulation.play(Self.asked)
        #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "parked")
        let deed = SagaDeed(actor: "operator-1", reason: "it works again")
        await #expect(throws: SagaOperationError.self) { try await simulation.operations().cancel(saga, deed) }
        try await simulation.operations().resume(saga, deed)
        try await simulation.rest()
        try await expectNothingLeft()
    }

    @Test("wherever the process dies, the next one ends it, with one backup told of")
    func crashes() async throws {
        for number in stride(from: 0, to: 400, by: 7) {
            let simulation = try await Simulation()
            try await simulation.provision()
            let dying = SimulatedProcess { count, _ in count == number ? .dieInFlight : .go }
            let saga = try await simulation.play(Self.asked, dying: dying)
            guard dying.isDead else {
                #expect(number > 12, "every call was died in")
                return
            }
            simulation.clock.advance(.seconds(60))
            try await simulation.rest()
            simulation.world.land()
            #expect(try await simulation.status(of: TerminateInstance.kind, saga) == "completed", "\(number)")
            try await Self.expectNothingLeft(simulation)
            #expect(simulation.log.events.count { $0.type == "instance.backed-up" } == 1)
        }
        Issue.record("it never came to an end")
    }

    @Test("a database of a provisioning that failed late is reaped, and the retry goes on untouched")
    func livesOn() async throws {
        let dying = SimulatedProcess { _, point in point == .after("activate") ? .die : .go }
        try await simulation.start()
        _ = await (try simulation.engine(dying)).turn()
        simulation.clock.advance(.seconds(60))
        let deed = SagaDeed(actor: "operator-1", reason: "a mistake")
        try await simulation.operations().cancel(simulation.cause, deed)
        try await simulation.rest(until: "instance.provisioning-failed")
        #expect(simulation.world.read { $0.quarantined.count } == 1)
        try await simulation.play(.retry)
        let instance = try await simulation.model()
        #expect(instance.stage == .running && instance.database?.generation == 2)
        simulation.world.read { state in
            #expect(state.quarantined.isEmpty)
            #expect(state.databases.count == 1)
            #expect(state.jobs.values.map(\.isStopped) == [false])
        }
    }

    @Test("a subscription that is cancelled for the end of its period ends then, and the instance with it")
    func periodEnd() async throws {
        try await running()
        let end = simulation.clock.ids.now() + .seconds(20 * 24 * 3600)
        let saga = try await simulation.write(
            Subscription.self,
            Streams.subscription(simulation.subscription),
            .requestCancellation(effectiveAt: end)
        )
        try await simulation.rest()
        #expect(try await simulation.status(of: EndSubscription.kind, saga) == "completed")
        #expect(simulation.clock.ids.now() >= end)
        try await expectNothingLeft()
    }

    @Test("an end that is withdrawn never comes, whether or not anybody tells the saga that waits for it")
    func withdrawn() async throws {
        try await running()
        let stream = Streams.subscription(simulation.subscription)
        for (isTold, end) in [(true, "compensated"), (false, "superseded")] {
            let moment = simulation.clock.ids.now() + .seconds(20 * 24 * 3600)
            let saga = try await simulation.write(
                Subscription.self,
                stream,
                .requestCancellation(effectiveAt: moment)
            )
            try await simulation.start()
            _ = await (try simulation.engine()).turn()
            _ = try await simulation.write(
                Subscription.self,
                stream,
                .withdrawCancellation(reason: "stay", at: simulation.clock.ids.now())
            )
            if isTold { try await simulation.start() }
            simulation.clock.advance(.seconds(21 * 24 * 3600))
            _ = await (try simulation.engine()).turn()
            #expect(try await simulation.status(of: EndSubscription.kind, saga) == end)
        }
        #expect(try await simulation.model().stage == .running)
        #expect(try await simulation.violations() == [])
    }

    private func expectNothingLeft() async throws {
        try await Self.expectNothingLeft(simulation)
    }

    private static func expectNothingLeft(_ simulation: Simulation) async throws {
        let instance = try await simulation.model()
        #expect(instance.stage == .terminated && instance.route == nil)
        #expect(instance.database == nil && instance.quarantine == nil)
        simulation.world.read { state in
            #expect(state.databases.isEmpty && state.quarantined.isEmpty && state.roles.isEmpty)
            #expect(!state.jobs.values.contains { !$0.isStopped })
            #expect(!state.secrets.values.contains { !$0.items.isEmpty })
            #expect(!state.subscriptions.contains { $0.status == .active || $0.status == .paused })
        }
    }
}
