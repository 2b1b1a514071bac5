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
    /// 0 goes before 1 before 2.
    package var priority: Int
    /// The step it is at; absent at an end.
    package var step: String?
    package var target: String?
    package var deadline: Timestamp?
    /// When it is looked at again; absent while it is under way, and where it is never looked at by itself.
    package var wakeAt: Timestamp?
    /// Who works on it now.
    package var owner: String?

    init(_ row: WorkRow, at now: Timestamp) {
        let item = row.item
        id = String(item.stream.text.split(separator: ".", maxSplits: 1).last ?? "")
        kind = item.kind
        stream = item.stream.text
        lane = item.lane
        status = item.status
        priority = Int(row.priority)
        step = item.step.isEmpty ? nil : item.step
        target = item.target.isEmpty ? nil : item.target
        deadline = item.deadline
        let isHeld = row.isHeld(at: now)
        wakeAt = isHeld ? nil : row.wakeAt
        owner = isHeld ? row.owner : nil
    }
}

/// Some sagas.
package struct SagaPage: Sendable, Equatable, Codable {
    package var data: [SagaSummary]
    /// Where the page after it begins; absent when this was the last.
    package var next: String?

    package init(data: [SagaSummary], next: String? = nil) {
        self.data = data
        self.next = next
    }
}

extension WorkRow {
    /// Whether somebody works on it.
    func isHeld(at now: Timestamp) -> Bool { leaseUntil.map { $0 > now } ?? false }
}

/// A saga as an operator looks at it.
package struct SagaView: Sendable, Equatable, Codable {
    /// One step of it.
    package struct Step: Sendable, Equatable, Codable {
        package var id: String
        /// `pending`, `started`, `succeeded`, `skipped`, `undoing` or `undone`.
        package var status: String
        /// What it talks to; absent when this build does not know the step.
        package var target: String?
        package var attempt: Int
        package var key: String?
        package var condition: String?
        package var lastError: String?
        package var retryAt: Timestamp?
        package var startedAt: Timestamp?
        package var endedAt: Timestamp?
        /// After it there is no way back.
        package var pivot: Bool?
        /// Nothing later is built on it.
        package var skippable: Bool?
        /// Everything that was tried, on the way forward and back.
        package var attempts: [SagaAttempt]
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
    package var lane: String
    package var status: String
    /// Of the stream; to be given with the next deed.
    package var version: Int64
    package var parked: String?
    package var failure: String?
    package var startedAt: Timestamp
    package var endedAt: Timestamp?
    package var deadline: Timestamp
    /// Who works on it now.
    package var lease: SagaOutlook.Lease?
    package var next: SagaOutlook.Next
    /// What an operator can do to it now.
    package var deeds: [SagaVerb.Name]
    package var steps: [Step]
    package var timeline: [Entry]

    init(
        _ stream: StreamName,
        _ state: SagaState,
        _ events: [RecordedEvent],
        _ outlook: SagaOutlook
    ) throws(SagaOperationError) {
        guard let started = state.started, let first = events.first, let last = events.last else {
            throw .broken("\(stream) does not begin with its start")
        }
        id = "\(started.cause)"
        kind = started.kind
        definition = started.definition
        self.stream = stream.text
        subject = started.subject
        lane = started.lane
        status = outlook.status
        version = state.version
        parked = state.parked?.reason
        failure = state.failure.map { "\($0.step): \($0.reason)" }
        startedAt = first.recordedAt
        if case .ended = state.mode { endedAt = last.recordedAt }
        deadline = started.deadline
        lease = outlook.lease
        next = outlook.next
        deeds = outlook.deeds
        let attempts = SagaAttempt.all(in: events)
        steps = started.steps.map { id in
            Step(id, state.steps[id] ?? SagaState.Step(), outlook.definition?.step(id), attempts[id] ?? [])
        }
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
    fileprivate init(_ id: String, _ step: SagaState.Step, _ known: SagaStep?, _ attempts: [SagaAttempt]) {
        let failure = step.undo.failure ?? step.failure
        let status = Self.status(step)
        let isSettled = status != "started" && status != "undoing"
        self.init(
            id: id,
            status: status,
            target: known?.policy.target,
            attempt: step.undo.started ? step.undo.attempt : step.attempt,
            key: step.key.isEmpty ? nil : step.key,
            condition: step.succeeded ? nil : step.condition.map { "\($0.condition): \($0.reason)" },
            lastError: failure.map { "\($0.failure.rawValue) \($0.code): \($0.message)" },
            retryAt: failure?.retryAt,
            startedAt: step.startedAt,
            endedAt: isSettled ? attempts.last?.endedAt : nil,
            pivot: known?.policy.pivot == true ? true : nil,
            skippable: known?.policy.skippable == true ? true : nil,
            attempts: attempts
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
