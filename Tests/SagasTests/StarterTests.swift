import EventStore
import Kernel
import SagaSimulator
import SignalboxTestKit
import Synchronization
import Testing

@testable import Sagas

@Suite("The starter of sagas")
struct StarterTests {
    @Test("stands still where the log skips something, and starts nothing behind it")
    func skipped() async throws {
        let simulation = try await Simulation()
        let checkpoint = MemoryCheckpoint()
        let starter = Starter(
            log: SkippingLog(log: simulation.log),
            queue: simulation.log,
            checkpoint: checkpoint,
            definitions: [try simulation.definition(SimulatedProcess())]
        )
        let error = await #expect(throws: LogError.self) { try await starter.turn() }
        guard case .violated = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try await checkpoint.position() == 0)
        #expect(try await simulation.log.list(kinds: nil, statuses: ["queued"]).isEmpty)
    }
}

/// Leaves one position unlooked at.
private struct SkippingLog: EventLogWrapper {
    let log: any EventLog

    func read(
        after position: Int64,
        through: Int64?,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage {
        try await log.read(after: position + 1, through: through, matching: filter, limit: limit)
    }
}
