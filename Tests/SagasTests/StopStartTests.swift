import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Stopping and starting an instance")
struct StopStartTests {
    private let simulation: Simulation

    init() async throws {
        simulation = try await Simulation()
        try await simulation.provision()
    }

    @Test("a stopped instance has no route and no process, and pays nothing; its database stays")
    func stop() async throws {
        let saga = try await simulation.ask(.requestStop(reason: "asked"))
        #expect(try await simulation.status(of: StopInstance.kind, saga) == "completed")
        let instance = try await simulation.model()
        #expect(instance.stage == .stopped && instance.route == nil && instance.database != nil)
        #expect(try await simulation.paidFor().stage == .paused)
        simulation.world.read { state in
            #expect(state.jobs.values.map(\.isStopped) == [true])
            #expect(state.subscriptions.map(\.status) == [.paused])
            #expect(state.databases.count == 1 && state.roles.count == 1)
        }
    }

    @Test("a started one runs the same again, with the same secrets, and pays; any number of times")
    func startAgain() async throws {
        let before = simulation.world.read { $0.secrets.values.map(\.items) }
        for _ in 0..<3 {
            try await simulation.ask(.requestStop(reason: "asked"))
            #expect(simulation.world.read { $0.subscriptions.map(\.status) } == [.paused])
            let saga = try await simulation.ask(.requestStart(reason: "asked"))
            #expect(try await simulation.status(of: StartInstance.kind, saga) == "completed")
            let instance = try await simulation.model()
            #expect(instance.stage == .running && instance.route != nil)
            #expect(try await simulation.paidFor().stage == .active)
            simulation.world.read { state in
                #expect(state.jobs.values.map(\.isStopped) == [false])
                #expect(state.subscriptions.map(\.status) == [.active])
                #expect(state.secrets.values.map(\.items) == before)
                #expect(state.jobs.values.first?.environment["OAUTH2_CLIENT_ID"] != nil)
            }
        }
    }

    @Test("an outage is waited out", arguments: ["problem", "readJob", "stop", "isAtRest", "subscription", "pause"])
    func stopOutage(call: String) async throws {
        simulation.world.change {
            $0.refusals[call] = Array(repeating: .transient(code: "503", message: "unwell"), count: 3)
        }
        let saga = try await simulation.ask(.requestStop(reason: "asked"))
        #expect(try await simulation.status(of: StopInstance.kind, saga) == "completed")
        #expect(try await simulation.model().stage == .stopped)
    }

    @Test(
        "an outage is waited out on the way back, too",
        arguments: ["subscription", "readSecret", "putSecret", "probeJob", "register", "health", "problem", "resume"]
    )
    func startOutage(call: String) async throws {
        try await simulation.ask(.requestStop(reason: "asked"))
        simulation.world.change {
            $0.refusals[call] = Array(repeating: .unknown(code: "lost", message: "no answer"), count: 3)
        }
        let saga = try await simulation.ask(.requestStart(reason: "asked"))
        #expect(try await simulation.status(of: StartInstance.kind, saga) == "completed")
        #expect(try await simulation.model().stage == .running)
        #expect(simulation.world.read { $0.subscriptions.map(\.status) } == [.active])
    }

    @Test("what cannot be stopped goes on as before, and says why", arguments: ["problem", "readJob", "stop"])
    func stopRefused(call: String) async throws {
        simulation.world.change { $0.refusals[call] = [.permanent(code: "no", message: "never")] }
        let saga = try await simulation.ask(.requestStop(reason: "asked"))
        #expect(try await simulation.status(of: StopInstance.kind, saga) == "compensated")
        try await expectServing()
        let last = try #require(simulation.log.events.last { $0.type == "instance.change-rolled-back" }?.payload)
        #expect(String(decoding: last, as: UTF8.self).contains("never"))
    }

    @Test("traffic comes back last, however long the workload takes to be well again")
    func orderOfReturn() async throws {
        simulation.world.change {
            $0.refusals["stop"] = [.permanent(code: "no", message: "never")]
            $0.refusals["register"] = Array(repeating: .transient(code: "503", message: "unwell"), count: 3)
        }
        let saga = try await simulation.ask(.requestStop(reason: "asked"))
        #expect(try await simulation.status(of: StopInstance.kind, saga) == "compensated")
        let log = simulation.log.events
        let failures = log.lastIndex { $0.type == "saga.undo-attempt-failed" }
        let route = log.lastIndex { $0.type == "instance.route-published" }
        #expect(try #require(failures) < #require(route))
        try await expectServing()
    }

    @Test("what cannot be paused is left to a person, stopped")
    func pauseRefused() async throws {
        simulation.world.change { $0.refusals["pause"] = [.permanent(code: "no", message: "never")] }
        let saga = try await simulation.ask(.requestStop(reason: "asked"))
        #expect(try await simulation.status(of: StopInstance.kind, saga) == "parked")
        #expect(simulation.world.read { $0.jobs.values.map(\.isStopped) } == [true])
        try await simulation.operations().resume(saga, SagaDeed(actor: "operator-1", reason: "billing is well"))
        try await simulation.settle(try simulation.engine())
        #expect(try await simulation.model().stage == .stopped)
    }

    @Test("billing that is not well for a day is a matter for a person")
    func billingDown() async throws {
        simulation.world.change { $0.outages["pause"] = .transient(code: "503", message: "unwell") }
        let saga = try await simulation.ask(.requestStop(reason: "asked"))
        #expect(try await simulation.status(of: StopInstance.kind, saga) == "parked")
    }

    @Test("what was cancelled at billing is stopped, and is not put into service again")
    func cancelledElsewhere() async throws {
        simulation.world.change { $0.subscriptions[0].status = .cancelled }
        let stop = try await simulation.ask(.requestStop(reason: "asked"))
        #expect(try await simulation.status(of: StopInstance.kind, stop) == "completed")
        let start = try await simulation.ask(.requestStart(reason: "asked"))
        #expect(try await simulation.status(of: StartInstance.kind, start) == "compensated")
        #expect(try await simulation.model().stage == .stopped)
        #expect(simulation.world.read { $0.jobs.values.map(\.isStopped) } == [true])
    }

    @Test(
        "what cannot be started stays stopped and unpaid",
        arguments: ["putSecret", "register", "health", "problem", "resume"]
    )
    func startRefused(call: String) async throws {
        try await simulation.ask(.requestStop(reason: "asked"))
        simulation.world.change { $0.refusals[call] = [.permanent(code: "no", message: "never")] }
        let saga = try await simulation.ask(.requestStart(reason: "asked"))
        #expect(try await simulation.status(of: StartInstance.kind, saga) == "compensated")
        let instance = try await simulation.model()
        #expect(instance.stage == .stopped && instance.route == nil)
        simulation.world.read { state in
            #expect(state.jobs.values.map(\.isStopped) == [true])
            #expect(state.subscriptions.map(\.status) == [.paused])
        }
        try await simulation.ask(.requestStart(reason: "again"))
        try await expectServing()
    }

    @Test("a resumption whose answer was lost before the start was given up is taken back")
    func lostResumption() async throws {
        try await simulation.ask(.requestStop(reason: "asked"))
        simulation.world.change { state in
            state.subscriptions[0].status = .paused
            state.outages["resume"] = .unknown(code: "lost", message: "no answer")
        }
        let saga = try await simulation.ask(.requestStart(reason: "asked"))
        #expect(try await simulation.status(of: StartInstance.kind, saga) == "compensated")
        #expect(simulation.world.read { $0.subscriptions.map(\.status) } == [.paused])
        #expect(try await simulation.model().stage == .stopped)
    }

    @Test("a process that died with the stop under way cannot stop what was started again")
    func lateStop() async throws {
        let process = SimulatedProcess { _, point in point == .before("stop") ? .dieInFlight : .go }
        let saga = try await simulation.ask(.requestStop(reason: "asked"), dying: process)
        simulation.clock.advance(.seconds(60))
        try await simulation.operations().cancel(saga, SagaDeed(actor: "operator-1", reason: "a mistake"))
        try await simulation.settle(try simulation.engine())
        #expect(try await simulation.status(of: StopInstance.kind, saga) == "compensated")
        simulation.world.land()
        try await expectServing()
    }

    private func expectServing() async throws {
        let instance = try await simulation.model()
        #expect(instance.stage == .running && instance.route != nil)
        #expect(try await simulation.paidFor().stage == .active)
        simulation.world.read { state in
            #expect(state.jobs.values.map(\.isStopped) == [false])
            #expect(state.subscriptions.map(\.status) == [.active])
        }
    }
}
