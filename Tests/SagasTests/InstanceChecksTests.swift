import Commands
import Domain
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Looking at everything that an instance needs")
struct InstanceChecksTests {
    private func found(_ simulation: Simulation, isUp: Bool = true) async throws -> [String: InstanceCheck] {
        let checks = InstanceChecks(ports: try simulation.ports(SimulatedProcess()), log: simulation.log)
        let all = try await checks.all(of: simulation.instance, isUp: isUp)
        #expect(all.map(\.name) == ["job", "catalog", "route", "tenant", "database", "role"])
        return Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
    }

    private func provisioned() async throws -> Simulation {
        let simulation = try await Simulation()
        try await simulation.provision()
        return simulation
    }

    @Test("finds all of it well while it runs, and changes nothing")
    func well() async throws {
        let simulation = try await provisioned()
        let before = simulation.log.events.count
        for check in try await found(simulation).values {
            #expect(check.status == .passing && check.detail == nil, "\(check)")
        }
        #expect(simulation.log.events.count == before)
    }

    @Test("says what is gone")
    func gone() async throws {
        let simulation = try await provisioned()
        simulation.world.change { state in
            state.databases.removeAll()
            state.jobs.removeAll()
        }
        let checks = try await found(simulation)
        for name in ["job", "catalog", "tenant", "database"] {
            #expect(checks[name]?.status == .failing && checks[name]?.detail?.isEmpty == false, "\(name)")
        }
    }

    @Test("does not look for what is not meant to run, and says so")
    func stopped() async throws {
        let simulation = try await provisioned()
        try await simulation.ask(.requestStop(reason: "asked"))
        let checks = try await found(simulation, isUp: false)
        for name in ["job", "catalog", "route", "tenant"] { #expect(checks[name]?.status == .skipped, "\(name)") }
        #expect(checks["database"]?.status == .passing && checks["role"]?.status == .passing)
    }

    @Test("what cannot be asked is not known, and keeps the others from nothing")
    func unknown() async throws {
        let simulation = try await provisioned()
        simulation.world.change {
            $0.refusals["probeDatabase"] = Array(repeating: .transient(code: "503", message: "unwell"), count: 9)
        }
        let checks = try await found(simulation)
        #expect(checks["database"]?.status == .unknown && checks["database"]?.detail == "unwell")
        #expect(checks["job"]?.status == .passing && checks["route"]?.status == .passing)
    }
}
