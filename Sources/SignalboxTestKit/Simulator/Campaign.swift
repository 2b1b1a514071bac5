/// One saga under every single fault, at every point.
package struct Campaign: Sendable {
    package let scenario: SagaScenario
    /// The protection that is switched off.
    package var mutant: Mutant?
    /// When whatever is late shows up, in points of the process that took over.
    package var lates: [Int?]

    /// Whether the sagas that follow from the scenario's own are struck, too.
    package var isWide: Bool

    package init(
        _ scenario: SagaScenario,
        without mutant: Mutant? = nil,
        lates: [Int?] = [nil, 0, 2, 7, 20],
        isWide: Bool = false
    ) {
        self.scenario = scenario
        self.mutant = mutant
        self.lates = lates
        self.isWide = isWide
    }

    /// Tries every single fault.
    ///
    /// - Parameters:
    ///   - faults: Which ones.
    ///   - deleted: Whether the organization is deleted at the moment of the fault; `nil` for both.
    ///   - stopsAtFirst: Whether one violation is enough.
    /// - Returns: What came of it.
    /// - Throws: What the log throws.
    package func singles(
        _ faults: [Schedule.Fault],
        deleted: [Bool]? = nil,
        stopsAtFirst: Bool = false
    ) async throws -> CampaignReport {
        let start = try await scenario.begin(without: mutant)
        let moments = try await start.rehearse(kind: scenario.kind)
        let points = moments.indices.filter { isWide || moments[$0].isInFocus }
        let cases = faults.flatMap { fault in
            points.filter { fault.strikes(at: moments, $0) }.flatMap { index in
                (deleted ?? scenario.deletions).flatMap { deletes in
                    (fault.isLate ? lates : [nil]).map { late in
                        let strike = Schedule.Strike(
                            fault: fault,
                            point: index,
                            label: moments[index].label,
                            deletes: deletes
                        )
                        return Schedule(strikes: [strike], late: late)
                    }
                }
            }
        }
        var report = CampaignReport(points: points.count)
        try await CampaignReport.gather(cases, into: &report, stopsAtFirst: stopsAtFirst) { schedule in
            var report = CampaignReport()
            report.add(try await moments[schedule.strikes[0].point].play(schedule, from: start), of: schedule)
            return report
        }
        report.failing = Set(cases.compactMap { moments[$0.strikes[0].point].step })
        return report
    }

    /// Plays schedules that come from seeds, with several processes at once.
    ///
    /// - Parameter seeds: Each is a schedule.
    /// - Returns: What came of it.
    /// - Throws: What the log throws.
    package func walks(seeds: Range<UInt64>) async throws -> CampaignReport {
        let start = try await scenario.begin(without: mutant)
        var report = CampaignReport()
        try await CampaignReport.gather(Array(seeds), into: &report) { seed in
            var report = CampaignReport()
            report.add(try await start.copy().walk(seed: seed), of: "seed \(seed)")
            return report
        }
        return report
    }
}
