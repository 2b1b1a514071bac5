import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Changing releases")
struct ChangeReleaseTests {
    private func running() async throws -> Simulation {
        let simulation = try await Simulation()
        try await simulation.settle(SimulatedProcess())
        return simulation
    }

    private func change(
        _ simulation: Simulation,
        to version: String = "v1.7.0",
        _ strategy: ReleaseStrategy = .zeroDowntime
    ) async throws -> String? {
        let cause = try await simulation.request(.requestChange(.released(version, strategy)))
        try await simulation.settle(SimulatedProcess())
        return try await simulation.status(cause, of: kind(strategy))
    }

    private func kind(_ strategy: ReleaseStrategy) -> String {
        strategy == .rolling ? ReplaceRelease.kind : ChangeRelease.kind
    }

    private func slots(_ simulation: Simulation) -> [String: Bool] {
        let jobs = simulation.world.read { $0.jobs.filter { !$0.key.hasSuffix("-migrate") } }
        return jobs.reduce(into: [:]) { $0[$1.key.hasSuffix("-b") ? "b" : "a"] = !$1.value.isStopped }
    }

    @Test("slots take turns: b after a, then a after b, and the lease goes along with a growing epoch")
    func turns() async throws {
        let simulation = try await running()
        #expect(try await change(simulation) == "completed")
        #expect(try await simulation.violations() == [])
        #expect(slots(simulation) == ["a": false, "b": true])
        let first = try await simulation.model()
        #expect(first.stage == .running && first.serving == "b" && first.requested?.release.version == "v1.7.0")
        #expect(first.route?.service.hasSuffix("-b") == true && first.lease?.epoch == 2)

        #expect(try await change(simulation, to: "v1.8.0") == "completed")
        #expect(try await simulation.violations() == [])
        #expect(slots(simulation) == ["a": true, "b": false])
        let second = try await simulation.model()
        #expect(second.serving == "a" && second.lease?.epoch == 3 && second.slotStage("b") == .retired)
        // The retired one keeps its secret, and no migration keeps any.
        simulation.world.read { state in
            #expect(state.secrets.filter { !$0.value.items.isEmpty }.count == 2)
            #expect(!state.jobs.contains { $0.key.hasSuffix("-migrate") && !$0.value.isStopped })
            #expect(!state.secrets.contains { $0.key.hasSuffix("-migrate") && !$0.value.items.isEmpty })
        }
        let shifts = simulation.log.events.filter { $0.type == "instance.traffic-shifted" }
        #expect(shifts.count == 8)
    }

    @Test("in place, the release takes the place of the one before in the slot that serves")
    func inPlace() async throws {
        let simulation = try await running()
        #expect(try await change(simulation, .rolling) == "completed")
        #expect(try await simulation.violations() == [])
        #expect(slots(simulation) == ["a": true])
        #expect(try await simulation.model().requested?.release.version == "v1.7.0")
    }

    private static let calls = [
        "preview", "putSecret", "register", "end", "health", "address", "readiness", "problemWithRoute", "condition",
        "handOverLease",
    ]

    @Test("what is refused for good leaves the release before serving, and nothing behind", arguments: calls)
    func refused(call: String) async throws {
        let simulation = try await running()
        simulation.world.change { $0.refusals[call] = [.permanent(code: "400", message: "no way")] }
        #expect(try await change(simulation) == "compensated")
        try await checkBack(simulation, "no way")
    }

    @Test("an outage of any call is waited out", arguments: calls + ["stop", "deleteSecret"])
    func outage(call: String) async throws {
        let simulation = try await running()
        simulation.world.change {
            $0.refusals[call] = Array(repeating: .transient(code: "503", message: "unwell"), count: 3)
        }
        #expect(try await change(simulation) == "completed")
        #expect(try await simulation.violations() == [])
    }

    @Test("a migration that fails, and a release that never is ready, are taken back", arguments: [false, true])
    func unwell(migrates: Bool) async throws {
        let simulation = try await running()
        simulation.world.change { state in
            if migrates {
                state.readiness = [TenantReadiness(isReady: false, open: ["schema_gate"])]
            } else {
                state.ends = [.running(reason: "it is running"), .failed(reason: "exit 1")]
            }
        }
        #expect(try await change(simulation) == "compensated")
        try await checkBack(simulation, migrates ? "schema_gate" : "exit 1")
    }

    @Test("without the lease the scheduler's alone does not keep a release from standing by; with it, it does")
    func lease() async throws {
        let simulation = try await running()
        let waiting = TenantReadiness(isReady: false, open: [TenantReadiness.lease])
        simulation.world.change { $0.readiness = [waiting, TenantReadiness(isReady: true)] }
        #expect(try await change(simulation) == "completed")

        simulation.world.change { $0.readiness = [waiting] }
        #expect(try await change(simulation, to: "v1.8.0") == "compensated")
        #expect(try await simulation.violations() == [])
        let model = try await simulation.model()
        // Given, and given back.
        #expect(model.serving == "b" && model.lease?.slot == "b" && model.lease?.epoch == 4)
        #expect(model.weights == nil)
    }

    @Test("an instance that is to be terminated while its release changes ends with both of its slots")
    func terminated() async throws {
        let simulation = try await running()
        #expect(try await change(simulation) == "completed")
        simulation.world.change { $0.readiness = [TenantReadiness(isReady: false)] }
        try await simulation.request(.requestChange(.released("v1.8.0", .zeroDowntime)))
        try await simulation.start()
        _ = await (try simulation.engine(SimulatedProcess())).turn()
        try await simulation.request(.requestTermination(reason: "asked"))
        try await simulation.settle(SimulatedProcess())
        #expect(try await simulation.model().stage == .terminated)
        #expect(try await simulation.violations() == [])
        #expect(simulation.world.read { $0.jobs.isEmpty && $0.secrets.isEmpty })
    }

    @Test("whatever comes after acts on the slot that serves")
    func afterwards() async throws {
        let simulation = try await running()
        #expect(try await change(simulation) == "completed")
        try await simulation.ask(.requestStop(reason: "asked"))
        #expect(try await simulation.model().stage == .stopped)
        #expect(slots(simulation) == ["a": false, "b": false])
        try await simulation.ask(.requestStart(reason: "asked"))
        #expect(try await simulation.model().stage == .running)
        #expect(try await simulation.violations() == [])
        let fact = InstanceEvent.ChangeRequested(change: InstanceChange.credentials, from: "1", to: "2")
        try await simulation.ask(.requestChange(fact))
        #expect(try await simulation.model().credentials?.rotation == 2)
        try await simulation.upgrade()
        try await simulation.settle(SimulatedProcess())
        #expect(try await simulation.model().requested?.plan.tier == .enterprise)
        #expect(slots(simulation) == ["a": false, "b": true])
    }

    private func checkBack(_ simulation: Simulation, _ reason: String) async throws {
        #expect(try await simulation.violations() == [])
        let model = try await simulation.model()
        #expect(model.stage == .running && model.serving == "a" && model.requested?.release.version == "v1.6.0")
        #expect(slots(simulation)["a"] == true && slots(simulation)["b"] != true)
        simulation.world.read { state in
            #expect(state.secrets.filter { !$0.value.items.isEmpty }.count == 1)
            #expect(!state.jobs.contains { $0.key.hasSuffix("-migrate") && !$0.value.isStopped })
        }
        let last = simulation.log.events.last { $0.type == "instance.change-rolled-back" }
        let payload = String(decoding: try #require(last?.payload), as: UTF8.self)
        #expect(payload.contains(reason))
    }
}
