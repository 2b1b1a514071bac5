internal import Commands
internal import EventStore
internal import Kernel

/// Turns facts into writes of the streams they are about.
///
/// The thing itself decides whether a fact is news, so a step that is done twice is recorded once.
struct FactRecorder: Sendable {
    private let aggregates: Aggregates
    private let ids: IDSource

    init(log: any EventLog, ids: IDSource, snapshots: SnapshotKeeper?) {
        self.aggregates = Aggregates(log: log, snapshots: snapshots)
        self.ids = ids
    }

    /// Why facts cannot be recorded.
    enum Failure: Error {
        case unavailable
        /// A rule of the thing forbids it, or its stream cannot be understood.
        case refused(String)
        /// What a step took for granted is not so any more: it has to look again.
        case stale
    }

    /// One write for each stream that has something to learn.
    func writes(_ facts: [DomainFact]) async throws(Failure) -> [StreamWrite] {
        var organizations: [StreamName: [Organization.Command]] = [:]
        var subscriptions: [StreamName: [Subscription.Command]] = [:]
        var instances: [StreamName: [Instance.Command]] = [:]
        var rollouts: [StreamName: [Rollout.Command]] = [:]
        let tentative = Set(facts.filter(\.isTentative).map(\.stream))
        for fact in facts {
            switch fact {
            case .organization(_, let command): organizations[fact.stream, default: []].append(command)
            case .subscription(_, let command): subscriptions[fact.stream, default: []].append(command)
            case .instance(_, let command): instances[fact.stream, default: []].append(command)
            case .rollout(_, let command): rollouts[fact.stream, default: []].append(command)
            }
        }
        var writes: [StreamWrite] = []
        for (stream, commands) in organizations {
            writes.append(try await write(Organization.self, commands, to: stream))
        }
        for (stream, commands) in subscriptions {
            writes.append(try await write(Subscription.self, commands, to: stream))
        }
        do throws(Failure) {
            for (stream, commands) in instances { writes.append(try await write(Instance.self, commands, to: stream)) }
            for (stream, commands) in rollouts { writes.append(try await write(Rollout.self, commands, to: stream)) }
        } catch {
            if case .refused = error, !tentative.isEmpty { throw .stale }
            throw error
        }
        return writes.filter { !$0.events.isEmpty }
    }

    private func write<Model: Decider>(
        _ model: Model.Type,
        _ commands: [Model.Command],
        to stream: StreamName
    ) async throws(Failure) -> StreamWrite {
        let aggregate: Aggregate<Model>
        do throws(CommandError) {
            aggregate = try await aggregates.load(model, from: stream)
        } catch {
            guard case .unavailable = error else { throw .refused("\(stream) cannot be read") }
            throw .unavailable
        }
        let events: [Model.Event]
        do throws(Model.Refusal) {
            events = try aggregate.decide(commands)
        } catch { throw .refused("\(stream): \(error)") }
        do throws(CommandError) {
            return try aggregate.write(events, ids: ids)
        } catch { throw .refused("\(stream): an event is not JSON") }
    }
}
