internal import Commands
package import Domain
package import Kernel
package import Platform

/// Decides what a sweep comes to, from what should be there, what is there, and what earlier sweeps saw; pure.
package struct Planner: Sendable {
    /// How careful it is; the defaults are production's.
    package struct Settings: Sendable, Equatable {
        /// So long a difference has to be seen before anything is done about it, in two sweeps at least.
        package var settled: Duration
        /// So many things may be taken away in one sweep without asking a person, or this share of all instances.
        package var brake: Int
        package var brakeShare: Double
        /// After so long something that was detected and is still there is detected again.
        package var again: Duration
        /// So often; then it is left to people.
        package var most: Int

        package init(
            settled: Duration = .seconds(60),
            brake: Int = 3,
            brakeShare: Double = 0.02,
            again: Duration = .seconds(600),
            most: Int = 10
        ) {
            self.settled = settled
            self.brake = brake
            self.brakeShare = brakeShare
            self.again = again
            self.most = most
        }
    }

    /// What earlier sweeps saw.
    package struct Memory: Sendable, Equatable {
        package struct Sighting: Sendable, Equatable {
            package var first: Timestamp
            package var count: Int
        }

        package fileprivate(set) var sightings: [FindingKey: Sighting] = [:]

        package init() {}
    }

    /// What is to be recorded.
    package struct Plan: Sendable, Equatable {
        package var detected: [FindingKey: InstanceEvent.Drift] = [:]
        package var repaired: [FindingKey: InstanceEvent.Drift] = [:]
        package var conditions: [InstanceID: [InstanceEvent.Observed]] = [:]
        /// What a person should know; in no event.
        package var alarms: [String] = []
        /// How much would have been taken away, when that was too much.
        package var braked = 0
    }

    private let settings: Settings
    private let names: Names

    package init(settings: Settings = Settings(), names: Names) {
        self.settings = settings
        self.names = names
    }

    /// What one sweep comes to.
    ///
    /// - Parameters:
    ///   - desired: Every instance.
    ///   - observed: What the targets said.
    ///   - memory: What earlier sweeps saw; becomes what the next one should know.
    ///   - now: The time.
    /// - Returns: What is to be recorded.
    package func plan(
        _ desired: [DesiredInstance],
        _ observed: ObservedTargets,
        _ memory: inout Memory,
        at now: Timestamp
    ) -> Plan {
        let comparison = Comparison(desired, observed, names)
        let findings = comparison.findings
        let instances = Dictionary(desired.map { ($0.id, $0) }) { first, _ in first }
        remember(findings, comparison, instances, &memory, at: now)

        var plan = Plan()
        let ripe = findings.filter { isRipe($0.key, memory, at: now) }
        let due = ripe.filter { $0.kind.response == .repair && isDue($0, instances, &plan, at: now) }
        let taken = due.count { $0.kind.isDestructive }
        let allowed = max(settings.brake, Int(Double(desired.count) * settings.brakeShare))
        if taken > allowed { plan.braked = taken }
        for finding in due {
            let known = instances[finding.instance]?.drifts[finding.key]
            plan.detected[finding.key] = InstanceEvent.Drift(
                what: finding.kind.rawValue,
                expected: finding.expected,
                observed: finding.observed,
                name: finding.name,
                generation: finding.generation,
                count: (known?.fact.count ?? 0) + 1,
                braked: plan.braked > 0 && finding.kind.isDestructive ? true : nil
            )
        }
        for one in desired where !one.isBusy { settle(one, findings, ripe, comparison, &plan) }
        plan.alarms += comparison.strangers.map { "\($0) carries our tag for an instance that the log does not know" }
        plan.alarms += ripe.filter { $0.kind == .databaseGone }.map { "the database \($0.name) is gone" }
        return plan
    }

    /// Counts what was seen again; forgets what was not, where its absence means something.
    private func remember(
        _ findings: [Finding],
        _ comparison: Comparison,
        _ instances: [InstanceID: DesiredInstance],
        _ memory: inout Memory,
        at now: Timestamp
    ) {
        let seen = Set(findings.map(\.key))
        for key in memory.sightings.keys where !seen.contains(key) {
            let isBusy = instances[key.instance]?.isBusy ?? true
            if isBusy || comparison.isCertain(key.kind) { memory.sightings[key] = nil }
        }
        for key in seen {
            var sighting = memory.sightings[key] ?? Memory.Sighting(first: now, count: 0)
            sighting.count += 1
            memory.sightings[key] = sighting
        }
    }

    private func isRipe(_ key: FindingKey, _ memory: Memory, at now: Timestamp) -> Bool {
        guard let sighting = memory.sightings[key] else { return false }
        return sighting.count >= 2 && now - sighting.first >= settings.settled
    }

    /// Whether it is news, or has waited long enough to be tried again.
    private func isDue(
        _ finding: Finding,
        _ instances: [InstanceID: DesiredInstance],
        _ plan: inout Plan,
        at now: Timestamp
    ) -> Bool {
        guard let known = instances[finding.instance]?.drifts[finding.key] else { return true }
        guard (known.fact.count ?? 1) < settings.most else {
            plan.alarms.append(
                "\(finding.kind.rawValue) of \(finding.name) was repaired \(settings.most) times in vain"
            )
            return false
        }
        return now - known.at >= settings.again
    }

    /// What is well again, and the conditions that tell what people have to do.
    private func settle(
        _ one: DesiredInstance,
        _ findings: [Finding],
        _ ripe: [Finding],
        _ comparison: Comparison,
        _ plan: inout Plan
    ) {
        let seen = Set(findings.filter { $0.instance == one.id }.map(\.key))
        for (key, known) in one.drifts where !seen.contains(key) && comparison.isCertain(key.kind) {
            plan.repaired[key] = known.fact
        }
        guard one.stage != .terminated else { return }
        for kind in DriftKind.allCases {
            guard case .condition(let name) = kind.response else { continue }
            let known = one.conditions[name]
            if let finding = ripe.first(where: { $0.instance == one.id && $0.kind == kind }) {
                let reason = "\(finding.name) is \(finding.observed), should be \(finding.expected)"
                guard known?.status != .yes || known?.reason != reason else { continue }
                plan.conditions[one.id, default: []].append(
                    .init(condition: name, status: .yes, reason: reason, generation: one.generation)
                )
            } else if known?.status == .yes, comparison.isCertain(kind), !seen.contains(where: { $0.kind == kind }) {
                plan.conditions[one.id, default: []].append(
                    .init(condition: name, status: .no, reason: "as it should be", generation: one.generation)
                )
            }
        }
    }
}
