import Commands
import Domain
import EventStore
import Kernel
import Logging
import Platform
import SagaSimulator
import SignalboxTestKit
import Synchronization
import Testing

@testable import Sagas

/// What every step of every table in ``SagaRegistry`` has to stand; new steps are taken from the tables.
@Suite("Every step of every saga")
struct UniversalStepTests {
    @Test("is there at least one way into each")
    func complete() async throws {
        let kinds = Set(try await Simulation().definitions().map(\.kind))
        let tried = Set(SagaScenario.universal.map(\.kind))
        #expect(kinds.subtracting(tried).isSubset(of: SagaScenario.untried), "a saga without a scenario")
    }

    @Test("can be done twice, and the second time changes nothing", arguments: SagaScenario.universal)
    func doneTwice(scenario: SagaScenario) async throws {
        let simulation = try await scenario.begin()
        let found = Found()
        try await simulation.play(scenario.kind) { step in
            step.ensuring { context throws(PortError) in
                let first = try await step.ensure(context)
                guard case .done = first else { return first }
                let world = simulation.fingerprint
                let second = try await step.ensure(context)
                if first != second, !step.looksOnly { found.note("\(step.id): \(first), \(second)") }
                if simulation.fingerprint != world { found.note("\(step.id) changes something again") }
                return second
            }
        }
        let (outcome, violations) = (try await simulation.outcome(scenario.kind), try await simulation.violations())
        #expect(found.all == [] && outcome == ["completed"] && violations == [], "\(found.all) \(violations)")
    }

    @Test("can be undone twice, although nobody knows whether the last one happened", arguments: SagaScenario.universal)
    func undoneTwice(scenario: SagaScenario) async throws {
        try await failing(scenario, .after) { step, simulation, found in
            guard let undo = step.ensureAbsent else { return step }
            return step.undoing { context throws(PortError) in
                _ = try await undo(context)
                let world = simulation.fingerprint
                let second = try await undo(context)
                if simulation.fingerprint != world, !step.turnsAgain { found.note("\(step.id) undoes something again") }
                return second
            }
        }
    }

    @Test("leaves nothing when it fails before it has done anything", arguments: SagaScenario.universal)
    func failsBefore(scenario: SagaScenario) async throws {
        try await failing(scenario, .before) { step, _, _ in step }
    }

    @Test("is over once it is over: reading the whole log again starts nothing", arguments: SagaScenario.universal)
    func readAgain(scenario: SagaScenario) async throws {
        let simulation = try await scenario.begin()
        try await simulation.play(scenario.kind) { $0 }
        let (end, world) = (try await simulation.log.frontier(), simulation.fingerprint)
        try await simulation.play(scenario.kind) { $0 }
        #expect(try await simulation.log.frontier() == end)
        #expect(simulation.fingerprint == world)
    }

    private enum Moment {
        case before, after
    }

    /// Each step in turn is the one that fails for good; past the point of no return a person has it tried again.
    private func failing(
        _ scenario: SagaScenario,
        _ moment: Moment,
        _ change: @Sendable @escaping (SagaStep, Simulation, Found) -> SagaStep
    ) async throws {
        let steps = try await Simulation().definition(of: scenario.kind).steps.map(\.id)
        let start = try await scenario.begin()
        for last in steps {
            let simulation = start.copy()
            let found = Found()
            try await simulation.play(scenario.kind) { step in
                let changed = change(step, simulation, found)
                guard step.id == last else { return changed }
                return changed.ensuring { context throws(PortError) in
                    if moment == .after, case .skipped(let why) = try await step.ensure(context) {
                        return .skipped(why: why)
                    }
                    throw .permanent(code: "400", message: "no way")
                }
            }
            var outcome = try await simulation.outcome(scenario.kind)
            if outcome.contains("parked") {
                try await simulation.resume(scenario.kind)
                try await simulation.play(scenario.kind) { $0 }
                outcome = try await simulation.outcome(scenario.kind)
            }
            #expect(
                outcome.isSubset(of: ["completed", "compensated", "superseded"]),
                "\(last) ends as \(outcome.sorted())"
            )
            if outcome == ["compensated"], let drift = SagaScenario.drift(of: scenario) {
                // Nothing was taken back, because nothing may be; it is detected again after a while.
                try await simulation.detect(drift)
                try await simulation.play(scenario.kind) { $0 }
            }
            let violations = try await simulation.violations()
            #expect(found.all == [] && violations == [], "\(last): \(found.all) \(violations)")
        }
    }
}

/// It goes on and on.
private struct Restless: Error {}

/// What was found to be wrong by steps, which cannot say it themselves.
private final class Found: Sendable {
    private let state = Mutex<[String]>([])
    var all: [String] { state.withLock { $0 } }
    func note(_ what: String) { state.withLock { $0.append(what) } }
}

extension SagaStep {
    /// Whether it only looks at what changes by itself.
    fileprivate var looksOnly: Bool { id == "observe-tasks" }

    /// Whether its undo turns a secret, or writes over what a late call would compare with: again each time, to no harm.
    fileprivate var turnsAgain: Bool { ["ensure-oauth-client", "stop-workload", "register-workload"].contains(id) }

    fileprivate func ensuring(_ ensure: @escaping Ensure) -> SagaStep { with(ensure, ensureAbsent) }

    fileprivate func undoing(_ undo: @escaping EnsureAbsent) -> SagaStep { with(ensure, undo) }

    private func with(_ ensure: @escaping Ensure, _ undo: EnsureAbsent?) -> SagaStep {
        // Without its probe, which would find what was done and not do it again.
        SagaStep(
            id,
            policy: policy,
            ensure: ensure,
            ensureAbsent: undo,
            undoAfter: undoAfter,
            resources: resources
        )
    }
}

extension Simulation {
    /// Plays everything to its end with the steps of one kind changed.
    fileprivate func play(_ kind: String, _ change: (SagaStep) -> SagaStep) async throws {
        let definitions = try definitions().map { definition in
            guard definition.kind == kind else { return definition }
            return SagaDefinition(
                kind: kind,
                version: definition.version,
                priority: definition.priority,
                steps: definition.steps.map(change),
                begin: definition.begin,
                scope: definition.scope,
                failed: definition.failed
            )
        }
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = SagaEngine(
            log: log,
            queue: log,
            definitions: definitions,
            owner: "test",
            ids: clock.ids,
            logger: quiet,
            pausing: { [clock] span in clock.advance(span) }
        )
        let checkpoint = MemoryCheckpoint()
        // Children are started while their parents wait.
        for _ in 0..<5000 {
            while try await starter(at: checkpoint).turn() {}
            if await engine.turn() > 0 { continue }
            guard let due = try await nextDue() else {
                guard try await checkpoint.position() < log.frontier() else { return }
                continue
            }
            clock.advance(max(.milliseconds(1), due - clock.ids.now()))
        }
        throw Restless()
    }

    /// How all sagas of a kind stand.
    fileprivate func outcome(_ kind: String) async throws -> Set<String> {
        Set(try await log.list(kinds: [kind], statuses: Self.statuses).map(\.status))
    }

    /// A person has mended what was wrong.
    fileprivate func resume(_ kind: String) async throws {
        let operations = try operations()
        for item in try await log.list(kinds: [kind], statuses: ["parked"]) {
            guard let id = UniqueID(item.stream.text.suffix(36)) else { continue }
            try await operations.resume(id, .init(actor: "operator-1", reason: "mended"))
        }
    }
}
