import Commands
import Domain
import EventStore
import Kernel
import Platform
import SignalboxTestKit
import Synchronization
import Testing

@testable import Sagas

/// One thing that goes wrong at one numbered point, and what else happens.
struct Schedule: Sendable, CustomStringConvertible {
    enum Fault: Sendable, CaseIterable {
        /// The process is gone.
        case crash
        /// The process is gone, and its request lands later.
        case inFlight
        /// The answer is lost.
        case lost
        /// The process stands still and goes on later, believing that nothing has changed.
        case zombie
    }

    var fault: Fault
    var point: Int
    var label: SimulatedProcess.Point
    /// Somebody asks for everything to be taken back at that moment.
    var isCancelled: Bool
    /// At which point of the next process the late one shows up; `nil` for after its end.
    var late: Int?

    var description: String {
        "\(fault) at \(point) \(label)\(isCancelled ? ", cancelled" : "")\(late.map { ", late at \($0)" } ?? "")"
    }
}

@Suite("Provisioning under every single fault")
struct ScheduleTests {
    @Test("every schedule ends with all of it or nothing", arguments: Schedule.Fault.allCases, [false, true])
    func converges(fault: Schedule.Fault, isCancelled: Bool) async throws {
        let (ran, wrong) = try await Self.violations(fault, isCancelled: isCancelled) { try await Simulation() }
        #expect(ran > 25)
        #expect(wrong == [])
    }

    @Test("every step that goes outside has been the failing one")
    func coverage() async throws {
        var failed: Set<String> = []
        for call in ProvisionInstanceTests.calls {
            let simulation = try await Simulation()
            simulation.world.change { $0.refusals[call] = [.unknown(code: "reset", message: "connection reset")] }
            try await simulation.provision()
            #expect(try await simulation.violations() == [])
            for case .stepAttemptFailed(let fact) in try simulation.sagaEvents() { failed.insert(fact.step) }
        }
        let steps = try await Simulation().definition(SimulatedProcess()).steps
        #expect(failed == Set(steps.filter { $0.policy.target != "log" }.map(\.id)))
    }

    @Test("without any one of the protections some schedule ends badly", arguments: Mutant.allCases)
    func mutants(mutant: Mutant) async throws {
        for fault in mutant.faults {
            for isCancelled in [true, false] {
                let (_, wrong) = try await Self.violations(fault, isCancelled: isCancelled, stopAtFirst: true) {
                    try await mutant.simulation()
                } definition: {
                    mutant.definition($0)
                }
                if !wrong.isEmpty { return }
            }
        }
        Issue.record("nothing noticed that \(mutant) was off")
    }

    /// Every protection of the design that this side of the ports relies on.
    enum Mutant: String, CaseIterable, Sendable {
        case fence, settleLock, compareAndSet, tombstone, idempotencyKey, derivation, burn, intent

        /// The likeliest to show it first.
        var faults: [Schedule.Fault] {
            switch self {
            case .idempotencyKey, .derivation, .intent: [.crash, .lost, .inFlight, .zombie]
            case .settleLock, .tombstone, .burn, .compareAndSet: [.inFlight, .zombie]
            case .fence: [.zombie]
            }
        }

        func simulation() async throws -> Simulation {
            var guards = World.Guards()
            switch self {
            case .settleLock: guards.settleLock = false
            case .compareAndSet: guards.compareAndSet = false
            case .tombstone: guards.tombstone = false
            case .idempotencyKey: guards.idempotencyKeys = false
            // A worker whose lease is gone is told so by its append and, at the target, by its lease.
            case .fence: guards.leaseAtTarget = false
            case .derivation, .burn, .intent: break
            }
            return try await Simulation(
                guards: guards,
                isFenced: self != .fence,
                drawsSecrets: self == .derivation
            )
        }

        func definition(_ definition: SagaDefinition) -> SagaDefinition {
            switch self {
            case .burn: definition.replacing("activate-subscription", undo: nil)
            // Taking back only what is known to have happened.
            case .intent:
                definition.replacingUndos { undo in
                    { context throws(PortError) in
                        guard context.outputs[context.step] != nil else { return .done }
                        return try await undo(context)
                    }
                }
            default: definition
            }
        }
    }

    // MARK: Running schedules

    private static func violations(
        _ fault: Schedule.Fault,
        isCancelled: Bool,
        stopAtFirst: Bool = false,
        _ make: () async throws -> Simulation,
        definition: (SagaDefinition) -> SagaDefinition = { $0 }
    ) async throws -> (ran: Int, wrong: [String]) {
        let rehearsal = try await make()
        let process = SimulatedProcess()
        try await rehearsal.start()
        _ = await (try rehearsal.engine(process)).turn()

        var (ran, wrong): (Int, [String]) = (0, [])
        for (number, label) in process.points.enumerated() {
            switch (fault, label) {
            case (.inFlight, .after), (.lost, .before): continue
            case (.inFlight, .before(let name)) where name.hasPrefix("append"): continue
            default: break
            }
            let lates: [Int?] = fault == .crash || fault == .lost ? [nil] : [nil, 0, 2, 7, 20]
            for late in lates {
                let schedule = Schedule(
                    fault: fault,
                    point: number,
                    label: label,
                    isCancelled: isCancelled,
                    late: late
                )
                let simulation = try await make()
                let found = try await run(schedule, simulation, definition)
                ran += 1
                if !found.isEmpty { wrong.append("\(schedule): \(found.joined(separator: ", "))") }
                if stopAtFirst, !wrong.isEmpty { return (ran, wrong) }
            }
        }
        return (ran, wrong)
    }

    private static func run(
        _ schedule: Schedule,
        _ simulation: Simulation,
        _ mutate: (SagaDefinition) -> SagaDefinition
    ) async throws -> [String] {
        try await simulation.start()
        let gate = Gate()
        let first = SimulatedProcess { number, _ in
            guard number == schedule.point else { return .go }
            if schedule.isCancelled { await simulation.cancel() }
            switch schedule.fault {
            case .crash: return .die
            case .inFlight: return .dieInFlight
            case .lost: return .lose
            case .zombie:
                await gate.arrive()
                return .go
            }
        }
        let early = try simulation.engine(first, definition: mutate(try simulation.definition(first)))
        try await withThrowingTaskGroup { group in
            group.addTask {
                _ = await early.turn()
                await gate.leave()
            }
            await gate.arrival()
            if schedule.fault == .lost { await gate.departure() }
            // The lease of whoever stands still or is gone runs out.
            simulation.clock.advance(.seconds(31))
            let second = SimulatedProcess { number, _ in
                if number == schedule.late { await release(schedule, simulation, gate) }
                return .go
            }
            let late = try simulation.engine(second, definition: mutate(try simulation.definition(second)))
            try await simulation.settle(late)
            await release(schedule, simulation, gate)
            try await group.waitForAll()
            try await simulation.settle(late)
        }
        return try await simulation.violations()
    }

    /// What was late arrives.
    private static func release(_ schedule: Schedule, _ simulation: Simulation, _ gate: Gate) async {
        switch schedule.fault {
        case .inFlight: simulation.world.land()
        case .zombie:
            await gate.open()
            await gate.departure()
        case .crash, .lost: break
        }
    }
}

/// Where a process stands still until it is let through.
actor Gate {
    private var hasArrived = false
    private var hasLeft = false
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Stands still until the gate is open.
    func arrive() async {
        hasArrived = true
        wake()
        while !isOpen { await change() }
    }

    func leave() {
        (hasLeft, hasArrived) = (true, true)
        wake()
    }

    func open() {
        isOpen = true
        wake()
    }

    /// Returns when somebody stands at the gate, or will never.
    func arrival() async { while !hasArrived { await change() } }

    /// Returns when whoever stood at the gate is through with everything.
    func departure() async { while !hasLeft { await change() } }

    private func change() async { await withCheckedContinuation { waiting.append($0) } }

    private func wake() {
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}

extension Simulation {
    /// Somebody asks for everything to be taken back; too late is fine.
    func cancel() async {
        let deed = SagaDeed(actor: "operator-1", reason: "the organization is deleted")
        do {
            try await operations().cancel(cause, deed)
        } catch {
            // There was no way back any more.
        }
    }
}

extension SagaDefinition {
    func replacing(_ id: String, undo: SagaStep.EnsureAbsent?) -> SagaDefinition {
        replacingSteps { step in
            guard step.id == id else { return step }
            return SagaStep(
                step.id,
                policy: step.policy,
                ensure: step.ensure,
                probe: step.probe,
                ensureAbsent: undo,
                undoAfter: step.undoAfter
            )
        }
    }

    func replacingUndos(_ change: (@escaping SagaStep.EnsureAbsent) -> SagaStep.EnsureAbsent) -> SagaDefinition {
        replacingSteps { step in
            SagaStep(
                step.id,
                policy: step.policy,
                ensure: step.ensure,
                probe: step.probe,
                ensureAbsent: step.ensureAbsent.map(change),
                undoAfter: step.undoAfter
            )
        }
    }

    private func replacingSteps(_ change: (SagaStep) -> SagaStep) -> SagaDefinition {
        SagaDefinition(
            kind: kind,
            version: version,
            steps: steps.map(change),
            begin: begin,
            scope: scope,
            failed: failed
        )
    }
}
