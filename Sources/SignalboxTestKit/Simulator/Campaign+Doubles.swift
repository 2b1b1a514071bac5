internal import Sagas

extension Campaign {
    /// Tries every pair of faults of a process: the one that takes over from the first suffers one too, and a third ends
    /// it.
    ///
    /// The organization is deleted never, at the first fault or at the second.
    ///
    /// - Parameters:
    ///   - faults: Which ones, each with each.
    ///   - stride: Only every so-manieth pair is played; 1 for all.
    ///   - offset: With which pair it begins.
    /// - Returns: What came of it.
    /// - Throws: What the log throws.
    package func doubles(
        _ faults: [Schedule.Fault] = Schedule.Fault.ofProcess,
        stride: Int = 1,
        offset: Int = 0
    ) async throws -> CampaignReport {
        let start = try await scenario.begin(without: mutant)
        let moments = try await start.rehearse(kind: scenario.kind)
        var report = CampaignReport(points: moments.count)
        let firsts = moments.indices.filter { isWide || moments[$0].isInFocus }.flatMap { index in
            faults.filter { $0.strikes(at: moments, index) }.flatMap { fault in
                scenario.deletions.map {
                    Schedule.Strike(fault: fault, point: index, label: moments[index].label, deletes: $0)
                }
            }
        }
        try await CampaignReport.gather(Array(firsts.enumerated()), into: &report) { number, first in
            try await seconds(
                after: first,
                at: moments[first.point],
                from: start,
                faults: faults,
                every: stride,
                // A prime, so that the second faults are spread over all of them, too.
                but: (offset + number * 7919) % stride
            )
        }
        report.failing = Set(firsts.compactMap { moments[$0.point].step })
        return report
    }

    /// Everything that can happen to the process that takes over.
    private func seconds(
        after first: Schedule.Strike,
        at moment: Moment,
        from start: Simulation,
        faults: [Schedule.Fault],
        every stride: Int,
        but skipped: Int
    ) async throws -> CampaignReport {
        var report = CampaignReport()
        let left = await moment.left(by: first)
        let moments = try await left.rehearse(kind: scenario.kind)
        var number = skipped
        for index in moments.indices where isWide || moments[index].isInFocus {
            for fault in faults where fault.strikes(at: moments, index) {
                for deletes in first.deletes ? [false] : [false, true] {
                    number += 1
                    guard number % stride == 0 else { continue }
                    let second = Schedule.Strike(
                        fault: fault,
                        point: index,
                        label: moments[index].label,
                        deletes: deletes
                    )
                    for late in first.fault.isLate || fault.isLate ? lates : [nil] {
                        let schedule = Schedule(strikes: [first, second], late: late)
                        let outcome: Simulation.Outcome
                        if first.fault == .zombie {
                            outcome = try await start.copy().play(schedule)
                        } else {
                            let rest = Schedule(strikes: [second], late: late)
                            outcome = try await moments[index].play(rest, from: left)
                        }
                        report.add(outcome, of: schedule)
                        // Later than the last process's end is the same as after it.
                        if let late, outcome.points <= late { break }
                    }
                }
            }
        }
        return report
    }
}
