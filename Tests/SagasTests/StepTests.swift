import Kernel
import SagaSimulator
import Testing

@testable import Sagas

/// What every step of every table has to stand; new sagas and new steps are taken from the registry.
@Suite("Every step of every saga")
struct StepTests {
    @Test("can be done twice, taken back twice, taken back when it was only begun, and fail, and nothing is left")
    func trials() async throws {
        let start = ContinuousClock.now
        var total = CampaignReport()
        for scenario in SagaScenario.all {
            let report = try await scenario.trials()
            #expect(report.violations == [], "\(scenario)")
            total.add(report)
        }
        print("simulator: every step on trial: \(total.summary), \(ContinuousClock.now - start)")
        let wanted = try await Simulation().definitions().reduce(into: Set()) { $0.formUnion(StepTrial.all(of: $1)) }
        let untried = wanted.subtracting(total.trials).map(\.description).sorted()
        // No look tells that a password is the right one.
        #expect(untried == ["provision-instance create-role: found"])
    }

    @Test("has a name of its own, and waits only for undos that come before its own")
    func tables() async throws {
        for definition in try await Simulation().definitions() {
            let ids = definition.steps.map(\.id)
            #expect(Set(ids).count == ids.count, "\(definition.kind)")
            for (index, step) in definition.steps.enumerated() {
                // Undone in reverse, so what is waited for stands further down; a circle is impossible then.
                for later in step.undoAfter {
                    #expect(ids[(index + 1)...].contains(later), "\(definition.kind) \(step.id)")
                }
                #expect("sbx/\(UniqueID(0))/\(step.id)/f9999".utf8.count <= 80, "\(definition.kind) \(step.id)")
            }
            #expect(definition.steps.filter(\.policy.pivot).count <= 1, "\(definition.kind)")
        }
    }
}
