import Commands
import Domain
import EventStore
import Kernel
import Platform
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("What operators can make a saga do")
struct OperatorTests {
    /// One whose step `create-role` fails as long as nothing is done about it.
    private func stuck(_ error: PortError = .blocked(code: "402", message: "no quota")) async throws -> Simulation {
        let simulation = try await Simulation()
        simulation.world.change { $0.outages["ensureRole"] = error }
        try await simulation.start()
        _ = await (try simulation.engine()).turn()
        return simulation
    }

    @Test("a view tells every attempt, what is next and why, and what can be done")
    func view() async throws {
        let simulation = try await stuck(.transient(code: "57P03", message: "starting up"))
        let operations = try simulation.operations()
        let engine = try simulation.engine()
        for _ in 0..<2 {
            let stream = try simulation.stream()
            let due = try #require(simulation.log.wakeAt(stream))
            simulation.clock.advance(due - simulation.clock.ids.now())
            _ = await engine.turn()
        }
        let view = try await operations.show(simulation.cause)
        let step = try #require(view.steps.first { $0.id == "create-role" })
        #expect(step.status == "started" && step.attempts.map(\.number) == [1, 2, 3])
        #expect(step.attempts.map(\.outcome) == ["transient", "transient", "transient"])
        #expect(step.target == "tenant-postgres" && step.startedAt != nil && step.endedAt == nil)
        for (one, next) in zip(step.attempts, step.attempts.dropFirst()) { #expect(next.startedAt == one.retryAt) }
        #expect(view.status == "waiting")
        #expect(view.next.action == .attempt && view.next.step == "create-role")
        #expect(view.next.at == step.retryAt)
        #expect(view.next.why.contains("57P03: starting up"))
        #expect(view.deeds == [.retry, .park, .skip, .setOutput, .cancel, .abandon])
        let done = try #require(view.steps.first { $0.id == "ensure-customer" })
        #expect(done.status == "succeeded" && done.endedAt != nil && done.attempts.map(\.outcome) == ["succeeded"])
    }

    @Test("a kind that no saga is of is refused with the kinds there are")
    func unknownKind() async throws {
        let operations = try (try await stuck(.transient(code: "57P03", message: "starting up"))).operations()
        #expect(try await operations.list(SagaWish(kind: "provision-instance")).data.count == 1)
        do {
            _ = try await operations.list(SagaWish(kind: "nonsense"))
            Issue.record("taken")
        } catch {
            guard case .unknownKind(let known) = error else { throw error }
            #expect(known.contains("provision-instance") && known == known.sorted())
        }
    }

    @Test("a parked saga waits for a person, and says for what")
    func parked() async throws {
        let simulation = try await stuck()
        let view = try await (try simulation.operations()).show(simulation.cause)
        #expect(view.status == "parked" && view.lease == nil)
        #expect(view.next == .init(action: .person, step: "create-role", why: "no quota"))
        #expect(view.deeds.contains(.resume) && !view.deeds.contains(.park))
    }

    @Test("a saga that somebody works on shows who, and one in the queue shows who is before it")
    func lease() async throws {
        let simulation = try await Simulation()
        try await simulation.start()
        let items = try await simulation.log.claim(
            kinds: [ProvisionInstance.kind],
            owner: "host:7",
            limit: 1,
            lease: .seconds(20)
        )
        let operations = try simulation.operations()
        let held = try await operations.show(simulation.cause)
        #expect(held.lease?.owner == "host:7" && held.lease?.fence == items.first?.fence)
        #expect(held.next.action == .underWay)
        #expect(try await operations.list().data.map(\.owner) == ["host:7"])

        let second = try await simulation.retryRequested()
        let queued = try await operations.show(second)
        #expect(queued.status == "queued" && queued.next.action == .queue)
        #expect(queued.next.why.contains(try simulation.stream().text))
        let tooEarly = SagaOperationError.notPossible("the saga has not begun")
        await #expect(throws: tooEarly) { try await operations.act(.skip(), on: second, .byOperator) }
        #expect(try await operations.act(.abandon, on: second, .byOperator).status == "abandoned")
        #expect(try await simulation.status(second) == "abandoned")
    }

    @Test("the list knows what is stuck, by kind, target and lane, page by page")
    func list() async throws {
        let simulation = try await stuck()
        let operations = try simulation.operations()
        let lane = "instance-\(simulation.instance)"
        for wish in [
            SagaWish(), SagaWish(statuses: ["parked"]), SagaWish(kind: ProvisionInstance.kind), SagaWish(lane: lane),
            SagaWish(target: "tenant-postgres"), SagaWish(stuck: true),
        ] { #expect(try await operations.list(wish).data.map(\.id) == ["\(simulation.cause)"]) }
        for wish in [SagaWish(statuses: ["running"]), SagaWish(kind: "roll-out"), SagaWish(target: "nomad")] {
            #expect(try await operations.list(wish).data.isEmpty)
        }
        await #expect(throws: SagaOperationError.badCursor) { try await operations.list(after: "x") }
    }

    @Test("a step is skipped when nothing is built on it, or when somebody insists")
    func skip() async throws {
        let simulation = try await stuck()
        let operations = try simulation.operations()
        await #expect(throws: SagaOperationError.self) {
            try await operations.act(.skip(), on: simulation.cause, .byOperator)
        }
        await #expect(throws: SagaOperationError.notPossible("the saga is at create-role, not at mark-running")) {
            try await operations.act(.skip(step: "mark-running", force: true), on: simulation.cause, .byOperator)
        }
        let receipt = try await operations.act(.skip(force: true), on: simulation.cause, .byOperator)
        #expect(receipt.status == "running")
        let view = try await operations.show(simulation.cause)
        #expect(view.steps.first { $0.id == "create-role" }?.status == "skipped")
        // Whatever the step may have made is still taken back.
        simulation.world.change { $0.outages["ensureDatabase"] = .permanent(code: "42704", message: "no role") }
        try await simulation.settle(try simulation.engine())
        #expect(try await simulation.status() == "compensated")
        #expect(simulation.world.read { $0.roles.isEmpty })
        #expect(try simulation.sagaEvents().map(\.summary).contains("saga.undo-succeeded create-role"))
    }

    @Test("a step that may be skipped is, without insisting")
    func skippable() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.outages["problem"] = .transient(code: "502", message: "no edge") }
        try await simulation.start()
        let engine = try simulation.engine()
        _ = await engine.turn()
        let operations = try simulation.operations()
        try await operations.act(.skip(step: "confirm-route"), on: simulation.cause, .byOperator)
        try await simulation.settle(engine)
        #expect(try await simulation.status() == "completed")
        #expect(try await simulation.violations() == [])
    }

    @Test("an undo that cannot be done is passed over only when somebody insists, and the others are done")
    func skipUndo() async throws {
        let simulation = try await Simulation()
        simulation.world.change {
            $0.outages["dropRole"] = .permanent(code: "2BP01", message: "it owns something")
            $0.refusals["register"] = [.permanent(code: "400", message: "bad job")]
        }
        try await simulation.start()
        let engine = try simulation.engine()
        _ = await engine.turn()
        let operations = try simulation.operations()
        #expect(try await simulation.status() == "compensating")
        await #expect(throws: SagaOperationError.self) {
            try await operations.act(.skip(step: "create-role"), on: simulation.cause, .byOperator)
        }
        try await operations.act(.skip(step: "create-role", force: true), on: simulation.cause, .byOperator)
        try await simulation.settle(engine)
        #expect(try await simulation.status() == "compensated")
        #expect(try await simulation.stage() == .provisioningFailed)
    }

    @Test("an output that somebody vouches for lets the saga go on, with the evidence in the log")
    func setOutput() async throws {
        let simulation = try await Simulation()
        simulation.world.change { $0.outages["ensureCustomer"] = .blocked(code: "402", message: "no quota") }
        try await simulation.start()
        let engine = try simulation.engine()
        _ = await engine.turn()
        let operations = try simulation.operations()
        let cause = simulation.cause
        for (verb, why) in [
            (SagaVerb.setOutput(step: "ensure-customer", "cus-7", evidence: [:]), "an output is an object"),
            (.setOutput(step: "mark-running", [:], evidence: [:]), "the saga has not come to mark-running"),
            (.setOutput(step: "nonsense", [:], evidence: [:]), "the saga has no step nonsense"),
        ] {
            await #expect(throws: SagaOperationError.notPossible(why)) {
                try await operations.act(verb, on: cause, .byOperator)
            }
        }
        let output: JSONValue = ["customer": "cus-7"]
        let verb = SagaVerb.setOutput(step: "ensure-customer", output, evidence: ["ticket": "OPS-1"])
        try await operations.act(verb, on: cause, .byOperator)
        try await simulation.settle(engine)
        #expect(try await simulation.status() == "completed")
        let acted = try simulation.sagaEvents().compactMap { event -> SagaEvent.OperatorActed? in
            if case .operatorActed(let fact) = event { fact } else { nil }
        }
        #expect(acted.map(\.verb) == ["set-output"] && acted.first?.evidence == ["ticket": "OPS-1"])
    }

    @Test("an abandoned saga has ended, frees its lane, and its instance can be tried again")
    func abandon() async throws {
        let simulation = try await stuck()
        let operations = try simulation.operations()
        try await operations.act(.abandon, on: simulation.cause, .byOperator)
        #expect(try await simulation.status() == "abandoned")
        #expect(try await simulation.stage() == .provisioningFailed)
        await #expect(throws: SagaOperationError.notPossible("the saga is abandoned")) {
            try await operations.retry(simulation.cause, .byOperator)
        }
        simulation.world.change { $0.outages = [:] }
        let second = try await simulation.retryRequested()
        try await simulation.settle(try simulation.engine())
        #expect(try await simulation.status(second) == "completed")
    }

    @Test("a saga of an older definition goes on by the newest one, unless that would lose something")
    func migrate() async throws {
        let simulation = try await stuck()
        let known = try simulation.definition(SimulatedProcess())
        let cause = simulation.cause
        let same = try simulation.operations()
        await #expect(throws: SagaOperationError.notPossible("the saga follows this build's definition already")) {
            try await same.act(.migrate(), on: cause, .byOperator)
        }
        func operations(_ steps: [SagaStep]) -> SagaOperations {
            let next = SagaDefinition(
                kind: known.kind,
                version: known.version + 1,
                steps: steps,
                begin: known.begin,
                scope: known.scope,
                failed: known.failed
            )
            return SagaOperations(
                log: simulation.log,
                queue: simulation.log,
                definitions: [known, next],
                ids: simulation.clock.ids
            )
        }
        let shorter = operations(known.steps.filter { $0.id != "draft-subscription" })
        await #expect(throws: SagaOperationError.notPossible("this build could not take back draft-subscription")) {
            try await shorter.act(.migrate(), on: cause, .byOperator)
        }
        let extra = SagaStep("extra", policy: .init(target: "log"), ensure: { _ in .done })
        let late = operations([extra] + known.steps)
        await #expect(throws: SagaOperationError.notPossible("extra would come after what is built on it")) {
            try await late.act(.migrate(), on: cause, .byOperator)
        }
        let longer = operations(known.steps + [extra])
        try await longer.act(.migrate(), on: cause, .byOperator)
        let view = try await longer.show(cause)
        #expect(view.definition == known.version + 1 && view.steps.last?.id == "extra")
        // It was parked, and still is.
        #expect(view.status == "parked" && view.parked == "no quota")
    }

    @Test("the same command again is the same deed; the same key for another is refused")
    func repeated() async throws {
        let simulation = try await stuck()
        let operations = try simulation.operations()
        var deed = SagaDeed.byOperator
        deed.command = simulation.clock.ids.unique()
        deed.requestHash = [1, 2, 3]
        deed.expectedVersion = try await operations.show(simulation.cause).version
        let first = try await operations.act(.cancel, on: simulation.cause, deed)
        let size = simulation.log.events.count
        let second = try await operations.act(.cancel, on: simulation.cause, deed)
        #expect(second.repeated && !first.repeated)
        #expect(second.version == first.version && second.status == first.status && second.position == first.position)
        #expect(simulation.log.events.count == size)
        deed.requestHash = [4]
        await #expect(throws: SagaOperationError.commandReused) {
            try await operations.act(.cancel, on: simulation.cause, deed)
        }
    }

    @Test("the picture names every step, what failed, what is next, and what can be done")
    func picture() async throws {
        let simulation = try await stuck(.transient(code: "57P03", message: "starting\u{1B}[31m up"))
        let view = try await (try simulation.operations()).show(simulation.cause)
        let lines = SagaPicture(view, at: simulation.clock.ids.now()).lines
        for step in view.steps { #expect(lines.contains { $0.contains(" \(step.id) ") }) }
        #expect(lines.contains { $0.contains("attempt 1 at") && $0.contains("transient 57P03: starting·[31m up") })
        #expect(lines.contains { $0.hasPrefix("next: create-role at ") })
        #expect(lines.last?.contains("--version \(view.version)") == true)
        #expect(!lines.contains { $0.contains("\u{1B}") })
    }

    @Test("a span is told in two units at most")
    func spans() {
        let told: [(Duration, String)] = [
            (.milliseconds(3), "3 ms"), (.milliseconds(1250), "1.2 s"), (.seconds(192), "3 min 12 s"),
            (.seconds(7500), "2 h 5 min"), (.seconds(90_000), "1 d 1 h"),
        ]
        for (span, text) in told { #expect(SagaPicture.text(span) == text) }
    }
}

extension Simulation {
    /// Asks for the next generation, and starts its saga.
    fileprivate func retryRequested() async throws -> UniqueID {
        let again = clock.ids.unique()
        let retry = InstanceEvent.retryRequested(.init(generation: 2))
        _ = try await log.append(
            AppendRequest(
                causation: Causation(actor: "user-7", command: clock.ids.unique()),
                writes: [
                    StreamWrite(
                        StreamName(category: "instance", id: instance),
                        expecting: .any,
                        events: [NewEvent(id: again, type: retry.name.rawValue, payload: try retry.payload())]
                    )
                ]
            )
        )
        try await start()
        return again
    }
}
