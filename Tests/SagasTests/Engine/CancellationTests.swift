import Commands
import Domain
import EventStore
import Kernel
import Logging
import Platform
import SignalboxTestKit
import Synchronization
import Testing

@testable import Sagas

@Suite("Cancellation by what happens to the subject")
struct CancellationTests {
    private static func definition(_ body: @escaping SagaStep.Ensure, pivot: Bool = false) -> SagaDefinition {
        Toy.definition(
            kind: "provision-instance",
            [
                .toy("first", policy: StepPolicy(target: "", pivot: pivot), undo: { _ in .done }),
                .toy("second", body),
            ]
        )
    }

    private let lane = "instance-1"

    /// What the starter reads: somebody wants the instance gone.
    private func terminate(_ toy: Toy) async throws -> RecordedEvent {
        let event = InstanceEvent.terminationRequested(Because(reason: "no longer needed"))
        let new = NewEvent(id: toy.ids.unique(), type: event.name.rawValue, payload: try event.payload())
        _ = try await toy.log.append(
            AppendRequest(
                causation: Causation(actor: "user-7", command: UniqueID(77)),
                writes: [StreamWrite(try lane.asStream, expecting: .any, events: [new])]
            )
        )
        return try #require(toy.log.events.last)
    }

    private func canceller(_ toy: Toy, _ definition: SagaDefinition) -> SagaCanceller {
        SagaCanceller(
            log: toy.log,
            queue: toy.log,
            definitions: SagaDefinitions([definition]),
            ids: toy.ids,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    @Test("turns a waiting saga back at once, and is recorded once however often it is read")
    func waiting() async throws {
        let toy = Toy()
        let definition = Self.definition { _ throws(PortError) in throw .transient(code: "503", message: "not now") }
        let stream = try await toy.start(definition, id: 1, lane: lane)
        _ = await toy.engine([definition]).turn()
        #expect(try await toy.status(stream) == "waiting")
        let event = try await terminate(toy)
        for _ in 0..<3 { try await canceller(toy, definition).cancel(because: event) }
        #expect(await toy.engine([definition]).turn() == 1)
        #expect(try await toy.status(stream) == "compensated")
        #expect(toy.types(stream).filter { $0 == "cancel-requested" }.count == 1)
    }

    @Test("takes a parked saga up again")
    func parked() async throws {
        let toy = Toy()
        let definition = Self.definition { _ throws(PortError) in throw .blocked(code: "402", message: "no quota") }
        let stream = try await toy.start(definition, id: 1, lane: lane)
        _ = await toy.engine([definition]).turn()
        #expect(try await toy.status(stream) == "parked")
        try await canceller(toy, definition).cancel(because: try await terminate(toy))
        _ = await toy.engine([definition]).turn()
        #expect(try await toy.status(stream) == "compensated")
    }

    @Test("is ignored past the point of no return, which is recorded")
    func committed() async throws {
        let toy = Toy()
        let definition = Self.definition(
            { _ throws(PortError) in throw .transient(code: "503", message: "not now") },
            pivot: true
        )
        let stream = try await toy.start(definition, id: 1, lane: lane)
        _ = await toy.engine([definition]).turn()
        let event = try await terminate(toy)
        for _ in 0..<2 { try await canceller(toy, definition).cancel(because: event) }
        #expect(toy.types(stream).filter { $0 == "input-ignored" }.count == 1)
        #expect(!toy.types(stream).contains("cancel-requested"))
    }

    @Test("leaves alone what was asked for afterwards, and the lanes of others")
    func later() async throws {
        let toy = Toy()
        let definition = Self.definition { _ throws(PortError) in throw .transient(code: "503", message: "not now") }
        let event = try await terminate(toy)
        let later = try await toy.start(definition, id: 1, lane: lane, position: event.position + 1)
        let other = try await toy.start(definition, id: 2, lane: "instance-2", position: 1)
        try await canceller(toy, definition).cancel(because: event)
        #expect(toy.types(later) == ["started"])
        #expect(toy.types(other) == ["started"])
    }
}

@Suite("What an engine cannot work on")
struct StrangeSagaTests {
    /// Appends what no build has ever written.
    private func garble(_ stream: StreamName, at version: Int64, _ type: String, in toy: Toy) async throws {
        _ = try await toy.log.append(
            AppendRequest(
                causation: Causation(actor: "system", command: UniqueID(1)),
                writes: [
                    StreamWrite(
                        stream,
                        expecting: version == 0 ? .none : .version(version),
                        events: [NewEvent(id: UniqueID(5), type: type, payload: Array("{}".utf8))]
                    )
                ]
            )
        )
    }

    @Test("a history that cannot be read is parked, and a person told; whoever abandons it frees its lane")
    func unreadable() async throws {
        let toy = Toy()
        let definition = Toy.definition([.toy("one")])
        let stream = try await toy.start(definition, id: 1, lane: "thing-7")
        try await garble(stream, at: 1, "saga.step-started", in: toy)
        _ = await toy.engine([definition]).turn()
        #expect(try await toy.status(stream) == "parked")
        #expect(toy.types(stream).last == "parked")
        #expect(await toy.engine([definition]).turn() == 0)

        let next = try await toy.start(definition, id: 2, lane: "thing-7")
        #expect(await toy.engine([definition]).turn() == 0)
        let operations = SagaOperations(log: toy.log, queue: toy.log, definitions: [definition], ids: toy.ids)
        let saga = UniqueID(1)
        let why = "\(stream) 2 cannot be read as saga.step-started; it can only be abandoned, at version 3"
        await #expect(throws: SagaOperationError.notPossible(why)) { try await operations.show(saga) }
        var deed = SagaDeed(actor: "operator-1", reason: "OPS-7", expectedVersion: 2)
        for verb in [SagaVerb.retry, .resume, .cancel, .skip(force: true)] {
            await #expect(throws: SagaOperationError.notPossible(why)) {
                try await operations.act(verb, on: saga, deed)
            }
        }
        await #expect(throws: SagaOperationError.conflict(actual: 3)) {
            try await operations.act(.abandon, on: saga, deed)
        }
        deed.expectedVersion = 3
        try await operations.act(.abandon, on: saga, deed)
        #expect(try await toy.status(stream) == "abandoned")
        #expect(toy.types(stream).suffix(2) == ["operator-acted", "abandoned"])
        await #expect(throws: SagaOperationError.self) { try await operations.act(.abandon, on: saga, deed) }
        _ = await toy.engine([definition]).turn()
        #expect(try await toy.status(next) == "completed")
    }

    @Test("a history without a readable beginning can be abandoned, too")
    func beginningless() async throws {
        let toy = Toy()
        let definition = Toy.definition([.toy("one")])
        let stream = try SagaCause.stream(kind: Toy.kind, cause: UniqueID(1)).asStream
        try await garble(stream, at: 0, "saga.started", in: toy)
        let row = WorkUpdate(
            stream,
            guard: .create,
            kind: Toy.kind,
            lane: "thing-7",
            status: "queued",
            step: "one",
            target: "",
            wakeAt: WorkUpdate.atOnce,
            deadline: nil
        )
        _ = try await toy.log.append(
            AppendRequest(causation: Causation(actor: "system", command: UniqueID(2)), writes: [], work: [row])
        )
        _ = await toy.engine([definition]).turn()
        #expect(try await toy.status(stream) == "parked")
        let operations = SagaOperations(log: toy.log, queue: toy.log, definitions: [definition], ids: toy.ids)
        try await operations.act(.abandon, on: UniqueID(1), SagaDeed(actor: "operator-1", reason: "OPS-7"))
        #expect(try await toy.status(stream) == "abandoned")
    }

    @Test("a version that only another build knows is left to that one, and asked for seldom")
    func newer() async throws {
        let toy = Toy()
        let (first, second) = (Toy.definition(version: 1, [.toy("one")]), Toy.definition(version: 2, [.toy("two")]))
        let stream = try await toy.start(second, id: 1)
        #expect(await toy.engine([first]).turn() == 1)
        #expect(await toy.engine([first]).turn() == 0)
        toy.advance(.seconds(60))
        #expect(await toy.engine([first, second]).turn() == 1)
        #expect(try await toy.status(stream) == "completed")
    }

    @Test("a run ends by the version that it began with, while new ones begin with the latest")
    func pinned() async throws {
        let toy = Toy()
        let old = Toy.definition(version: 1, [.toy("one"), .toy("two")])
        let new = Toy.definition(version: 2, [.toy("uno")])
        let stream = try await toy.start(old, id: 1)
        #expect(SagaDefinitions([new, old]).latest(Toy.kind)?.version == 2)
        #expect(try await toy.engine([new, old]).unknownSagas() == nil)
        _ = await toy.engine([new, old]).turn()
        #expect(try await toy.status(stream) == "completed")
        #expect(toy.types(stream).filter { $0 == "step-succeeded" }.count == 2)
        #expect(try await toy.engine([new]).unknownSagas() == nil)
    }

    @Test("a log that cannot be written to holds no engine that is to stop")
    func stopping() async throws {
        let toy = Toy()
        let broken = BrokenLog(log: toy.log)
        let definition = Toy.definition([
            .toy("one") { _ in
                broken.isBroken.withLock { $0 = true }
                return .done
            }
        ])
        let stream = try await toy.start(definition, id: 1)
        let engine = toy.engine([definition], log: broken)
        broken.onRefusal.withLock { $0 = { engine.stop() } }
        _ = await engine.turn()
        #expect(broken.refusals.count < 3)
        // What was done is found again.
        broken.isBroken.withLock { $0 = false }
        toy.advance(.seconds(60))
        _ = await toy.engine([definition]).turn()
        #expect(try await toy.status(stream) == "completed")
    }
}
