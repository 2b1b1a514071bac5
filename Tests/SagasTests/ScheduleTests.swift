import Domain
import Platform
import SagaSimulator
import Testing

@testable import Sagas

/// docs/simulator.md says what is tried, and what the counts mean.
@Suite("Every saga under every single fault")
struct ScheduleTests {
    @Test("every schedule ends with all of it, with nothing, or with a person")
    func singles() async throws {
        let start = ContinuousClock.now
        var total = CampaignReport()
        var failing: [String: Set<String>] = [:]
        for scenario in SagaScenario.all {
            let begun = ContinuousClock.now
            let campaign = Campaign(scenario, lates: [nil, 2])
            var report = try await campaign.singles(Schedule.Fault.ofProcess + Schedule.Fault.lateness)
            // Whether an answer is an error has nothing to do with the organization.
            report.add(try await campaign.singles(Schedule.Fault.errors, deleted: [false]))
            print("simulator: \(scenario): \(report.summary), \(ContinuousClock.now - begun)")
            #expect(report.violations == [], "\(scenario)")
            failing[scenario.kind, default: []].formUnion(report.failing)
            total.add(report)
        }
        print("simulator: all single faults: \(total.summary), \(ContinuousClock.now - start)")
        for definition in try await Simulation().definitions() where failing[definition.kind] != nil {
            #expect(failing[definition.kind] == Set(definition.steps.map(\.id)), "\(definition.kind)")
            for step in definition.steps where step.policy.target != "log" {
                #expect(total.failed.contains("\(definition.kind) \(step.id)"))
            }
        }
    }

    @Test("every saga of the registry is tried")
    func complete() async throws {
        let known = Set(try await Simulation().definitions().map(\.kind))
        #expect(known == Set(SagaScenario.all.map(\.kind)))
    }

    @Test("without any one of the protections some schedule ends badly", arguments: Mutant.allCases)
    func mutants(mutant: Mutant) async throws {
        for scenario in SagaScenario.all {
            for faults in [mutant.faults, Schedule.Fault.ofProcess] {
                let campaign = Campaign(scenario, without: mutant)
                if !(try await campaign.singles(faults, stopsAtFirst: true)).violations.isEmpty { return }
            }
        }
        Issue.record("nothing noticed that \(mutant) was off")
    }

    @Test("every step that goes outside has been the failing one")
    func coverage() async throws {
        var failed: Set<String> = []
        for call in ProvisionInstanceTests.calls {
            let simulation = try await Simulation()
            simulation.world.change { $0.refusals[call] = [.unknown(code: "reset", message: "connection reset")] }
            try await simulation.provision()
            #expect(try await simulation.violations() == [])
            for case .stepAttemptFailed(let fact) in try simulation.sagaEvents() { failed.insert(fact.step) }
        }
        let steps = try await Simulation().definition().steps
        #expect(failed == Set(steps.filter { $0.policy.target != "log" }.map(\.id)))
    }
}

extension Mutant {
    /// The likeliest to show it first.
    fileprivate var faults: [Schedule.Fault] {
        switch self {
        case .idempotencyKey, .derivation, .intent: [.crash, .lost]
        case .settleLock, .tombstone, .burn, .compareAndSet: [.inFlight]
        case .fence: [.zombie]
        }
    }
}
