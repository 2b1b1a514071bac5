internal import Platform
package import Sagas
internal import SignalboxTestKit
internal import Synchronization

/// One thing that every step of every table has to go through, and the step.
package struct StepTrial: Sendable, Hashable, CustomStringConvertible {
    /// What a step goes through.
    package enum Ordeal: Sendable, Hashable, CaseIterable {
        /// It was brought about twice, and the second time changed nothing.
        case doneTwice
        /// Its probe has seen what it had brought about.
        case found
        /// It failed for good before anything had happened.
        case failedBefore
        /// It failed for good when all of it had happened.
        case failedAfter
        /// It was taken back twice, and the second time changed nothing.
        case undoneTwice
        /// Taking it back failed once, before or after anything had happened.
        case undoFailed
    }

    /// The saga's.
    package var kind: String
    package var step: String
    package var ordeal: Ordeal

    package var description: String { "\(kind) \(step): \(ordeal)" }

    /// What the steps of a saga have to go through.
    package static func all(of definition: SagaDefinition) -> Set<StepTrial> {
        let trials = definition.steps.flatMap { step in
            Ordeal.allCases.compactMap { ordeal -> StepTrial? in
                switch ordeal {
                case .undoneTwice, .undoFailed: guard step.ensureAbsent != nil else { return nil }
                case .found: guard step.probe != nil else { return nil }
                case .doneTwice, .failedBefore, .failedAfter: break
                }
                return StepTrial(kind: definition.kind, step: step.id, ordeal: ordeal)
            }
        }
        return Set(trials)
    }
}

extension SagaScenario {
    /// Puts every step of the saga on trial: all is done twice and taken back twice, and each step fails once.
    ///
    /// - Returns: What came of it, and what every step has gone through.
    /// - Throws: What the log throws.
    package func trials() async throws -> CampaignReport {
        let start = try await begin()
        // A secret that is noticed between two looks at what runs would make them differ.
        start.world.change { $0.restartsByItself = false }
        var report = try await StepBench(self, failing: nil).play(start)
        let steps = report.trials.filter { $0.kind == kind && $0.ordeal == .doneTwice }.map(\.step).sorted()
        let failures = steps.flatMap { step in
            [StepTrial.Ordeal.failedBefore, .failedAfter].map { StepTrial(kind: kind, step: step, ordeal: $0) }
        }
        try await CampaignReport.gather(failures, into: &report) { failure in
            try await StepBench(self, failing: failure).play(start)
        }
        return report
    }
}

/// Where the steps of one simulation are watched.
private final class StepBench: Sendable {
    private struct State {
        var seen: Set<StepTrial> = []
        var flaws: [String] = []
    }

    private let scenario: SagaScenario
    /// The step that fails, and how; `nil` for none.
    private let failure: StepTrial?
    private let state = Mutex(State())

    init(_ scenario: SagaScenario, failing failure: StepTrial?) {
        (self.scenario, self.failure) = (scenario, failure)
    }

    /// Plays the scenario to its end.
    func play(_ start: Simulation) async throws -> CampaignReport {
        let simulation = start.copy { [self] definition, simulation in
            definition.replacingSteps { step in
                step.with(
                    ensure: ensure(step, of: definition.kind, simulation),
                    undo: step.ensureAbsent.map { undo($0, step.id, of: definition.kind, simulation) }
                )
            }
        }
        var outcome = try await simulation.play(Schedule(strikes: []))
        var report = CampaignReport()
        state.withLock { state in
            outcome.violations += state.flaws
            report.trials = state.seen
        }
        report.add(outcome, of: failure.map { "\($0)" } ?? "all done twice")
        return report
    }

    private func ensure(_ step: SagaStep, of kind: String, _ simulation: Simulation) -> SagaStep.Ensure {
        { [self] context throws(PortError) in
            try fails(.failedBefore, kind, step.id)
            let first = try await step.ensure(context)
            // Whoever waits has nothing to show yet, and is asked again anyway.
            if case .waiting = first { return first }
            let world = simulation.fingerprint
            let second = try await step.ensure(context)
            if first != second { flaw("\(kind) \(step.id) comes out as \(first), then as \(second)") }
            if simulation.fingerprint != world { flaw("\(kind) \(step.id) has an effect when it is done again") }
            note(.doneTwice, kind, step.id)
            if let probe = step.probe {
                switch try await probe(context) {
                case .present(let found) where found == first: note(.found, kind, step.id)
                // Nothing tells by looking that a password is the right one.
                case .absent: break
                case let other: flaw("\(kind) \(step.id) comes out as \(first), and is found as \(other)")
                }
            }
            try fails(.failedAfter, kind, step.id)
            return second
        }
    }

    private func undo(
        _ undo: @escaping SagaStep.EnsureAbsent,
        _ step: String,
        of kind: String,
        _ simulation: Simulation
    ) -> SagaStep.EnsureAbsent {
        { [self] context throws(PortError) in
            let isFirst = note(.undoFailed, kind, step)
            if isFirst, failure?.ordeal == .failedBefore { throw Self.refusal }
            _ = try await undo(context)
            let world = simulation.fingerprint
            let second = try await undo(context)
            if simulation.fingerprint != world {
                flaw("the undo of \(kind) \(step) has an effect when it is done again")
            }
            note(.undoneTwice, kind, step)
            if isFirst { throw .unknown(code: "trial", message: "the answer was lost") }
            return second
        }
    }

    private static let refusal = PortError.permanent(code: "trial", message: "it fails here")

    /// Fails if this is where the trial wants it, and it has not failed yet.
    private func fails(_ ordeal: StepTrial.Ordeal, _ kind: String, _ step: String) throws(PortError) {
        guard failure == StepTrial(kind: kind, step: step, ordeal: ordeal), note(ordeal, kind, step) else { return }
        throw Self.refusal
    }

    /// - Returns: Whether it is the first time.
    @discardableResult
    private func note(_ ordeal: StepTrial.Ordeal, _ kind: String, _ step: String) -> Bool {
        state.withLock { $0.seen.insert(StepTrial(kind: kind, step: step, ordeal: ordeal)).inserted }
    }

    private func flaw(_ text: String) { state.withLock { $0.flaws.append(text) } }
}

extension Simulation {
    /// Everything that a step can change, as far as it can be compared.
    fileprivate var fingerprint: [String] {
        // A number that only counts writes is no effect, and turning somebody's secret twice turns it twice.
        world.read { state in
            state.roles.map { "role \($0) \($1.owner) \($1.password.revealed)" }.sorted()
                + state.databases.map { "database \($0) \($1)" }.sorted()
                + [state.isolated, state.quarantined, state.backups, state.erased, Set(state.customers)]
                .map { "\($0.sorted())" }
                + state.jobs.map { name, job in
                    "job \(name) \(job.owner) \(job.isStopped) \(job.stoppedBy ?? "") \(job.starts) "
                        + "\(job.memory) \(job.image) \(job.environment.sorted { $0.key < $1.key })"
                }.sorted()
                + state.secrets.map { name, variable in
                    let items = variable.items.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.revealed)" }
                    return "variable \(name) \(variable.owner) \(items) \(variable.emptiedBy ?? "")"
                }.sorted()
                + state.subscriptions.map { "\($0)" } + ["\(state.customers.count) customers"]
                + state.leases.map { "lease \($0) \($1)" }.sorted() + ["\(log.events.count) events"]
        }
    }
}
