internal import Domain
internal import EventStore
internal import Kernel

/// The long work, as a person sees it: one row for each saga, made by the event that causes it.
package enum Operations: Projection {
    package typealias Row = OperationView

    package static let name = "operations"
    package static let shape = 1
    package static let reads = SagaEvent.types.union(SagaCause.types)

    package static func key(of entry: Entry) -> String? {
        guard case .saga = entry.event else { return entry.record.id.description }
        return saga(of: entry)?.description
    }

    package static func fold(into row: inout OperationView?, _ entry: Entry) throws {
        guard case .saga(let event) = entry.event else {
            guard let kind = SagaCause.kind(startedBy: entry.record.type, payload: entry.record.payload) else { return }
            row = OperationView(
                id: entry.record.id,
                kind: kind,
                subject: entry.record.stream.text,
                organizationID: entry.record.organization,
                startedAt: entry.at,
                position: entry.position
            )
            return
        }
        if case .started(let fact) = event {
            guard let id = saga(of: entry) else { throw FoldError.missing(key: entry.subject) }
            // A saga that a person or another saga started has no cause event of its own.
            var operation =
                row
                ?? OperationView(
                    id: id,
                    kind: fact.kind,
                    subject: fact.subject,
                    organizationID: entry.record.organization,
                    startedAt: entry.at,
                    position: entry.position
                )
            operation.steps = fact.steps.map { .init(id: $0) }
            row = operation
            return
        }
        guard var operation = row else { throw FoldError.missing(key: entry.subject) }
        operation.fold(event, at: entry.at)
        row = operation
    }

    /// The id of a saga is the end of its stream's name, after the kind.
    private static func saga(of entry: Entry) -> UniqueID? {
        UniqueID(entry.subject.suffix(36))
    }
}

extension OperationView {
    fileprivate mutating func fold(_ event: SagaEvent, at moment: Timestamp) {
        switch event {
        case .started: break
        case .stepStarted(let fact):
            go(.running)
            update(fact.step) { step in
                step.status = .running
                step.attempts = max(step.attempts, fact.attempt)
                step.startedAt = step.startedAt ?? moment
                step.endedAt = nil
            }
        case .stepSucceeded(let fact):
            go(.running)
            update(fact.step) { step in
                // A step that is tried again is not started again: its intent stands.
                if step.status == .waiting, step.error != nil { step.attempts += 1 }
                step.status = fact.skipped == true ? .skipped : .succeeded
                step.startedAt = step.startedAt ?? moment
                step.endedAt = moment
                step.error = nil
                step.condition = nil
            }
        case .stepAttemptFailed(let fact):
            if let retryAt = fact.retryAt { wait(until: retryAt) }
            update(fact.step) { step in
                step.status = fact.retryAt == nil ? .failed : .waiting
                step.attempts = max(step.attempts, fact.attempt)
                step.endedAt = fact.retryAt == nil ? moment : nil
                step.error = .init(fact)
            }
            if fact.retryAt == nil { problem = .init(step: fact.step, fact) }
        case .conditionChanged(let fact):
            go(.waiting)
            update(fact.step) { step in
                step.status = .waiting
                step.condition = "\(fact.condition) \(fact.status): \(fact.reason)"
            }
        case .cancelRequested(let fact): problem = Problem(step: nil, failure: "cancelled", message: fact.reason)
        case .compensationStarted(let fact):
            isCompensating = true
            go(.compensating)
            let cause = problem ?? Problem(step: nil, failure: "permanent", message: "")
            problem = Problem(step: cause.step, failure: cause.failure, message: fact.reason)
        case .undoStarted(let fact):
            go(.compensating)
            update(fact.step) { $0.status = .undoing }
        case .undoSucceeded(let fact):
            go(.compensating)
            update(fact.step) { step in
                step.status = .undone
                step.endedAt = moment
            }
        case .undoAttemptFailed(let fact):
            nextActionAt = fact.retryAt
            update(fact.step) { $0.error = .init(fact) }
        case .parked(let fact):
            status = .parked
            nextActionAt = nil
            problem = Problem(step: fact.step, failure: "blocked", message: fact.reason)
        case .operatorActed(let fact):
            guard status == .parked, fact.endsParking else { break }
            go(isCompensating ? .compensating : .running)
            if !isCompensating { problem = nil }
        case .migrated: break
        case .inputReceived, .inputIgnored: break
        case .completed: end(.completed, at: moment)
        case .compensated: end(.compensated, at: moment)
        case .abandoned: end(.abandoned, at: moment)
        case .superseded: end(.superseded, at: moment)
        }
    }

    private mutating func go(_ next: Status) {
        status = next
        nextActionAt = nil
    }

    private mutating func wait(until moment: Timestamp) {
        status = isCompensating ? .compensating : .waiting
        nextActionAt = moment
    }

    private mutating func end(_ last: Status, at moment: Timestamp) {
        go(last)
        endedAt = moment
        if last == .completed { problem = nil }
    }

    private mutating func update(_ id: String, _ change: (inout Step) -> Void) {
        if let index = steps.firstIndex(where: { $0.id == id }) {
            change(&steps[index])
        } else {
            var step = Step(id: id)
            change(&step)
            steps.append(step)
        }
    }
}
