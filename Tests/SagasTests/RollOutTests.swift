import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Rolling out a release")
struct RollOutTests {
    private let simulation: Simulation
    private let id: RolloutID

    init() async throws {
        simulation = try await Simulation()
        try await simulation.provision()
        id = simulation.clock.ids.identifier()
    }

    private func started(
        _ waves: [String] = ["1", "100%"],
        minimumTier: Tier = .freeTrial,
        tolerated: Int = 0
    ) -> RolloutEvent.Started {
        RolloutEvent.Started(
            release: .init(application: "railzway", version: "v1.7.0", image: "ghcr.io/x/railzway:v1.7.0"),
            minimumTier: minimumTier,
            strategy: .zeroDowntime,
            waves: waves,
            bake: 600,
            tolerated: tolerated
        )
    }

    private func say(_ command: Rollout.Command) async throws -> UniqueID {
        try await simulation.write(Rollout.self, Streams.rollout(id), command)
    }

    private func model() async throws -> Rollout {
        try await Aggregates(log: simulation.log).load(Rollout.self, from: Streams.rollout(id)).model
    }

    private func count(_ type: String) -> Int { simulation.log.events.count { $0.type == type } }

    @Test("every instance changes by a saga of its own, waves are watched, and the end is said")
    func happy() async throws {
        let start = simulation.clock.ids.now()
        let saga = try await say(.start(started()))
        try await simulation.rest()
        #expect(try await simulation.status(of: RollOut.kind, saga) == "completed")
        #expect(try await model().stage == .finished)
        #expect(try await simulation.model().requested?.release.version == "v1.7.0")
        #expect(try await simulation.violations() == [])
        #expect(count("rollout.wave-started") == 2 && count("rollout.wave-finished") == 2)
        #expect(simulation.clock.ids.now() - start >= .seconds(600))
        // The child knows who waits for it.
        let child = simulation.log.events.first { event in
            event.type == "saga.started" && event.stream.text.hasPrefix("saga-change-release.")
        }
        let begun = String(decoding: child?.payload ?? [], as: UTF8.self)
        #expect(begun.contains("saga-roll-out."))
    }

    @Test("what cannot be asked is passed over, with a reason", arguments: [true, false])
    func skipped(small: Bool) async throws {
        if !small { try await simulation.ask(.requestStop(reason: "asked")) }
        let saga = try await say(.start(started(minimumTier: small ? .enterprise : .freeTrial)))
        try await simulation.rest()
        #expect(try await simulation.status(of: RollOut.kind, saga) == "completed")
        #expect(try await simulation.model().requested?.release.version == "v1.6.0")
        let wave = simulation.log.events.first { $0.type == "rollout.wave-started" }
        let text = String(decoding: wave?.payload ?? [], as: UTF8.self)
        #expect(text.contains(small ? "is too small" : "it is stopped"))
    }

    @Test(
        "one failure too many pauses it; resumed it goes on, and aborted it begins nothing more",
        arguments: [true, false]
    )
    func gate(resumes: Bool) async throws {
        simulation.world.change { $0.readiness = [TenantReadiness(isReady: false)] }
        let saga = try await say(.start(started()))
        try await simulation.rest(until: "rollout.paused")
        #expect(try await model().stage == .paused)
        #expect(try await simulation.model().stage == .running)
        _ = try await say(resumes ? .resume(reason: "looked at") : .abort(reason: "no good"))
        try await simulation.rest()
        #expect(try await simulation.status(of: RollOut.kind, saga) == "completed")
        #expect(try await model().stage == (resumes ? .finished : .aborted))
        #expect(try await model().isOver)
        #expect(count("rollout.wave-started") == (resumes ? 2 : 1))
        #expect(try await simulation.violations() == [])
    }

    @Test("a wave that one append cannot hold is begun in parts")
    func parts() async throws {
        let asked = try #require(try await simulation.model().requested)
        for _ in 0..<3 {
            _ = try await simulation.write(
                Instance.self,
                Streams.instance(simulation.clock.ids.identifier()),
                .request(asked)
            )
        }
        let saga = try await say(.start(started(["100%"], minimumTier: .enterprise)))
        try await simulation.start()
        let ports = try simulation.ports(SimulatedProcess())
        let engine = try simulation.engine(definition: RollOut(ports: ports, part: 2).definition)
        while await engine.turn() > 0 {}
        #expect(try await simulation.status(of: RollOut.kind, saga) == "completed")
        #expect(count("rollout.wave-started") == 2)
        #expect(try await model().met.count == 4)
    }

    @Test("what passes while it is paused does not count as watching")
    func pausedWhileWatched() async throws {
        let saga = try await say(.start(started()))
        try await simulation.rest(until: "rollout.wave-finished")
        let start = simulation.clock.ids.now()
        try await pass(.seconds(200))
        _ = try await say(.pause(reason: "a look"))
        try await pass(.seconds(3600))
        #expect(count("rollout.wave-started") == 1)
        _ = try await say(.resume(reason: "fine"))
        try await pass(.seconds(200))
        _ = try await say(.pause(reason: "another look"))
        try await pass(.seconds(60))
        _ = try await say(.resume(reason: "fine"))
        try await simulation.rest()
        #expect(try await simulation.status(of: RollOut.kind, saga) == "completed")
        let second = try #require(simulation.log.events.last { $0.type == "rollout.wave-started" })
        let watched = second.recordedAt - start - .seconds(3660)
        #expect(watched >= .seconds(600) && watched < .seconds(620))
    }

    /// Lets time pass while everything goes on.
    private func pass(_ span: Duration) async throws {
        let (engine, end) = (try simulation.engine(), simulation.clock.ids.now() + span)
        while simulation.clock.ids.now() < end {
            if await engine.turn() == 0 { simulation.clock.advance(.seconds(1)) }
        }
    }

    @Test("a release that reaches its end of life pauses it, however often it is resumed")
    func endOfLife() async throws {
        let stream = Streams.release("railzway")
        let known = ReleaseEvent.Registered(
            version: "v1.7.0",
            image: "ghcr.io/x/railzway:v1.7.0",
            status: .stable,
            minimumTier: .freeTrial,
            breaking: false
        )
        _ = try await simulation.write(Release.self, stream, .register(known))
        let saga = try await say(.start(started()))
        try await simulation.rest(until: "rollout.wave-finished")
        _ = try await simulation.write(Release.self, stream, .changeStatus(version: "v1.7.0", .eol))
        try await simulation.rest(until: "rollout.paused")
        _ = try await say(.resume(reason: "not read"))
        try await simulation.rest()
        #expect(count("rollout.paused") == 2 && count("rollout.wave-started") == 1)
        _ = try await say(.abort(reason: "read"))
        try await simulation.rest()
        #expect(try await simulation.status(of: RollOut.kind, saga) == "completed")
    }

    @Test("failures that are tolerated pause nothing")
    func tolerated() async throws {
        simulation.world.change { $0.readiness = [TenantReadiness(isReady: false)] }
        let saga = try await say(.start(started(tolerated: 1)))
        try await simulation.rest()
        #expect(try await simulation.status(of: RollOut.kind, saga) == "completed")
        #expect(count("rollout.paused") == 0)
    }
}
