internal import Synchronization

/// What came of a campaign.
package struct CampaignReport: Sendable {
    /// How many schedules were played.
    package var schedules = 0
    /// At how many points a process without faults passes.
    package var points: Int
    /// How many sagas ended how.
    package var ends: [String: Int] = [:]
    /// The schedules that ended badly, and how.
    package var violations: [String] = []
    /// The steps that were under way when a fault struck.
    package var failing: Set<String> = []
    /// The steps of which an attempt failed, or was not heard of again: the saga's kind, and the step.
    package var failed: Set<String> = []
    /// What the steps have gone through in trials of their own.
    package var trials: Set<StepTrial> = []

    package init(points: Int = 0) {
        self.points = points
    }

    package var summary: String {
        let ends = ends.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        return "\(schedules) schedules over \(points) points, \(violations.count) violations (\(ends))"
    }

    package mutating func add(_ other: CampaignReport) {
        schedules += other.schedules
        points += other.points
        ends.merge(other.ends) { $0 + $1 }
        violations += other.violations
        failing.formUnion(other.failing)
        failed.formUnion(other.failed)
        trials.formUnion(other.trials)
    }

    mutating func add(_ outcome: Simulation.Outcome, of schedule: some CustomStringConvertible) {
        schedules += 1
        ends.merge(outcome.ends) { $0 + $1 }
        failed.formUnion(outcome.failed)
        guard !outcome.violations.isEmpty else { return }
        violations.append("\(schedule): \(Set(outcome.violations).sorted().joined(separator: ", "))")
    }

    /// Plays schedules side by side; each has a world of its own.
    static func gather<Case: Sendable>(
        _ cases: [Case],
        into report: inout CampaignReport,
        stopsAtFirst: Bool = false,
        lanes: Int = 2,
        _ play: @escaping @Sendable (Case) async throws -> CampaignReport
    ) async throws {
        let next = Counter()
        let reports = try await withThrowingTaskGroup(of: CampaignReport.self) { group in
            for _ in 0..<lanes {
                group.addTask {
                    var report = CampaignReport()
                    while true {
                        let index = next.take()
                        guard index < cases.count else { return report }
                        report.add(try await play(cases[index]))
                        if stopsAtFirst, !report.violations.isEmpty { next.skip(to: cases.count) }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for found in reports { report.add(found) }
    }
}

/// Which case is next.
private final class Counter: Sendable {
    private let number = Atomic(0)
    func take() -> Int { number.add(1, ordering: .relaxed).oldValue }
    func skip(to end: Int) { number.store(end, ordering: .relaxed) }
}
