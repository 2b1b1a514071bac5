import Commands
import Domain
import EventStore
import Kernel
import SignalboxTestKit
import Testing

@testable import Sagas

extension Simulation {
    /// Records what somebody asks of the instance, and lets a process do what follows from it.
    ///
    /// - Parameters:
    ///   - command: What is asked.
    ///   - dying: A process that will not come to the end of it; `nil` for one that does.
    /// - Returns: The id of the saga that it started.
    /// - Throws: What the instance refuses.
    @discardableResult
    func ask(
        _ command: Instance.Command,
        dying: SimulatedProcess? = nil
    ) async throws -> UniqueID {
        let saga = clock.ids.unique()
        let stream = StreamName(category: InstanceEvent.category, id: instance)
        let aggregate = try await Aggregates(log: log).load(Instance.self, from: stream)
        let events = try aggregate.decide(command)
        let write = try aggregate.write(events, ids: clock.ids, first: saga)
        let causation = Causation(actor: "user-7", command: clock.ids.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
        try await start()
        if let dying { _ = await (try engine(dying)).turn() } else { try await settle(try engine()) }
        return saga
    }

    /// The instance as its stream tells it.
    func model() async throws -> Instance {
        let stream = StreamName(category: InstanceEvent.category, id: instance)
        return try await Aggregates(log: log).load(Instance.self, from: stream).model
    }

    /// The subscription as its stream tells it.
    func paidFor() async throws -> Subscription {
        let stream = StreamName(category: SubscriptionEvent.category, id: subscription)
        return try await Aggregates(log: log).load(Subscription.self, from: stream).model
    }

    /// How a saga stands; `nil` when there is none.
    func status(of kind: String, _ saga: UniqueID) async throws -> String? {
        let stream = try #require(StreamName(SagaCause.stream(kind: kind, cause: saga)))
        let all = SagaEngine.activeStatuses + ["completed", "compensated", "abandoned", "superseded"]
        return try await log.list(kinds: nil, statuses: all).first { $0.stream == stream }?.status
    }
}
