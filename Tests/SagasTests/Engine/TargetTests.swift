import Domain
import EventStore
import Kernel
import Logging
import Platform
import Postgres
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("What all sagas know of a target")
struct TargetTests {
    /// A board in a database of its own, and the means to let time pass for it.
    private func withBoard(
        limits: [String: TargetLimits] = [:],
        _ body: (PostgresTargetBoard, Pool, RunningLog) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            let owner = Pool(conninfo: database.owner, size: 1)
            try await withLog(in: database) { running in
                try await body(PostgresTargetBoard(pool: running.pool, limits: limits), owner, running)
            }
            await owner.close()
        }
    }

    private func visitor(_ number: Int) throws -> StreamName { try "saga-toy.\(UniqueID(UInt128(number)))".asStream }

    private func admit(
        _ board: PostgresTargetBoard,
        _ number: Int = 1,
        counted: Bool = true
    ) async throws -> TargetAdmission.Reason? {
        let answer = try await board.admit("nomad", by: visitor(number), atMost: .seconds(30), counted: counted)
        guard case .refused(let why, let wait) = answer else { return nil }
        #expect(wait > .zero)
        return why
    }

    private func call(_ board: PostgresTargetBoard, _ outcome: TargetOutcome, times: Int = 1) async throws {
        for _ in 0..<times {
            #expect(try await admit(board) == nil)
            await board.settle("nomad", by: try visitor(1), outcome)
        }
    }

    private func pass(_ seconds: Int, _ owner: Pool) async throws {
        try await owner.with { connection throws(PostgresError) in
            _ = try connection.run(
                """
                UPDATE saga.target
                   SET open_until = open_until - \(Int32(seconds)) * interval '1 second',
                       rests_until = rests_until - \(Int32(seconds)) * interval '1 second',
                       window_from = window_from - \(Int32(seconds)) * interval '1 second',
                       filled_at = filled_at - \(Int32(seconds)) * interval '1 second'
                """
            )
            _ = try connection.run("UPDATE saga.visit SET until = until - \(Int32(seconds)) * interval '1 second'")
        }
    }

    private let bad = TargetOutcome.failed(error: "503: unwell", retryAfter: nil)

    @Test("what only is not ready yet says nothing against its target, and asks no rest for all the others")
    func notReady() {
        let judge = { (error: PortError) in SagaRun.judge(Result<Bool, PortError>.failure(error)) }
        #expect(judge(.pending(code: "settling", message: "later", retryAfter: .seconds(30))) == .answered)
        let unwell = judge(.transient(code: "503", message: "unwell", retryAfter: .seconds(3)))
        #expect(unwell == .failed(error: "503: unwell", retryAfter: .seconds(3)))
        let lost = judge(.unknown(code: "lost", message: "no answer"))
        #expect(lost == .failed(error: "lost: no answer", retryAfter: nil))
        #expect(judge(.permanent(code: "400", message: "no")) == .answered)
    }

    @Test("five failures in a row leave it alone, for longer each time, and one good call ends that")
    func breaker() async throws {
        try await withBoard { board, owner, _ in
            try await call(board, bad, times: 4)
            try await call(board, .answered)
            try await call(board, bad, times: 5)
            #expect(try await admit(board) == .open)
            var view = try #require(try await board.list().first)
            #expect(view.status == "open" && view.openings == 1 && view.lastError == "503: unwell")

            // Half open: one finds out, the others wait.
            try await pass(31, owner)
            #expect(try await board.list().first?.status == "half-open")
            #expect(try await admit(board, 1) == nil)
            #expect(try await admit(board, 2) == .halfOpen)
            #expect(try await admit(board, 2, counted: false) == .halfOpen)
            await board.settle("nomad", by: try visitor(1), bad)
            #expect(try await admit(board, 2) == .open)
            try await pass(31, owner)
            #expect(try await admit(board, 2) == .open)
            try await pass(30, owner)
            #expect(try await admit(board, 2) == nil)
            await board.settle("nomad", by: try visitor(2), .answered)
            #expect(try await admit(board, 3) == nil)
            view = try #require(try await board.list().first)
            #expect(view.status == "closed" && view.openings == 0)
        }
    }

    @Test("a probe that never comes back gives way to another")
    func lostProbe() async throws {
        try await withBoard { board, owner, _ in
            try await call(board, bad, times: 5)
            try await pass(31, owner)
            #expect(try await admit(board, 1) == nil)
            #expect(try await admit(board, 2) == .halfOpen)
            try await pass(31, owner)
            #expect(try await admit(board, 2) == nil)
        }
    }

    @Test("half of at least twenty calls within a minute leave it alone, too")
    func share() async throws {
        try await withBoard { board, owner, _ in
            for _ in 0..<9 {
                try await call(board, .answered)
                try await call(board, bad)
            }
            // An older minute does not count.
            try await pass(61, owner)
            for _ in 0..<9 {
                try await call(board, .answered)
                try await call(board, bad)
            }
            try await call(board, .answered)
            try await call(board, bad)
            #expect(try await admit(board) == .open)
        }
    }

    @Test("takes so many at once, watchers aside, and what nobody ends, ends by itself")
    func places() async throws {
        try await withBoard(limits: ["nomad": TargetLimits(most: 2)]) { board, owner, _ in
            #expect(try await admit(board, 1) == nil)
            #expect(try await admit(board, 2) == nil)
            #expect(try await admit(board, 3) == .full)
            #expect(try await admit(board, 3, counted: false) == nil)
            #expect(try await admit(board, 2) == nil)
            await board.settle("nomad", by: try visitor(1), .unknown)
            #expect(try await admit(board, 3) == nil)
            #expect(try await admit(board, 1) == .full)
            try await pass(31, owner)
            #expect(try await admit(board, 1) == nil)
            let view = try #require(try await board.list().first)
            #expect(view.inFlight == 1 && view.limits.most == 2)
        }
    }

    @Test("takes so many a second, and so many at once after a pause")
    func rate() async throws {
        try await withBoard(limits: ["nomad": TargetLimits(rate: 0.01, burst: 3)]) { board, owner, _ in
            try await call(board, .answered, times: 3)
            #expect(try await admit(board) == .rate)
            try await pass(100, owner)
            try await call(board, .answered)
            #expect(try await admit(board) == .rate)
        }
    }

    @Test("gets the rest that it asks for")
    func rest() async throws {
        try await withBoard { board, owner, _ in
            try await call(board, .failed(error: "429: slow down", retryAfter: .seconds(20)))
            #expect(try await admit(board) == .asked)
            try await pass(21, owner)
            #expect(try await admit(board) == nil)
        }
    }

    @Test("an operator has it left alone and asked again; each is an event, and who sleeps is woken")
    func operators() async throws {
        try await withBoard { board, _, running in
            let definition = Toy.definition([
                .toy("call", policy: StepPolicy(target: "nomad"))
            ])
            let operations = TargetOperations(log: running.log, board: board)
            try await operations.open("nomad", .byOperator)
            #expect(try await operations.list().data.map(\.status) == ["held"])
            let stream = try await Toy.start(definition, id: 1, in: running.log)
            let engine = SagaEngine(
                log: running.log,
                queue: running.queue,
                definitions: [definition],
                owner: "test",
                targets: board
            )
            #expect(await engine.turn() == 1)
            #expect(await engine.turn() == 0)
            let asleep = try await running.log.read(stream, after: 0, limit: 10)
            // No attempt was used up, and a person sees why.
            #expect(asleep.map(\.type) == ["saga.started", "saga.step-started", "saga.condition-changed"])

            var stale = SagaDeed.byOperator
            stale.expectedVersion = 0
            await #expect(throws: SagaOperationError.conflict(actual: 1)) { try await operations.close("nomad", stale) }
            await #expect(throws: SagaOperationError.self) { try await operations.open("no\nmad", .byOperator) }
            try await operations.close("nomad", .byOperator)
            #expect(await engine.turn() == 1)
            #expect(try await running.queue.list(kinds: nil, statuses: ["completed"]).map(\.stream) == [stream])
            let deeds = try await running.log.read("platform-targets".asStream, after: 0, limit: 10)
            #expect(deeds.map(\.type) == ["platform.target-opened", "platform.target-closed"])
            #expect(deeds.allSatisfy { $0.actor == "operator-1" })
        }
    }

    @Test("the same command again is the same deed, finishes what was left, and undoes nothing that came after it")
    func repeated() async throws {
        try await withBoard { board, _, running in
            let operations = TargetOperations(log: running.log, board: board, targets: ["nomad"])
            var deed = SagaDeed.byOperator
            (deed.expectedVersion, deed.command, deed.requestHash) = (0, UniqueID(7), Array(repeating: 1, count: 32))
            let first = try await operations.open("nomad", deed)
            #expect(first.version == 1 && first.status == "held" && !first.repeated)
            // As if the process had died between the deed and the board.
            try await board.free("nomad")
            let again = try await operations.open("nomad", deed)
            #expect(again.repeated && again.version == 1)
            #expect(try await operations.list().data.map(\.status) == ["held"])
            try await operations.close("nomad", .byOperator)
            try await operations.open("nomad", deed)
            let list = try await operations.list()
            #expect(list.data.map(\.status) == ["closed"] && list.version == 2)
            // The same id for something else is refused, and a name that nothing of ours has, too.
            deed.requestHash = Array(repeating: 2, count: 32)
            await #expect(throws: SagaOperationError.commandReused) { try await operations.open("nomad", deed) }
            await #expect(throws: SagaOperationError.notFound) { try await operations.open("nomda", .byOperator) }
        }
    }

    @Test("the targets that can be named are those that this build's sagas call")
    func names() async throws {
        let ports = try await Simulation().ports(SimulatedProcess())
        let called = SagaRegistry.definitions(ports).flatMap(\.steps).map(\.policy)
            .filter(\.isGoverned).map(\.target)
        #expect(Set(called) == TargetLimits.targets)
        #expect(Set(TargetLimits.defaults.keys).isSubset(of: TargetLimits.targets))
    }

    @Test("a setting says how much a target takes, and nothing else is understood")
    func limits() {
        #expect(TargetLimits(parsing: "16") == TargetLimits(most: 16))
        #expect(TargetLimits(parsing: "-/2.5/10") == TargetLimits(rate: 2.5, burst: 10))
        #expect(TargetLimits(parsing: "8/5") == TargetLimits(most: 8, rate: 5))
        for text in ["", "0", "8/0", "8/-/4", "a", "1/2/3/4", "8/", "-1"] {
            #expect(TargetLimits(parsing: text) == nil, "\(text)")
        }
    }

    @Test("what is wrong with a target is measured")
    func vitals() async throws {
        try await withBoard(limits: ["nomad": TargetLimits(most: 1)]) { board, _, _ in
            _ = try await admit(board)
            try await board.hold("billing", because: "a drill")
            // It says so without failing; what is told is in docs/metrics.md.
            await TargetVitals(board: board, logger: .init(label: "test")).look()
            let list = try await board.list()
            #expect(list.map(\.name) == ["billing", "nomad"] && list.map(\.inFlight) == [0, 1])
            #expect(list.allSatisfy { TargetView.statuses.contains($0.status) })
        }
    }

    @Test("whoever has lost its lease says nothing of its target, where its successor may be by now")
    func zombie() async throws {
        let toy = Toy()
        let board = ClosedTargets([])
        let settings = EngineSettings(lease: .milliseconds(50))
        let calls = Tally()
        let definition = Toy.definition([
            .toy("job", policy: StepPolicy(target: "nomad")) { _ in
                guard calls.add() == 1 else { return .done }
                toy.advance(.seconds(60))
                _ = try? await toy.log.claim(kinds: [Toy.kind], owner: "other", limit: 1, lease: .seconds(60))
                // It stands still until its time is over.
                try? await Task.sleep(for: settings.lease)
                return .done
            }
        ])
        let stream = try await toy.start(definition, id: 1)
        _ = await toy.engine([definition], settings: settings, targets: board).turn()
        #expect(board.outcomes.isEmpty)
        toy.advance(.seconds(120))
        _ = await toy.engine([definition], targets: board).turn()
        #expect(board.outcomes == [.answered])
        #expect(try await toy.status(stream) == "completed")
    }

    @Test("a saga whose target is left alone uses up no attempts, and undoes what has another target")
    func attempts() async throws {
        let toy = Toy()
        let board = ClosedTargets(["nomad"])
        let undone = Tally()
        let definition = Toy.definition([
            .toy("database", policy: StepPolicy(target: "tenant-postgres")) { _ in .done },
            .toy("job", policy: StepPolicy(target: "nomad"), undo: { _ in .done }) { _ in .done },
        ])
        let stream = try await toy.start(definition, id: 1)
        let engine = toy.engine([definition], targets: board)
        for _ in 0..<50 {
            _ = await engine.turn()
            toy.advance(.seconds(60))
        }
        #expect(toy.types(stream).filter { $0 == "step-attempt-failed" }.isEmpty)
        #expect(toy.types(stream).filter { $0 == "condition-changed" }.count == 1)
        board.open()
        _ = await engine.turn()
        #expect(try await toy.status(stream) == "completed")

        let back = Toy.definition(
            kind: "back",
            [
                .toy(
                    "database",
                    policy: StepPolicy(target: "tenant-postgres"),
                    undo: { _ in
                        undone.add()
                        return .done
                    }
                ),
                .toy("job", policy: StepPolicy(target: "nomad"), undo: { _ in .done }) { _ throws(PortError) in
                    board.close()
                    throw .permanent(code: "400", message: "no")
                },
            ]
        )
        let other = try await toy.start(back, id: 2)
        _ = await toy.engine([back], targets: board).turn()
        #expect(undone.count == 1)
        #expect(try await toy.status(other) == "compensating")
        board.open()
        toy.advance(.seconds(60))
        _ = await toy.engine([back], targets: board).turn()
        #expect(try await toy.status(other) == "compensated")
    }
}
