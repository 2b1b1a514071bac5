package import Commands
internal import Domain
package import EventStore
package import Kernel
internal import Sagas
internal import SignalboxTestKit

extension Simulation {
    /// Records what somebody asks of the instance.
    ///
    /// - Parameter command: What is asked.
    /// - Returns: The id of the saga that it starts.
    /// - Throws: What the instance refuses.
    @discardableResult
    package func request(_ command: Instance.Command) async throws -> UniqueID {
        try await write(Instance.self, StreamName(category: InstanceEvent.category, id: instance), command)
    }

    /// Records what a command comes to.
    ///
    /// - Returns: The id of the first event, and of the saga that it starts.
    /// - Throws: What the thing refuses.
    @discardableResult
    package func write<Model: Decider>(
        _ model: Model.Type,
        _ stream: StreamName,
        _ command: Model.Command
    ) async throws -> UniqueID {
        let first = clock.ids.unique()
        let aggregate = try await Aggregates(log: log).load(model, from: stream)
        let write = try aggregate.write(try aggregate.decide(command), ids: clock.ids, first: first)
        let causation = Causation(actor: "user-7", command: clock.ids.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
        return first
    }

    /// Records what somebody asks of the instance, and lets a process do what follows from it.
    ///
    /// - Parameters:
    ///   - command: What is asked.
    ///   - dying: A process that will not come to the end of it; `nil` for one that does.
    /// - Returns: The id of the saga that it started.
    /// - Throws: What the instance refuses.
    @discardableResult
    package func ask(_ command: Instance.Command, dying: SimulatedProcess? = nil) async throws -> UniqueID {
        let saga = try await request(command)
        try await start()
        if let dying { _ = await (try engine(dying)).turn() } else { try await settle(try engine()) }
        return saga
    }

    /// The instance as its stream tells it.
    package func model() async throws -> Instance { try await folded(instance) }

    /// The subscription as its stream tells it.
    package func paidFor() async throws -> Subscription {
        let stream = StreamName(category: SubscriptionEvent.category, id: subscription)
        return try await Aggregates(log: log).load(Subscription.self, from: stream).model
    }

    /// How a saga stands; `nil` when there is none.
    package func status(of kind: String, _ saga: UniqueID) async throws -> String? {
        try await status(saga, of: kind)
    }
}
