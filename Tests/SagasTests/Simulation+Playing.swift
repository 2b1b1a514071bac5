import Commands
import Domain
import EventStore
import Kernel
import SagaSimulator
import SignalboxTestKit
import Testing

@testable import Sagas

/// What one saga starts is played to its end, too.
extension Simulation {
    /// Records what somebody asks of the instance, and plays everything that follows from it.
    ///
    /// - Parameters:
    ///   - command: What is asked.
    ///   - dying: A process that will not come to the end of it; `nil` for one that does.
    ///   - type: Nothing is done any more once an event of this type is in the log.
    /// - Returns: The id of the saga that it started.
    /// - Throws: What the instance refuses.
    @discardableResult
    func play(
        _ command: Instance.Command,
        dying: SimulatedProcess? = nil,
        until type: String? = nil
    ) async throws -> UniqueID {
        let saga = try await write(Instance.self, Streams.instance(instance), command)
        guard let dying else {
            try await rest(until: type)
            return saga
        }
        try await start()
        let engine = try engine(dying)
        for _ in 0..<200 where !dying.isDead {
            if await engine.turn() == 0 { clock.advance(.seconds(1)) }
        }
        return saga
    }

    /// Starts and drives everything until nothing is left to do; lets time pass for it.
    ///
    /// - Parameter type: Stops as soon as an event of this type is in the log.
    /// - Throws: What keeps the log from being read.
    func rest(until type: String? = nil) async throws {
        let (engine, checkpoint) = (try engine(), MemoryCheckpoint())
        for _ in 0..<2000 {
            while try await starter(at: checkpoint).turn() {}
            if let type, log.events.contains(where: { $0.type == type }) { return }
            if await engine.turn() > 0 { continue }
            guard let due = try await nextDue() else {
                guard try await checkpoint.position() < log.frontier() else { return }
                continue
            }
            clock.advance(max(.milliseconds(1), due - clock.ids.now()))
        }
    }

    /// When something is to be done next; `nil` for never, unless a person does something.
    func nextDue() async throws -> Timestamp? {
        let active = try await log.list(kinds: nil, statuses: SagaEngine.activeStatuses)
        let taken = Set(active.filter { $0.status != "queued" }.map(\.lane))
        return
            active
            .filter { $0.status != "parked" && ($0.status != "queued" || !taken.contains($0.lane)) }
            .compactMap { log.wakeAt($0.stream) }
            .min()
    }
}

extension Simulation {
    /// Records a drift as a sweep does.
    func detect(_ drift: InstanceEvent.Drift) async throws {
        let stream = Streams.instance(instance)
        let event = InstanceEvent.driftDetected(drift)
        let new = NewEvent(
            id: clock.ids.unique(),
            type: event.name.rawValue,
            schemaVersion: event.schemaVersion,
            payload: try event.payload()
        )
        let version = try await log.readAll(stream).last?.version ?? 0
        let write = StreamWrite(stream, organization: organization, expecting: .version(version), events: [new])
        let causation = Causation(actor: "system", command: clock.ids.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
    }
}
