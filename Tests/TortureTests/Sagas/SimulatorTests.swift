import SagaSimulator
import Testing

extension Torture {
    /// docs/simulator.md says what is tried, and what the counts mean.
    @Suite("Sagas under every pair of faults")
    struct Simulator {
        private static let scenarios = SagaScenario.all.filter { scenario in
            Torture.scenario.map { "\(scenario)".contains($0) } ?? true
        }

        @Test("whatever befalls a process and the one that takes over, it ends with all of it or nothing")
        func doubles() async throws {
            let stride = Torture.stride
            let two = ["provision-instance", "terminate-instance"]
            for scenario in Self.scenarios where two.contains(scenario.kind) {
                let start = ContinuousClock.now
                let report = try await Campaign(scenario, lates: [0, 5, 20, nil]).doubles(stride: stride)
                let share = stride == 1 ? "all pairs" : "every \(stride)th pair"
                Verdict.publish("simulator: \(scenario), \(share): \(report.summary), \(ContinuousClock.now - start)")
                #expect(report.violations == [], "\(scenario)")
                #expect(report.schedules > 0, "\(scenario)")
            }
        }

        @Test("several processes at once, with whatever a seed brings")
        func walks() async throws {
            let count = UInt64(Torture.size(bounded: 10, full: 2000))
            // In short always the same, so that a failure is a change's; in full others every time.
            let first = Torture.Size.current == .full ? UInt64.random(in: 0..<1 << 32) : 2_526_764_078
            for scenario in Self.scenarios {
                let start = ContinuousClock.now
                let report = try await Campaign(scenario).walks(seeds: first..<first + count)
                Verdict.publish(
                    "simulator: \(scenario), seeds from \(first): \(report.summary), \(ContinuousClock.now - start)"
                )
                #expect(report.violations == [], "\(scenario), seeds from \(first)")
            }
        }
    }
}
