import SagaSimulator
import Testing

extension Torture {
    /// docs/simulator.md says what is tried, and what the counts mean.
    @Suite("Sagas under every pair of faults")
    struct Simulator {
        @Test("whatever befalls a process and the one that takes over, it ends with all of it or nothing")
        func doubles() async throws {
            for scenario in SagaScenario.all where ["provision-instance", "terminate-instance"].contains(scenario.kind)
            {
                let start = ContinuousClock.now
                let stride = Torture.size(bounded: 997, full: 1)
                let campaign = Campaign(scenario, lates: [0, 5, 10, 20, 40, nil])
                let report = try await campaign.doubles(stride: stride)
                let share = stride == 1 ? "all pairs" : "every \(stride)th pair"
                print("torture: simulator: \(scenario), \(share): \(report.summary), \(ContinuousClock.now - start)")
                #expect(report.violations == [], "\(scenario)")
            }
        }

        @Test("several processes at once, with whatever a seed brings")
        func walks() async throws {
            for scenario in SagaScenario.all {
                let start = ContinuousClock.now
                let report = try await Campaign(scenario).walks(seeds: 0..<Torture.size(bounded: 50, full: 10_000))
                print("torture: simulator: \(scenario), seeds: \(report.summary), \(ContinuousClock.now - start)")
                #expect(report.violations == [], "\(scenario)")
            }
        }
    }
}
