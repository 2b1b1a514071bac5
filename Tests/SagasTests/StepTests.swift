import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

/// What every step of every table has to stand; new steps are taken from the table.
@Suite("Every step of a saga")
struct StepTests {
    @Test("can be done twice with the same result")
    func twice() async throws {
        let simulation = try await Simulation()
        var run = try await StepByStep(simulation)
        for step in run.steps {
            let first = try await step.ensure(run.context(step.id))
            let world = simulation.fingerprint
            let second = try await step.ensure(run.context(step.id))
            #expect(first == second, "\(step.id)")
            #expect(simulation.fingerprint == world, "\(step.id)")
            run.succeeded(step.id, first)
        }
    }

    @Test("is found by its probe once it is done, and not before")
    func probes() async throws {
        let simulation = try await Simulation()
        var run = try await StepByStep(simulation)
        for step in run.steps {
            if let probe = step.probe { #expect(try await probe(run.context(step.id)) == .absent, "\(step.id)") }
            let result = try await step.ensure(run.context(step.id))
            if let probe = step.probe, step.id != "create-role" {
                #expect(try await probe(run.context(step.id)) == .present(result), "\(step.id)")
            }
            run.succeeded(step.id, result)
        }
    }

    @Test("can be undone twice")
    func undoneTwice() async throws {
        let simulation = try await Simulation()
        var run = try await StepByStep(simulation)
        for step in run.steps {
            run.succeeded(step.id, try await step.ensure(run.context(step.id)))
        }
        for step in try run.undos() {
            guard let undo = step.ensureAbsent else { continue }
            let first = try await undo(run.context(step.id))
            let world = simulation.fingerprint
            _ = try await undo(run.context(step.id))
            // Turning a secret twice turns it twice; nothing else may differ.
            if step.id != "ensure-oauth-client" { #expect(simulation.fingerprint == world, "\(step.id)") }
            run.undone(step.id, first)
        }
        #expect(simulation.world.read { $0.databases.isEmpty && !$0.jobs.values.contains { !$0.isStopped } })
    }

    @Test("can be undone when it was only begun, whether or not it happened", arguments: [false, true])
    func begunOnly(happened: Bool) async throws {
        let table = try await Simulation().definition(SimulatedProcess()).steps
        for (index, last) in table.enumerated() {
            let simulation = try await Simulation()
            var run = try await StepByStep(simulation)
            for step in run.steps[..<index] {
                run.succeeded(step.id, try await step.ensure(run.context(step.id)))
            }
            run.begin(last.id)
            if happened { _ = try await run.steps[index].ensure(run.context(last.id)) }
            for step in try run.undos() where run.begun.contains(step.id) {
                guard let undo = step.ensureAbsent else { continue }
                run.undone(step.id, try await undo(run.context(step.id)))
            }
            simulation.world.read { state in
                #expect(state.databases.isEmpty, "\(last.id)")
                #expect(!state.jobs.values.contains { !$0.isStopped }, "\(last.id)")
                #expect(!state.secrets.values.contains { !$0.items.isEmpty }, "\(last.id)")
                #expect(!state.subscriptions.contains { $0.status == .active }, "\(last.id)")
            }
        }
    }

    @Test("has a name of its own, and waits only for undos that come before its own")
    func table() async throws {
        let definition = try await Simulation().definition(SimulatedProcess())
        let ids = definition.steps.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(definition.steps.filter(\.policy.pivot).count == 1)
        for (index, step) in definition.steps.enumerated() {
            // Undone in reverse, so what is waited for stands further down; a circle is impossible then.
            for later in step.undoAfter { #expect(ids[(index + 1)...].contains(later), "\(step.id)") }
            #expect("sbx/\(UniqueID(0))/\(step.id)/f9999".utf8.count <= 80)
        }
    }
}

/// Takes the steps of a table one by one, without an engine.
private struct StepByStep {
    let definition: SagaDefinition
    let simulation: Simulation
    private var state = SagaState()

    var steps: [SagaStep] { definition.steps }
    var begun: Set<String> { state.begun }

    init(_ simulation: Simulation) async throws {
        self.simulation = simulation
        definition = try simulation.definition(SimulatedProcess())
        try await simulation.start()
        for event in try await simulation.log.read(simulation.stream(), after: 0, limit: 1) { try state.evolve(event) }
    }

    func context(_ step: String) -> StepContext {
        StepContext(
            saga: simulation.cause,
            step: step,
            attempt: 1,
            key: step,
            fence: "sbx/test/f1",
            input: state.started?.input ?? .null,
            outputs: state.outputs,
            begun: state.begun,
            notes: state.steps.compactMapValues(\.undo.note),
            elapsed: .zero,
            now: simulation.clock.ids.now(),
            reason: "because"
        )
    }

    mutating func begin(_ step: String) {
        let now = simulation.clock.ids.now()
        state.evolve(.stepStarted(.init(step: step, attempt: 1, key: step)), at: now)
    }

    mutating func succeeded(_ step: String, _ result: StepResult) {
        begin(step)
        guard case .done(let outcome) = result else { return }
        state.evolve(.stepSucceeded(.init(step: step, output: outcome.output)), at: simulation.clock.ids.now())
    }

    mutating func undone(_ step: String, _ result: UndoResult) {
        state.evolve(.undoSucceeded(.init(step: step, note: result.note)), at: simulation.clock.ids.now())
    }

    /// In the order of the design: the pivot's first, because here it has been reached.
    func undos() throws -> [SagaStep] { state.undos(definition) }
}

extension Simulation {
    /// Everything outside, as far as it can be compared.
    var fingerprint: String {
        world.read { state in
            [
                state.roles.keys.sorted().joined(), state.databases.keys.sorted().joined(),
                state.isolated.sorted().joined(), state.quarantined.sorted().joined(),
                state.jobs.values.map { "\($0.owner.generation) \($0.version) \($0.isStopped)" }.sorted().joined(),
                state.secrets.values.map { $0.items.keys.sorted().joined() }.sorted().joined(),
                state.subscriptions.map { "\($0.id) \($0.status)" }.joined(), state.customers.joined(),
                "\(state.rotations)",
            ].joined(separator: "|")
        }
    }
}
