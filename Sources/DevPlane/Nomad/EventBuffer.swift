internal import Kernel
internal import Synchronization

/// The last hundred batches of events, as a server keeps them: a hint that something changed, not a log.
final class EventBuffer: Sendable {
    /// What happened at one index.
    struct Batch: Sendable {
        var index: Int64
        var events: [Event]
    }

    struct Event: Sendable {
        var topic: String
        var type: String
        var key: String
        var filterKeys: [String]
        var payload: JSONValue
    }

    private let batches = Mutex<[Batch]>([])

    /// Those at `index` or later, oldest first.
    func batches(from index: Int64) -> [Batch] {
        batches.withLock { $0.filter { $0.index >= index } }
    }

    /// The last one there is.
    var last: Batch? { batches.withLock(\.last) }

    func add(index: Int64, type: String, changes: [Change], state: AgentState) {
        let events = changes.compactMap { Self.event(type: type, of: $0, in: state) }
        guard !events.isEmpty else { return }
        batches.withLock { batches in
            batches.append(Batch(index: index, events: events))
            if batches.count > 100 { batches.removeFirst() }
        }
    }

    private static func event(type: String, of change: Change, in state: AgentState) -> Event? {
        switch change {
        case .job(let job):
            return Event(topic: "Job", type: type, key: job.id, filterKeys: [], payload: ["Job": job.json(in: state)])
        case .jobGone(let id):
            let payload: JSONValue = ["Job": ["ID": .string(id), "Namespace": "default"], "Deleted": true]
            return Event(topic: "Job", type: type, key: id, filterKeys: [], payload: payload)
        case .evaluation(let evaluation):
            return Event(
                topic: "Evaluation",
                type: type,
                key: evaluation.id,
                filterKeys: [evaluation.job, evaluation.deployment].filter { !$0.isEmpty },
                payload: ["Evaluation": evaluation.json]
            )
        case .allocation(let allocation):
            return Event(
                topic: "Allocation",
                type: type,
                key: allocation.id,
                filterKeys: [allocation.job, allocation.deployment].filter { !$0.isEmpty },
                payload: ["Allocation": allocation.json(in: state).replacing(["Job": nil])]
            )
        case .deployment(let deployment):
            return Event(
                topic: "Deployment",
                type: type,
                key: deployment.id,
                filterKeys: [deployment.job],
                payload: ["Deployment": deployment.json]
            )
        case .service(let service):
            return Event(
                topic: "Service",
                type: "ServiceRegistration",
                key: service.id,
                filterKeys: [service.job, service.name],
                payload: ["Service": service.json(node: state.node, datacenter: "dc1")]
            )
        case .serviceGone(let id):
            return Event(
                topic: "Service",
                type: "ServiceDeregistration",
                key: id,
                filterKeys: [],
                payload: ["Service": ["ID": .string(id), "Namespace": "default"]]
            )
        case .variable(let variable):
            return Event(
                topic: "Variable",
                type: "VariableUpdated",
                key: variable.path,
                filterKeys: [],
                payload: ["Metadata": variable.metadata, "Deleted": false]
            )
        case .variableGone(let path):
            return Event(
                topic: "Variable",
                type: "VariableDeleted",
                key: path,
                filterKeys: [],
                payload: ["Metadata": ["Path": .string(path), "Namespace": "default"], "Deleted": true]
            )
        case .node, .spec:
            return nil
        }
    }
}

extension EventBuffer.Batch {
    /// One line of the stream with what a reader subscribed to; `nil` when that is nothing.
    ///
    /// - Parameter topics: Each with a key or `*`. Two that match one event show it twice, as Nomad does.
    /// - Returns: JSON and a line's end.
    func line(for topics: [(topic: String, key: String)]) -> String? {
        let shown = topics.flatMap { topic, key in
            events.filter {
                (topic == "*" || topic == $0.topic) && (key == "*" || key == $0.key || $0.filterKeys.contains(key))
            }
        }
        guard !shown.isEmpty else { return nil }
        let entries = shown.map { event -> JSONValue in
            [
                "Topic": .string(event.topic), "Type": .string(event.type), "Key": .string(event.key),
                "Namespace": "default",
                "FilterKeys": event.filterKeys.isEmpty ? nil : .array(event.filterKeys.map { .string($0) }),
                "Index": .integer(index), "Payload": event.payload,
            ]
        }
        let batch: JSONValue = ["Index": .integer(index), "Events": .array(entries)]
        // Everything in it came from JSON, so it can become JSON again.
        return (try? JSON.encode(batch)).map { String(decoding: $0, as: UTF8.self) + "\n" }
    }
}
