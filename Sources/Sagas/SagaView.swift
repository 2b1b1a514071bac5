internal import Domain
internal import EventStore
package import Kernel

/// A saga in a list.
package struct SagaSummary: Sendable, Equatable, Codable {
    /// The id of its cause, which is also that of the operation.
    package var id: String
    package var kind: String
    package var stream: String
    package var lane: String
    package var status: String
    /// The step it is at; absent at an end.
    package var step: String?
    package var target: String?
    package var deadline: Timestamp?

    init(_ item: WorkItem) {
        id = String(item.stream.text.split(separator: ".", maxSplits: 1).last ?? "")
        kind = item.kind
        stream = item.stream.text
        lane = item.lane
        status = item.status
        step = item.step.isEmpty ? nil : item.step
        target = item.target.isEmpty ? nil : item.target
        deadline = item.deadline
    }
}

/// A saga as an operator looks at it.
package struct SagaView: Sendable, Equatable, Codable {
    /// One step of it.
    package struct Step: Sendable, Equatable, Codable {
        package var id: String
        /// `pending`, `started`, `succeeded`, `skipped`, `undoing` or `undone`.
        package var status: String
        package var attempt: Int
        package var key: String?
        package var condition: String?
        package var lastError: String?
        package var retryAt: Timestamp?
    }

    /// One event of it.
    package struct Entry: Sendable, Equatable, Codable {
        package var position: Int64
        package var version: Int64
        package var type: String
        package var at: Timestamp
        package var actor: String
        package var data: JSONValue?
    }

    package var id: String
    package var kind: String
    package var definition: Int
    package var stream: String
    package var subject: String
    package var status: String
    /// Of the stream; to be given with the next deed.
    package var version: Int64
    package var parked: String?
    package var failure: String?
    package var deadline: Timestamp
    package var steps: [Step]
    package var timeline: [Entry]

    init(_ stream: StreamName, _ state: SagaState, _ events: [RecordedEvent]) throws(SagaOperationError) {
        guard let started = state.started else { throw .broken("\(stream) does not begin with its start") }
        id = "\(started.cause)"
        kind = started.kind
        definition = started.definition
        self.stream = stream.text
        subject = started.subject
        status = state.status
        version = state.version
        parked = state.parked?.reason
        failure = state.failure.map { "\($0.step): \($0.reason)" }
        deadline = started.deadline
        steps = started.steps.map { id in Step(id, state.steps[id] ?? SagaState.Step()) }
        timeline = events.map { event in
            Entry(
                position: event.position,
                version: event.version,
                type: event.type,
                at: event.recordedAt,
                actor: event.actor,
                // What is no JSON is not shown.
                data: event.payload.flatMap { try? JSON.decode(JSONValue.self, from: $0) }
            )
        }
    }
}

extension SagaView.Step {
    fileprivate init(_ id: String, _ step: SagaState.Step) {
        let failure = step.undo.failure ?? step.failure
        self.init(
            id: id,
            status: Self.status(step),
            attempt: step.undo.started ? step.undo.attempt : step.attempt,
            key: step.key.isEmpty ? nil : step.key,
            condition: step.condition.map { "\($0.condition): \($0.reason)" },
            lastError: failure.map { "\($0.failure.rawValue) \($0.code): \($0.message)" },
            retryAt: failure?.retryAt
        )
    }

    private static func status(_ step: SagaState.Step) -> String {
        if step.undo.done { return "undone" }
        if step.undo.started { return "undoing" }
        if step.skipped { return "skipped" }
        if step.succeeded { return "succeeded" }
        return step.startedAt == nil ? "pending" : "started"
    }
}
