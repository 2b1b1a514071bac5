internal import Domain
internal import EventStore
package import Kernel

/// One time that a step, or its undo, was tried.
package struct SagaAttempt: Sendable, Equatable, Codable {
    /// Counted from 1, on the way forward and back each.
    package var number: Int
    package var undo: Bool
    /// When it began; of a repeat, when it was due.
    package var startedAt: Timestamp
    /// Absent while it is under way.
    package var endedAt: Timestamp?
    /// `succeeded`, `skipped`, or the class of its failure; absent while it is under way.
    package var outcome: String?
    package var code: String?
    package var message: String?
    /// When the next one is due.
    package var retryAt: Timestamp?

    /// The attempts that a saga's events tell of, by step, in order.
    static func all(in events: [RecordedEvent]) -> [String: [SagaAttempt]] {
        var all: [String: [SagaAttempt]] = [:]
        for recorded in events {
            guard let payload = recorded.payload,
                // What cannot be read tells of nothing; the fold has complained of it already.
                let event = try? SagaEvent.decode(
                    type: recorded.type,
                    schemaVersion: recorded.schemaVersion,
                    payload: payload
                )
            else { continue }
            let now = recorded.recordedAt
            switch event {
            case .stepStarted(let fact): all[fact.step, default: []].begin(fact, undo: false, at: now)
            case .undoStarted(let fact): all[fact.step, default: []].begin(fact, undo: true, at: now)
            case .stepAttemptFailed(let fact): all[fact.step, default: []].fail(fact, undo: false, at: now)
            case .undoAttemptFailed(let fact): all[fact.step, default: []].fail(fact, undo: true, at: now)
            case .stepSucceeded(let fact):
                let outcome = fact.skipped == true ? "skipped" : "succeeded"
                all[fact.step, default: []].end(undo: false, outcome, at: now)
            case .undoSucceeded(let fact):
                all[fact.step, default: []].end(undo: true, "succeeded", message: fact.note, at: now)
            case .started, .conditionChanged, .cancelRequested, .compensationStarted, .parked, .operatorActed,
                .inputReceived, .inputIgnored, .completed, .compensated, .abandoned, .superseded, .migrated:
                break
            }
        }
        return all
    }
}

extension [SagaAttempt] {
    fileprivate mutating func begin(_ fact: SagaEvent.StepStarted, undo: Bool, at now: Timestamp) {
        append(SagaAttempt(number: fact.attempt, undo: undo, startedAt: now))
    }

    fileprivate mutating func fail(_ fact: SagaEvent.AttemptFailed, undo: Bool, at now: Timestamp) {
        let index = open(undo: undo, number: fact.attempt, at: now)
        self[index].endedAt = now
        self[index].outcome = fact.failure.rawValue
        self[index].code = fact.code
        self[index].message = fact.message
        self[index].retryAt = fact.retryAt
    }

    fileprivate mutating func end(undo: Bool, _ outcome: String, message: String? = nil, at now: Timestamp) {
        let index = open(undo: undo, number: nil, at: now)
        self[index].endedAt = now
        self[index].outcome = outcome
        self[index].message = message
    }

    /// The attempt that is under way; a repeat is not announced, so it began when it was due.
    private mutating func open(undo: Bool, number: Int?, at now: Timestamp) -> Int {
        if let index = lastIndex(where: { $0.undo == undo }) {
            if self[index].endedAt == nil { return index }
            let due = self[index].retryAt.map { Swift.min($0, now) } ?? now
            append(SagaAttempt(number: number ?? self[index].number + 1, undo: undo, startedAt: due))
        } else {
            append(SagaAttempt(number: number ?? 1, undo: undo, startedAt: now))
        }
        return endIndex - 1
    }
}
