import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Changing plans")
struct ChangePlanTests {
    private func running() async throws -> Simulation {
        let simulation = try await Simulation()
        try await simulation.settle(SimulatedProcess())
        return simulation
    }

    private func end(_ simulation: Simulation, _ cause: UniqueID) async throws -> String? {
        try await simulation.settle(SimulatedProcess())
        return try await simulation.status(cause, of: ChangePlan.kind)
    }

    @Test("the larger plan runs and is paid, by the subscription there is or by another", arguments: [false, true])
    func upgrade(grantsItemChanges: Bool) async throws {
        let simulation = try await running()
        simulation.world.change { $0.grantsItemChanges = grantsItemChanges }
        let cause = try await simulation.upgrade()
        #expect(try await end(simulation, cause) == "completed")
        #expect(try await simulation.violations() == [])
        let instance = try await simulation.folded(simulation.instance)
        #expect(instance.stage == .running)
        #expect(instance.requested?.plan.tier == .enterprise)
        simulation.world.read { state in
            let own = state.subscriptions.map(\.status)
            #expect(own == (grantsItemChanges ? [.active] : [.cancelled, .active]))
        }
    }

    @Test("where there is no room nothing is begun")
    func noRoom() async throws {
        let simulation = try await running()
        simulation.world.change { $0.missing = "not enough memory" }
        let version = simulation.world.read { $0.jobs.values.first?.version }
        let cause = try await simulation.upgrade()
        #expect(try await end(simulation, cause) == "compensated")
        #expect(simulation.world.read { $0.jobs.values.first?.version } == version)
        try await checkUnchanged(simulation, "not enough memory")
    }

    @Test("what does not get well with the larger plan goes on with the one before")
    func unwell() async throws {
        let simulation = try await running()
        simulation.world.change { $0.health = [.failed(reason: "exit 1"), .healthy] }
        let cause = try await simulation.upgrade()
        #expect(try await end(simulation, cause) == "compensated")
        try await checkUnchanged(simulation, "exit 1")
    }

    private func checkUnchanged(_ simulation: Simulation, _ reason: String) async throws {
        #expect(try await simulation.violations() == [])
        let instance = try await simulation.folded(simulation.instance)
        #expect(instance.stage == .running)
        #expect(instance.requested?.plan.tier == .team)
        let stream = StreamName(category: "subscription", id: simulation.subscription)
        let history = try simulation.history(of: SubscriptionEvent.self, in: stream)
        #expect(Subscription(replaying: history).change == nil)
        let last = simulation.log.events.last { $0.type == "instance.change-rolled-back" }
        let payload = String(decoding: try #require(last?.payload), as: UTF8.self)
        #expect(payload.contains(reason))
    }

    private static let calls = [
        "preview", "register", "promote", "health", "changeItems", "ensureCustomer", "ensureDraft", "activate",
    ]

    @Test("an outage of any call is waited out", arguments: calls + ["cancel", "subscription"])
    func outage(call: String) async throws {
        let simulation = try await running()
        let cause = try await simulation.upgrade()
        simulation.world.change {
            $0.refusals[call] = Array(repeating: .transient(code: "503", message: "unwell"), count: 3)
        }
        #expect(try await end(simulation, cause) == "completed")
        #expect(try await simulation.violations() == [])
    }

    @Test("a call that is refused for good leaves plan and bill as they were", arguments: calls)
    func refused(call: String) async throws {
        let simulation = try await running()
        let cause = try await simulation.upgrade()
        simulation.world.change { $0.refusals[call] = [.permanent(code: "400", message: "no way")] }
        #expect(try await end(simulation, cause) == "compensated")
        try await checkUnchanged(simulation, "no way")
    }

    @Test("items that billing refused to change are not waited for")
    func itemsRefused() async throws {
        let simulation = try await running()
        simulation.world.change { state in
            state.grantsItemChanges = true
            state.refusals["changeItems"] = [.permanent(code: "400", message: "no way")]
        }
        let cause = try await simulation.upgrade()
        let begun = simulation.clock.ids.now()
        #expect(try await end(simulation, cause) == "compensated")
        try await checkUnchanged(simulation, "no way")
        #expect(simulation.clock.ids.now() - begun < simulation.settings.billingSilence)
    }

    @Test("the ledger names the subscription that replaces another, and knows at the end that both are gone")
    func ledger() async throws {
        let simulation = try await running()
        func subscriptions() throws -> [LedgerRow.State: Int] {
            var fold = LedgerFold()
            for event in simulation.log.events where LedgerFold.types.contains(event.type) { try fold.apply(event) }
            let all = fold.rows.values.filter { $0.kind == .subscription }
            return Dictionary(grouping: all, by: \.state).mapValues(\.count)
        }
        #expect(try subscriptions() == [.present: 1])
        let upgrade = try await simulation.upgrade()
        #expect(try await end(simulation, upgrade) == "completed")
        #expect(try subscriptions() == [.present: 1, .gone: 1])
        try await simulation.downgrade()
        try await simulation.settle(SimulatedProcess())
        #expect(try subscriptions() == [.present: 1, .gone: 2])
        // One that was taken back leaves nothing either.
        simulation.world.change { $0.refusals["activate"] = [.permanent(code: "400", message: "no way")] }
        let refused = try await simulation.upgrade()
        #expect(try await end(simulation, refused) == "compensated")
        #expect(try subscriptions() == [.present: 1, .gone: 3])
        try await simulation.ask(.requestTermination(reason: "asked"))
        #expect(try subscriptions() == [.gone: 4])
        #expect(simulation.world.read { $0.subscriptions.allSatisfy { $0.status == .cancelled } })
    }

    @Test("items that were changed are changed back, once no request can be on its way any more")
    func itemsBack() async throws {
        let simulation = try await running()
        simulation.world.change { state in
            state.grantsItemChanges = true
            state.refusals["changeItems"] = [.unknown(code: "lost", message: "the answer was lost")]
        }
        let cause = try await simulation.upgrade()
        let process = SimulatedProcess()
        let engine = try simulation.engine(process)
        try await simulation.start()
        _ = await engine.turn()
        let asked = simulation.clock.ids.now()
        try await simulation.operations().cancel(cause, .init(actor: "operator-1", reason: "no"))
        #expect(try await end(simulation, cause) == "compensated")
        #expect(simulation.clock.ids.now() - asked >= simulation.settings.billingSilence)
        #expect(try await simulation.violations() == [])
    }

    @Test("a smaller plan comes with the end of the period, and the instance is free until then")
    func downgrade() async throws {
        let simulation = try await running()
        let begun = simulation.clock.ids.now()
        let cause = try await simulation.downgrade()
        try await simulation.start()
        _ = await (try simulation.engine()).turn()
        #expect(try await simulation.stage() == .running)
        let stream = try simulation.stream(cause, of: DowngradePlan.kind)
        #expect(simulation.log.wakeAt(stream) == begun + .seconds(864_000))
        try await simulation.settle(SimulatedProcess())
        #expect(try await simulation.status(cause, of: DowngradePlan.kind) == "completed")
        #expect(simulation.clock.ids.now() - begun >= .seconds(864_000))
        #expect(try await simulation.violations() == [])
        #expect(try await simulation.folded(simulation.instance).requested?.plan.tier == .starter)
        let started = simulation.log.events.last { $0.type == "instance.change-requested" }
        #expect(started?.actor == "saga-downgrade-plan")
    }

    @Test("a downgrade that was given up never comes")
    func givenUp() async throws {
        let simulation = try await running()
        let cause = try await simulation.downgrade()
        try await simulation.start()
        _ = await (try simulation.engine()).turn()
        let stream = StreamName(category: "subscription", id: simulation.subscription)
        let before = simulation.log.events.count
        try await simulation.tell(.cancelScheduledChange(reason: "stay"))
        try await simulation.settle(SimulatedProcess())
        #expect(["compensated", "superseded"].contains(try await simulation.status(cause, of: DowngradePlan.kind)))
        let later = simulation.log.events.dropFirst(before).filter { $0.stream == stream }
        #expect(later.map(\.type) == ["subscription.plan-change-cancelled"])
        #expect(try await simulation.folded(simulation.instance).requested?.plan.tier == .team)
    }

    @Test("a downgrade that could not be made is tried again a day later")
    func again() async throws {
        let simulation = try await running()
        let cause = try await simulation.downgrade()
        simulation.world.change { $0.refusals["preview"] = [.permanent(code: "400", message: "no way")] }
        try await simulation.settle(SimulatedProcess())
        #expect(try await simulation.status(cause, of: DowngradePlan.kind) == "completed")
        #expect(try await simulation.violations() == [])
        #expect(try await simulation.folded(simulation.instance).requested?.plan.tier == .starter)
        #expect(simulation.log.events.filter { $0.type == "subscription.downgrade-scheduled" }.count == 2)
    }
}
