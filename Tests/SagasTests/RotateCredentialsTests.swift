import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Rotating credentials")
struct RotateCredentialsTests {
    /// A running instance whose next rotation was asked for.
    private func asked(_ rotations: Int = 1) async throws -> (Simulation, UniqueID) {
        let simulation = try await Simulation()
        try await simulation.settle(SimulatedProcess())
        for rotation in 1..<rotations {
            try await simulation.request(Self.wish(rotation))
            try await simulation.settle(SimulatedProcess())
        }
        return (simulation, try await simulation.request(Self.wish(rotations)))
    }

    private static func wish(_ rotation: Int) -> Instance.Command {
        .requestChange(.init(change: InstanceChange.credentials, from: "\(rotation)", to: "\(rotation + 1)"))
    }

    private func end(_ simulation: Simulation, _ cause: UniqueID) async throws -> String? {
        try await simulation.settle(SimulatedProcess())
        return try await simulation.status(cause, of: RotateCredentials.kind)
    }

    @Test("the next login is the only one in the end, and the workload was started anew as the same version")
    func happy() async throws {
        let (simulation, cause) = try await asked()
        let before = simulation.world.read { $0.jobs.values.first }
        #expect(try await end(simulation, cause) == "completed")
        #expect(try await simulation.violations() == [])
        let instance = try await simulation.folded(simulation.instance)
        #expect(instance.stage == .running)
        #expect(instance.credentials == .init(keyVersion: 1, rotation: 2, generation: 1))
        simulation.world.read { state in
            let job = state.jobs.values.first
            #expect(job?.version == before?.version)
            #expect(job?.starts == 2)
            #expect(job?.reads["db_user"] == Secret("railzway_user_42_r2"))
            #expect(job?.reads["db_password"] != before?.reads["db_password"])
            // What the tenant keeps encrypted, and who is signed in there, does not notice.
            for item in ["jwt_secret", "payment_secret"] { #expect(job?.reads[item] == before?.reads[item]) }
            #expect(state.roles["railzway_user_42"]?.password == World.noPassword)
        }
    }

    @Test("the third login replaces the second, and the first stays the owner without a password")
    func again() async throws {
        let (simulation, cause) = try await asked(2)
        #expect(try await end(simulation, cause) == "completed")
        #expect(try await simulation.violations() == [])
        simulation.world.read { state in
            #expect(state.roles.keys.sorted() == ["railzway_user_42", "railzway_user_42_r3"])
            #expect(state.roles["railzway_user_42"]?.password == World.noPassword)
        }
    }

    @Test("a scheduler that does not start anew what reads the secret is told to")
    func restarts() async throws {
        let (simulation, cause) = try await asked()
        simulation.world.change { $0.restartsByItself = false }
        #expect(try await end(simulation, cause) == "completed")
        #expect(try await simulation.violations() == [])
        let failures = try simulation.sagaEvents(cause, of: RotateCredentials.kind).filter {
            $0.name == .stepAttemptFailed
        }
        #expect(failures.count == 1)
    }

    @Test("what does not get well with the next login goes on with the one before", arguments: [false, true])
    func unwell(restartsByItself: Bool) async throws {
        let (simulation, cause) = try await asked()
        simulation.world.change { state in
            state.restartsByItself = restartsByItself
            state.health = [.healthy, .failed(reason: "exit 1"), .healthy]
        }
        #expect(try await end(simulation, cause) == "compensated")
        #expect(try await simulation.violations() == [])
        let instance = try await simulation.folded(simulation.instance)
        #expect(instance.stage == .running)
        #expect(instance.credentials?.rotation == 1)
        #expect(simulation.world.read { $0.roles.keys.sorted() } == ["railzway_user_42"])
        #expect(simulation.world.read { $0.jobs.values.first?.reads["db_user"] } == Secret("railzway_user_42"))
    }

    @Test("a workload that is not well already is left as it is")
    func illBefore() async throws {
        let (simulation, cause) = try await asked()
        simulation.world.change { $0.health = [.failed(reason: "exit 1")] }
        #expect(try await end(simulation, cause) == "compensated")
        #expect(simulation.world.read { $0.jobs.values.first?.starts } == 1)
        #expect(try await simulation.violations() == [])
    }

    private static let calls = [
        "ensureLogin", "condition", "readSecret", "putSecret", "starts", "isInUse", "retireLogin",
    ]

    @Test("an outage of any call is waited out", arguments: calls)
    func outage(call: String) async throws {
        let (simulation, cause) = try await asked()
        simulation.world.change {
            $0.refusals[call] = Array(repeating: .transient(code: "503", message: "unwell"), count: 3)
        }
        #expect(try await end(simulation, cause) == "completed")
        #expect(try await simulation.violations() == [])
    }

    @Test("a call that is refused for good leaves the instance as it was", arguments: calls)
    func refused(call: String) async throws {
        let (simulation, cause) = try await asked()
        simulation.world.change { $0.refusals[call] = [.permanent(code: "400", message: "no way")] }
        #expect(try await end(simulation, cause) == "compensated")
        #expect(try await simulation.violations() == [])
        let last = simulation.log.events.last { $0.type == "instance.change-rolled-back" }
        let payload = String(decoding: try #require(last?.payload), as: UTF8.self)
        #expect(payload.contains("no way"))
    }

    @Test("no password is in any event")
    func secrets() async throws {
        let (simulation, cause) = try await asked(2)
        _ = try await end(simulation, cause)
        let secrets = simulation.world.read { state in
            state.secrets.values.flatMap { $0.items.filter { $0.key != "db_user" }.values }
        }
        for event in simulation.log.events {
            let payload = String(decoding: event.payload ?? [], as: UTF8.self)
            for secret in secrets { #expect(!payload.contains(secret.revealed)) }
        }
    }
}
