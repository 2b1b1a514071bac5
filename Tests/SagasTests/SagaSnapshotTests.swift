import Domain
import EventStore
import Kernel
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

@Suite("Snapshots of sagas")
struct SagaSnapshotTests {
    private static let moment = Timestamp(microseconds: 1_800_000_000_000_000)

    @Test("a version of a saga's state makes the same of every event for ever; UPDATE_STATES=1 enters new events")
    func form() throws {
        let fixture = try FoldFixture("saga", of: SagaEvent.self, from: SagaState()) { state, event in
            state.evolve(event, at: Self.moment)
        }
        let complaints = try fixture.complaints()
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }

    @Test("a saga's state is the same after it was kept, at every moment of its life")
    func roundTrip() throws {
        var state = SagaState()
        for golden in GoldenPayload.all(of: SagaEvent.self) {
            let event = try SagaEvent.decode(
                type: golden.type,
                schemaVersion: golden.schemaVersion,
                payload: golden.bytes()
            )
            state.evolve(try #require(event), at: Self.moment)
            #expect(try JSON.decode(SagaState.self, from: JSON.encode(state)) == state)
        }
        #expect(!state.steps.isEmpty)
    }

    /// A saga that has begun, with 600 more events in its stream that mean nothing.
    private static func longSaga() async throws -> (Simulation, StreamName) {
        let simulation = try await Simulation()
        try await simulation.start()
        let stream = try simulation.stream()
        let ignored = SagaEvent.inputIgnored(.init(event: UniqueID(7), why: "nobody waits for it"))
        let events = try (0..<600).map { _ in
            NewEvent(id: IDSource.system.unique(), type: ignored.name.rawValue, payload: try ignored.payload())
        }
        for start in stride(from: 0, to: events.count, by: 100) {
            let write = StreamWrite(stream, expecting: .exists, events: Array(events[start..<start + 100]))
            let causation = Causation(actor: "system", command: IDSource.system.unique())
            _ = try await simulation.log.append(AppendRequest(causation: causation, writes: [write]))
        }
        return (simulation, stream)
    }

    /// What all its events up to a version make of a saga.
    private static func state(_ simulation: Simulation, _ stream: StreamName, at version: Int64) throws -> SagaState {
        var state = SagaState()
        for event in simulation.log.events where event.stream == stream && event.version <= version {
            try state.evolve(event)
        }
        return state
    }

    @Test("a long saga leaves a snapshot that says what its events say")
    func leaves() async throws {
        let (simulation, stream) = try await Self.longSaga()
        let keeper = SnapshotKeeper(store: MemorySnapshots(log: simulation.log))
        try await simulation.settle(try simulation.engine(snapshots: keeper))
        keeper.close()
        await keeper.run()
        let kept = try #require(await keeper.latest(SagaState.self, of: stream))
        #expect(kept.version > 600)
        #expect(try kept.state == Self.state(simulation, stream, at: kept.version))
    }

    @Test("a long saga goes on from its snapshot")
    func goesOn() async throws {
        let (simulation, stream) = try await Self.longSaga()
        let state = try JSON.decode(JSONValue.self, from: JSON.encode(Self.state(simulation, stream, at: 601)))
        var members = try #require(state.object)
        // Nothing else says so: a mark by which to see what was gone on from.
        members["correlation"] = .string("\(UniqueID(4711))")
        let store = MemorySnapshots(log: simulation.log)
        let marked = Snapshot(version: 601, schemaVersion: SagaState.stateVersion, state: try JSON.encode(members))
        try await store.keep(marked, of: stream)
        try await simulation.settle(try simulation.engine(snapshots: SnapshotKeeper(store: store)))
        #expect(try await simulation.status() == "completed")
        let after = simulation.log.events.filter { $0.stream == stream && $0.version > 601 }
        #expect(!after.isEmpty && after.allSatisfy { $0.correlation == UniqueID(4711) })
    }
}
