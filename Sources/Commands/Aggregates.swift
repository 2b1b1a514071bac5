internal import Domain
package import EventStore
internal import Synchronization

/// Reads write models from the log, and keeps the ones read last so that only what is new has to be read again.
///
/// A stream is never rewritten, so a model that is kept can be behind but never wrong; whoever writes on what is
/// behind meets a conflict.
package struct Aggregates: Sendable {
    private let log: any EventLog
    private let snapshots: SnapshotKeeper?
    private let cache: Cache

    /// Makes an empty memory of models.
    ///
    /// - Parameters:
    ///   - log: Where the events are.
    ///   - snapshots: What spares long streams from being read whole.
    ///   - capacity: How many models are kept.
    package init(log: any EventLog, snapshots: SnapshotKeeper? = nil, capacity: Int = 1024) {
        self.log = log
        self.snapshots = snapshots
        self.cache = Cache(capacity: capacity)
    }

    /// One write model with everything that is in the log.
    ///
    /// - Throws: ``CommandError/unavailable``, or ``CommandError/broken(_:)`` when the stream holds what its family
    ///   does not know.
    package func load<Model: Decider>(
        _: Model.Type,
        from stream: StreamName
    ) async throws(CommandError) -> Aggregate<Model> {
        var aggregate = cache[stream] as? Aggregate<Model> ?? Aggregate(absent: stream)
        let known = (aggregate.version, aggregate.kept)
        var mayBeKept = snapshots != nil
        while true {
            let page: [RecordedEvent]
            do {
                page = try await log.read(stream, after: aggregate.version, limit: Self.pageSize)
            } catch {
                switch error {
                case .unavailable: throw .unavailable
                case .violated(let what): throw .broken(what)
                }
            }
            // A stream that is not read in one go may be a long one.
            if page.count == Self.pageSize, mayBeKept {
                mayBeKept = false
                if let (version, state) = await snapshots?.latest(AggregateState<Model>.self, of: stream),
                    version > aggregate.version
                {
                    aggregate.take(state, at: version)
                    continue
                }
            }
            for event in page { try Self.take(event, into: &aggregate) }
            if page.count < Self.pageSize { break }
        }
        if let snapshots {
            let (state, version, kept) = (aggregate.state, aggregate.version, aggregate.kept)
            aggregate.kept = snapshots.offer(state, of: stream, at: version, after: kept)
        }
        if (aggregate.version, aggregate.kept) != known { cache[stream] = aggregate }
        return aggregate
    }

    /// Lets an aggregate take in the next event of its stream.
    static func take<Model: Decider>(
        _ recorded: RecordedEvent,
        into aggregate: inout Aggregate<Model>
    ) throws(CommandError) {
        guard recorded.version == aggregate.version + 1 else {
            throw .broken("\(recorded.stream) has a hole before version \(recorded.version)")
        }
        aggregate.version = recorded.version
        aggregate.position = recorded.position
        if let organization = recorded.organization { aggregate.organization = organization }
        // An erased payload says nothing any more; what it did to the model is lost with it.
        guard let payload = recorded.payload else { return }
        let event: Model.Event?
        do {
            event = try Model.Event.decode(
                type: recorded.type,
                schemaVersion: recorded.schemaVersion,
                payload: payload
            )
        } catch let newer as UnknownSchemaVersion {
            throw .broken("position \(recorded.position): \(newer)")
        } catch {
            throw .broken("position \(recorded.position) is not a \(recorded.type)")
        }
        guard let event else { throw .broken("\(recorded.stream) holds a \(recorded.type)") }
        aggregate.model.evolve(event)
    }

    private static let pageSize = 500
}

/// The models read last, the least recently used given up first.
private final class Cache: Sendable {
    private struct Entry {
        var value: any Sendable
        var used: UInt64
    }

    private struct State {
        var entries: [StreamName: Entry] = [:]
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    subscript(stream: StreamName) -> (any Sendable)? {
        get {
            state.withLock { state in
                state.clock += 1
                state.entries[stream]?.used = state.clock
                return state.entries[stream]?.value
            }
        }
        set {
            state.withLock { state in
                state.clock += 1
                state.entries[stream] = newValue.map { Entry(value: $0, used: state.clock) }
                guard state.entries.count > capacity else { return }
                // Halving at once keeps the cost of each insertion constant on average.
                let uses = state.entries.values.map(\.used).sorted()
                let oldest = uses[uses.count / 2]
                state.entries = state.entries.filter { $0.value.used > oldest }
            }
        }
    }
}
