package import Kernel

/// Everything that can have happened to one run of a saga.
package enum SagaEvent: EventFamily {
    case started(Started)
    case stepStarted(StepStarted)
    case stepSucceeded(StepSucceeded)
    case stepAttemptFailed(AttemptFailed)
    case conditionChanged(ConditionChanged)
    case cancelRequested(Because)
    case compensationStarted(Because)
    case undoStarted(StepStarted)
    case undoSucceeded(UndoSucceeded)
    case undoAttemptFailed(AttemptFailed)
    case parked(Parked)
    case operatorActed(OperatorActed)
    case inputReceived(InputReceived)
    case inputIgnored(InputIgnored)
    case completed(Nothing)
    case compensated(Nothing)
    case abandoned(Because)
    case superseded(Because)
    case migrated(Migrated)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case started = "saga.started"
        case stepStarted = "saga.step-started"
        case stepSucceeded = "saga.step-succeeded"
        case stepAttemptFailed = "saga.step-attempt-failed"
        case conditionChanged = "saga.condition-changed"
        case cancelRequested = "saga.cancel-requested"
        case compensationStarted = "saga.compensation-started"
        case undoStarted = "saga.undo-started"
        case undoSucceeded = "saga.undo-succeeded"
        case undoAttemptFailed = "saga.undo-attempt-failed"
        case parked = "saga.parked"
        case operatorActed = "saga.operator-acted"
        case inputReceived = "saga.input-received"
        case inputIgnored = "saga.input-ignored"
        case completed = "saga.completed"
        case compensated = "saga.compensated"
        case abandoned = "saga.abandoned"
        case superseded = "saga.superseded"
        case migrated = "saga.migrated"
    }
}

/// What an attempt's failure means for what comes next.
package enum FailureClass: String, Codable, Sendable, CaseIterable {
    /// The world is unwell and nothing happened: try again later.
    case transient
    /// Nobody knows whether it happened: look before trying again.
    case unknown
    /// Somebody else moved first: read again, decide again.
    case conflict
    /// Trying again cannot help: take back what was done.
    case permanent
    /// A person has to do something: wait for them.
    case blocked
    /// A newer run has taken over: end quietly.
    case superseded
    /// The lease is gone: drop everything silently.
    case fenced
}

extension SagaEvent {
    package struct Started: Fact {
        package var kind: String
        /// Which version of the definition; its steps are listed below.
        package var definition: Int
        /// The stream it works for, such as `instance-42`.
        package var subject: String
        /// One exclusive saga at a time runs in a lane.
        package var lane: String
        /// The event that caused it; also the id of the saga.
        package var cause: UniqueID
        /// What the steps need to know, by name.
        package var input: JSONValue
        package var steps: [String]
        package var deadline: Timestamp
        /// The saga whose step caused it, by its stream; it is told of the end.
        package var parent: String?
        /// Where the log has the cause; what happened before it does not concern the saga.
        package var position: Int64?
        package init(
            kind: String,
            definition: Int,
            subject: String,
            lane: String,
            cause: UniqueID,
            input: JSONValue,
            steps: [String],
            deadline: Timestamp,
            parent: String? = nil,
            position: Int64? = nil
        ) {
            self.kind = kind
            self.definition = definition
            self.subject = subject
            self.lane = lane
            self.cause = cause
            self.input = input
            self.steps = steps
            self.deadline = deadline
            self.parent = parent
            self.position = position
        }
    }

    package struct StepStarted: Fact {
        package var step: String
        package var attempt: Int
        /// What makes the effect the same effect when it is tried again.
        package var key: String
        /// What the step is about to make or remove outside; absent when nothing, and in undos.
        package var resources: [IntendedResource]?
        package init(step: String, attempt: Int, key: String, resources: [IntendedResource]? = nil) {
            self.step = step
            self.attempt = attempt
            self.key = key
            self.resources = resources
        }
    }

    package struct StepSucceeded: Fact {
        package var step: String
        /// What later steps need to know, by name; never a secret.
        package var output: JSONValue
        package var skipped: Bool?
        package init(step: String, output: JSONValue, skipped: Bool? = nil) {
            self.step = step
            self.output = output
            self.skipped = skipped
        }
    }

    package struct AttemptFailed: Fact {
        package var step: String
        package var attempt: Int
        package var failure: FailureClass
        package var code: String
        /// At most 2 KB, without NUL and without secrets.
        package var message: String
        package var retryAt: Timestamp?
        package init(
            step: String,
            attempt: Int,
            failure: FailureClass,
            code: String,
            message: String,
            retryAt: Timestamp? = nil
        ) {
            self.step = step
            self.attempt = attempt
            self.failure = failure
            self.code = code
            self.message = message
            self.retryAt = retryAt
        }
    }

    package struct ConditionChanged: Fact {
        package var step: String
        package var condition: String
        package var status: String
        package var reason: String
        /// A durable timer: nothing is looked at before, unless something else happens to the saga.
        package var until: Timestamp?
        package init(step: String, condition: String, status: String, reason: String, until: Timestamp? = nil) {
            self.step = step
            self.condition = condition
            self.status = status
            self.reason = reason
            self.until = until
        }
    }

    package struct UndoSucceeded: Fact {
        package var step: String
        package var note: String?
        package init(step: String, note: String? = nil) {
            self.step = step
            self.note = note
        }
    }

    package struct Parked: Fact {
        package var step: String
        package var reason: String
        package init(step: String, reason: String) {
            self.step = step
            self.reason = reason
        }
    }

    package struct OperatorActed: Fact {
        package var verb: String
        package var step: String?
        package var operatorID: String
        package var reason: String
        package var evidence: JSONValue?
        package init(
            verb: String,
            step: String? = nil,
            operatorID: String,
            reason: String,
            evidence: JSONValue? = nil
        ) {
            self.verb = verb
            self.step = step
            self.operatorID = operatorID
            self.reason = reason
            self.evidence = evidence
        }

        /// Whether the saga goes on after it, when it was parked.
        package var endsParking: Bool { Self.goingOn.contains(verb) }

        private static let goingOn: Set = ["retry", "resume", "skip", "set-output", "cancel", "abandon"]
    }

    /// Something that happened elsewhere and that the saga has to know: the end of a child, or what cancels it.
    package struct InputReceived: Fact {
        /// What happened; received once.
        package var event: UniqueID
        package var type: String
        package var data: JSONValue?
        package init(event: UniqueID, type: String, data: JSONValue? = nil) {
            self.event = event
            self.type = type
            self.data = data
        }
    }

    /// Something that would have changed the saga's course, had it not been too late.
    package struct InputIgnored: Fact {
        package var event: UniqueID
        package var why: String
        package init(event: UniqueID, why: String) {
            self.event = event
            self.why = why
        }
    }

    package struct Migrated: Fact {
        package var from: Int
        package var to: Int
        package var steps: [String]
        package init(from: Int, to: Int, steps: [String]) {
            self.from = from
            self.to = to
            self.steps = steps
        }
    }
}

extension SagaEvent {
    package static let category = "saga"
    package static let streams = "`saga-{kind}.{id of the event that caused it}`"

    package var name: Name {
        switch self {
        case .started: .started
        case .stepStarted: .stepStarted
        case .stepSucceeded: .stepSucceeded
        case .stepAttemptFailed: .stepAttemptFailed
        case .conditionChanged: .conditionChanged
        case .cancelRequested: .cancelRequested
        case .compensationStarted: .compensationStarted
        case .undoStarted: .undoStarted
        case .undoSucceeded: .undoSucceeded
        case .undoAttemptFailed: .undoAttemptFailed
        case .parked: .parked
        case .operatorActed: .operatorActed
        case .inputReceived: .inputReceived
        case .inputIgnored: .inputIgnored
        case .completed: .completed
        case .compensated: .compensated
        case .abandoned: .abandoned
        case .superseded: .superseded
        case .migrated: .migrated
        }
    }

    package var fact: any Fact {
        switch self {
        case .started(let fact): fact
        case .stepStarted(let fact): fact
        case .stepSucceeded(let fact): fact
        case .stepAttemptFailed(let fact): fact
        case .conditionChanged(let fact): fact
        case .cancelRequested(let fact): fact
        case .compensationStarted(let fact): fact
        case .undoStarted(let fact): fact
        case .undoSucceeded(let fact): fact
        case .undoAttemptFailed(let fact): fact
        case .parked(let fact): fact
        case .operatorActed(let fact): fact
        case .inputReceived(let fact): fact
        case .inputIgnored(let fact): fact
        case .completed(let fact): fact
        case .compensated(let fact): fact
        case .abandoned(let fact): fact
        case .superseded(let fact): fact
        case .migrated(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .started: .only(Self.started)
        case .stepStarted: .only(Self.stepStarted)
        case .stepSucceeded: .only(Self.stepSucceeded)
        case .stepAttemptFailed: .only(Self.stepAttemptFailed)
        case .conditionChanged: .only(Self.conditionChanged)
        case .cancelRequested: .only(Self.cancelRequested)
        case .compensationStarted: .only(Self.compensationStarted)
        case .undoStarted: .only(Self.undoStarted)
        case .undoSucceeded: .only(Self.undoSucceeded)
        case .undoAttemptFailed: .only(Self.undoAttemptFailed)
        case .parked: .only(Self.parked)
        case .operatorActed: .only(Self.operatorActed)
        case .inputReceived: .only(Self.inputReceived)
        case .inputIgnored: .only(Self.inputIgnored)
        case .completed: .only(Self.completed)
        case .compensated: .only(Self.compensated)
        case .abandoned: .only(Self.abandoned)
        case .superseded: .only(Self.superseded)
        case .migrated: .only(Self.migrated)
        }
    }
}
