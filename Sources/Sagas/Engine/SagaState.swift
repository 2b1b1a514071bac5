package import Domain
package import EventStore
package import Kernel

/// One run of a saga as its stream tells it: a pure fold, the only thing decisions are made on.
package struct SagaState: Snapshotable, Equatable {
    package static let stateVersion: Int16 = 4

    /// The condition of a step whose target is left alone.
    static let targetAvailable = "TargetAvailable"

    /// Where one step stands.
    package struct Step: Codable, Sendable, Equatable {
        package var key = ""
        package var startedAt: Timestamp?
        /// The attempt that is, or will be, under way.
        package var attempt = 1
        package var succeeded = false
        package var skipped = false
        /// An operator skipped it: something may be there all the same.
        package var passedOver = false
        package var output: JSONValue = .object([:])
        package var condition: SagaEvent.ConditionChanged?
        /// Nothing is to be looked at before.
        package var timer: Timestamp?
        package var failure: Failure?
        package var undo = Undo()
    }

    /// Where the taking back of one step stands.
    package struct Undo: Codable, Sendable, Equatable {
        package var started = false
        package var attempt = 1
        package var done = false
        package var note: String?
        package var failure: Failure?
    }

    /// The run of failures that an attempt ended.
    package struct Failure: Codable, Sendable, Equatable {
        package var failure: FailureClass
        package var code: String
        package var message: String
        /// When the first of them was recorded.
        package var since: Timestamp
        package var at: Timestamp
        package var retryAt: Timestamp?
        /// What was waited after the attempt before; the next pause is drawn from it.
        package var pause: Duration?
    }

    /// Which way it goes.
    package enum Mode: Codable, Sendable, Equatable {
        case forward
        case compensating(reason: String)
        case ended(End)
    }

    /// How it ended.
    package enum End: String, Codable, Sendable {
        case completed, compensated, abandoned, superseded
    }

    package private(set) var started: SagaEvent.Started?
    package private(set) var organization: OrganizationID?
    package private(set) var correlation: UniqueID?
    package private(set) var traceparent: String?
    package private(set) var version: Int64 = 0
    package private(set) var last: UniqueID?
    package private(set) var mode = Mode.forward
    package private(set) var parked: SagaEvent.Parked?
    package private(set) var cancelled: String?
    package private(set) var failure: SagaFailure?
    package private(set) var steps: [String: Step] = [:]
    /// What it was told of already.
    package private(set) var inputs: Set<UniqueID> = []
    /// When it began, and when its patience was last made new: by a person, by an input, by the end of a timer.
    package private(set) var begunAt: Timestamp?
    package private(set) var renewedAt: Timestamp?
    /// When the last event was recorded.
    package private(set) var lastAt: Timestamp?

    package init() {}

    /// When patience ends on the way forward; what a timer has waited for does not count.
    package var deadline: Timestamp? {
        guard let deadline = started?.deadline, let begunAt, let renewedAt else { return started?.deadline }
        return deadline + (renewedAt - begunAt)
    }

    /// Whether anything was done for it, or only its beginning is recorded.
    package var hasBegun: Bool { steps.values.contains { $0.startedAt != nil } }

    /// The steps that succeeded, with what they left.
    package var outputs: [String: JSONValue] {
        steps.filter { $0.value.succeeded && !$0.value.skipped }.mapValues(\.output)
    }

    /// The steps that may have had an effect.
    package var begun: Set<String> {
        Set(steps.filter { $0.value.startedAt != nil && (!$0.value.skipped || $0.value.passedOver) }.keys)
    }

    /// What `log.work` says of it.
    package var status: String {
        switch mode {
        case .ended(let end): end.rawValue
        case _ where parked != nil: "parked"
        case .compensating: "compensating"
        case .forward: "running"
        }
    }

    /// Takes in one recorded event of the saga's stream.
    ///
    /// - Throws: What `SagaEvent.decode` throws when it cannot be read.
    package mutating func evolve(_ recorded: RecordedEvent) throws {
        version = recorded.version
        last = recorded.id
        guard let payload = recorded.payload,
            let event = try SagaEvent.decode(
                type: recorded.type,
                schemaVersion: recorded.schemaVersion,
                payload: payload
            )
        else { return }
        if case .started = event {
            organization = recorded.organization
            correlation = recorded.correlation
            traceparent = Metadata.traceparent(recorded.metadata)
        }
        evolve(event, at: recorded.recordedAt)
    }

    /// Takes in one event.
    package mutating func evolve(_ event: SagaEvent, at moment: Timestamp) {
        defer { lastAt = moment }
        if steps.values.contains(where: { $0.timer.map { $0 <= moment } ?? false }) { renew(at: moment) }
        switch event {
        case .started(let fact):
            started = fact
            begunAt = moment
            renewedAt = moment
            for step in fact.steps { steps[step] = Step() }
        case .stepStarted(let fact):
            steps[fact.step, default: Step()].startedAt = moment
            steps[fact.step, default: Step()].attempt = fact.attempt
            steps[fact.step, default: Step()].key = fact.key
        case .stepSucceeded(let fact):
            steps[fact.step, default: Step()].succeeded = true
            steps[fact.step, default: Step()].skipped = fact.skipped ?? false
            steps[fact.step, default: Step()].output = fact.output
            steps[fact.step, default: Step()].failure = nil
        case .stepAttemptFailed(let fact):
            steps[fact.step, default: Step()].attempt = fact.attempt + 1
            steps[fact.step, default: Step()].failure = Failure(fact, at: moment, after: steps[fact.step]?.failure)
            if fact.failure == .permanent { failure = SagaFailure(fact, as: "permanent") }
        case .conditionChanged(let fact):
            steps[fact.step, default: Step()].condition = fact
            // That nobody may ask its target is no answer of the target.
            if fact.condition != Self.targetAvailable { steps[fact.step, default: Step()].failure = nil }
            steps[fact.step, default: Step()].timer = fact.until
        case .cancelRequested(let fact):
            cancelled = fact.reason
            // Whoever turns back waits for nobody's word any more.
            if case .forward = mode { parked = nil }
        case .compensationStarted(let fact):
            mode = .compensating(reason: fact.reason)
            if failure == nil { failure = failure(reason: fact.reason) }
        case .undoStarted(let fact):
            steps[fact.step, default: Step()].undo.started = true
            steps[fact.step, default: Step()].undo.attempt = fact.attempt
        case .undoSucceeded(let fact):
            steps[fact.step, default: Step()].undo.done = true
            steps[fact.step, default: Step()].undo.note = fact.note
            steps[fact.step, default: Step()].undo.failure = nil
        case .undoAttemptFailed(let fact):
            let earlier = steps[fact.step]?.undo.failure
            steps[fact.step, default: Step()].undo.attempt = fact.attempt + 1
            steps[fact.step, default: Step()].undo.failure = Failure(fact, at: moment, after: earlier)
        case .parked(let fact):
            parked = fact
        case .operatorActed(let fact):
            act(fact, at: moment)
        case .inputReceived(let fact):
            inputs.insert(fact.event)
            renew(at: moment)
        case .inputIgnored(let fact):
            inputs.insert(fact.event)
        case .completed: mode = .ended(.completed)
        case .compensated: mode = .ended(.compensated)
        case .abandoned: mode = .ended(.abandoned)
        case .superseded: mode = .ended(.superseded)
        case .migrated(let fact):
            started?.definition = fact.to
            started?.steps = fact.steps
            for step in fact.steps where steps[step] == nil { steps[step] = Step() }
        }
    }

    /// Takes note of where its own append has landed.
    mutating func advance(to version: Int64, last: UniqueID?) {
        self.version = version
        self.last = last ?? self.last
    }

    /// A person's word: whatever waits may go on at once, with its patience renewed.
    private mutating func act(_ fact: SagaEvent.OperatorActed, at moment: Timestamp) {
        guard fact.endsParking else { return }
        parked = nil
        renew(at: moment)
        if fact.verb == "skip", let step = fact.step { steps[step, default: Step()].passedOver = true }
        for id in steps.keys {
            steps[id]?.failure = nil
            steps[id]?.undo.failure = nil
        }
    }

    /// No timer holds it back any more, and its patience is new.
    private mutating func renew(at moment: Timestamp) {
        for id in steps.keys { steps[id]?.timer = nil }
        renewedAt = moment
    }

    /// What made it turn back, when no permanent failure says so: time ran out, or somebody asked for it.
    private func failure(reason: String) -> SagaFailure {
        let step = current ?? started?.steps.last ?? ""
        return SagaFailure(step: step, failure: cancelled == nil ? "timed-out" : "cancelled", reason: reason)
    }

    /// The first step that has not succeeded.
    package var current: String? {
        started?.steps.first { steps[$0]?.succeeded != true }
    }
}

extension SagaState.Failure {
    fileprivate init(_ fact: SagaEvent.AttemptFailed, at moment: Timestamp, after earlier: Self?) {
        self.init(
            failure: fact.failure,
            code: fact.code,
            message: fact.message,
            since: earlier?.since ?? moment,
            at: moment,
            retryAt: fact.retryAt,
            pause: fact.retryAt.map { max(.zero, $0 - moment) }
        )
    }
}

extension SagaFailure {
    init(_ fact: SagaEvent.AttemptFailed, as failure: String) {
        self.init(step: fact.step, failure: failure, reason: fact.message)
    }
}
