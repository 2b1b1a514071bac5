internal import Domain
internal import EventStore
internal import Sagas
internal import SignalboxTestKit
internal import Synchronization

/// One saga under every single fault, at every point.
package struct Campaign: Sendable {
    package let scenario: SagaScenario
    /// The protection that is switched off.
    package var mutant: Mutant?
    /// When whatever is late shows up, in points of the process that took over.
    package var lates: [Int?]

    package init(_ scenario: SagaScenario, without mutant: Mutant? = nil, lates: [Int?] = [nil, 0, 2, 7, 20]) {
        self.scenario = scenario
        self.mutant = mutant
        self.lates = lates
    }

    /// Tries every single fault.
    ///
    /// - Parameters:
    ///   - faults: Which ones.
    ///   - deleted: Whether the organization is deleted at the moment of the fault.
    ///   - stopsAtFirst: Whether one violation is enough.
    /// - Returns: What came of it.
    /// - Throws: What the log throws.
    package func singles(
        _ faults: [Schedule.Fault],
        deleted: [Bool] = [false, true],
        stopsAtFirst: Bool = false
    ) async throws -> CampaignReport {
        let start = try await scenario.begin(without: mutant)
        let moments = try await start.rehearse(kind: scenario.kind)
        let cases = faults.flatMap { fault in
            moments.indices.filter { fault.strikes(at: moments[$0].label) }.flatMap { index in
                deleted.flatMap { deletes in
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
        var report = CampaignReport(points: moments.count)
        try await CampaignReport.gather(cases, into: &report, stopsAtFirst: stopsAtFirst) { schedule in
            try await moments[schedule.strikes[0].point].play(schedule, from: start)
        }
        report.failing = Set(cases.compactMap { moments[$0.strikes[0].point].step })
        return report
    }
}

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
    }

    fileprivate mutating func add(_ outcome: Simulation.Outcome, of schedule: some CustomStringConvertible) {
        schedules += 1
        ends.merge(outcome.ends) { $0 + $1 }
        guard !outcome.violations.isEmpty else { return }
        violations.append("\(schedule): \(Set(outcome.violations).sorted().joined(separator: ", "))")
    }

    /// Plays schedules side by side; each has a world of its own.
    static func gather<Case: Sendable & CustomStringConvertible>(
        _ cases: [Case],
        into report: inout CampaignReport,
        stopsAtFirst: Bool = false,
        lanes: Int = 4,
        _ play: @escaping @Sendable (Case) async throws -> Simulation.Outcome
    ) async throws {
        let next = Counter()
        let reports = try await withThrowingTaskGroup(of: CampaignReport.self) { group in
            for _ in 0..<lanes {
                group.addTask {
                    var report = CampaignReport()
                    while true {
                        let index = next.take()
                        guard index < cases.count else { return report }
                        report.add(try await play(cases[index]), of: cases[index])
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

/// One point of a rehearsal, and all that was the case there.
package struct Moment: Sendable {
    package var label: SimulatedProcess.Point
    /// The step that was under way.
    package var step: String?
    /// As a process that died there would have left it.
    var simulation: Simulation
    var pending: SimulatedProcess.Request?

    /// Plays a schedule whose first strike is here.
    ///
    /// What a dead process leaves is known from the rehearsal, so it need not be played again.
    func play(_ schedule: Schedule, from start: Simulation) async throws -> Simulation.Outcome {
        guard let first = schedule.strikes.first, first.fault == .crash || first.fault == .inFlight else {
            return try await start.copy().play(schedule)
        }
        let simulation = simulation.copy()
        if first.fault == .inFlight, let pending { simulation.world.send(pending) }
        if first.deletes { await simulation.deleteOrganization() }
        return try await simulation.play(Schedule(strikes: Array(schedule.strikes.dropFirst()), late: schedule.late))
    }
}

extension Simulation {
    /// What a process without faults passes, from here to the end.
    ///
    /// - Parameter kind: The saga whose steps are looked at.
    /// - Returns: Its points.
    /// - Throws: What ``settle(_:patience:)-(SimulatedProcess,_)`` throws.
    package func rehearse(kind: String) async throws -> [Moment] {
        let copy = copy()
        let moments = Mutex<[Moment]>([])
        let box = Mutex<SimulatedProcess?>(nil)
        let process = SimulatedProcess { _, point in
            let moment = Moment(
                label: point,
                step: copy.step(of: kind),
                simulation: copy.copy(),
                pending: box.withLock { $0 }?.pending
            )
            moments.withLock { $0.append(moment) }
            return .go
        }
        box.withLock { $0 = process }
        try await copy.settle(process)
        return moments.withLock { $0 }
    }

    /// The step that a saga of this kind is at.
    private func step(of kind: String) -> String? {
        let prefix = "saga-\(kind)."
        let last = log.events.last {
            $0.stream.text.hasPrefix(prefix) && $0.type == SagaEvent.Name.stepStarted.rawValue
        }
        guard let last,
            let event = try? SagaEvent.decode(
                type: last.type,
                schemaVersion: last.schemaVersion,
                payload: last.payload ?? []
            ), case .stepStarted(let fact) = event
        else { return nil }
        return fact.step
    }
}
