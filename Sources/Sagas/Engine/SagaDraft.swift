internal import Domain
internal import Kernel
internal import Platform

/// What one append of a saga is going to say; pure.
struct SagaDraft: Sendable, Equatable {
    var events: [SagaEvent] = []
    var facts: [DomainFact] = []
    /// What the end means for the saga's subject; left out when the subject does not accept it any more.
    var closing: [DomainFact] = []
    /// The lease is given back and the saga is due again then; `nil` keeps the lease.
    var wakeAt: Timestamp?
    /// A step that has nothing to do before a moment; forgotten when something else is to be done.
    var pause: Pause?

    /// Whether there is nothing to write.
    var isEmpty: Bool { events.isEmpty && facts.isEmpty && closing.isEmpty }

    struct Pause: Sendable, Equatable {
        var step: String
        var until: Timestamp
    }
}

/// Turns what happened outside into what is recorded, with the table and the settings at hand.
struct SagaScribe: Sendable {
    let definition: SagaDefinition
    let settings: EngineSettings
    /// What effect keys begin with.
    let scope: String
    /// The targets that may not be called before a moment.
    var resting: [String: Timestamp] = [:]

    /// The draft with everything that follows without going outside: the next intent, the turn, the end.
    ///
    /// So a step costs one append: its success and the next step's intent travel together.
    func complete(_ draft: SagaDraft, of state: SagaState, at now: Timestamp) -> SagaDraft {
        var draft = draft
        var state = state
        for event in draft.events { state.evolve(event, at: now) }
        while true {
            switch state.next(definition, at: now, resting: resting) {
            case .compensate(let reason):
                draft.events.append(.compensationStarted(Because(reason: reason)))
                state.evolve(.compensationStarted(Because(reason: reason)), at: now)
            case .begin(let step):
                var intent = intent(step, attempt: state.steps[step]?.attempt ?? 1)
                let resources = definition.step(step)?.resources(state.started?.input ?? .null, state.outputs) ?? []
                intent.resources = resources.isEmpty ? nil : resources
                draft.events.append(.stepStarted(intent))
                return draft
            case .beginUndo(let step):
                draft.events.append(.undoStarted(intent(step, attempt: state.steps[step]?.undo.attempt ?? 1)))
                return draft
            case .finish(.compensated):
                draft.events.append(.compensated(Nothing()))
                if let failure = state.failure, let started = state.started {
                    draft.closing = definition.failed(failure, started.input)
                }
                return draft
            case .finish:
                draft.events.append(.completed(Nothing()))
                return draft
            case .park(let step, let reason):
                draft.events.append(.parked(.init(step: step, reason: reason)))
                return draft
            case .wait(let until):
                draft.wakeAt = until
                return draft
            case .ensure(let step):
                if let pause = draft.pause, pause.step == step { draft.wakeAt = pause.until }
                return draft
            case .undo, .rest:
                return draft
            }
        }
    }

    /// An attempt went well; `nil` when that is known already.
    func succeeded(_ step: String, _ result: StepResult, in state: SagaState) -> SagaDraft? {
        guard state.mode == .forward, state.steps[step]?.succeeded == false else { return nil }
        switch result {
        case .done(let outcome):
            let event = SagaEvent.stepSucceeded(.init(step: step, output: outcome.output))
            return SagaDraft(events: [event], facts: outcome.facts)
        case .skipped(let why):
            let output: JSONValue = ["why": .string(why)]
            return SagaDraft(events: [.stepSucceeded(.init(step: step, output: output, skipped: true))])
        case .waiting(let condition, let reason, let until):
            let reason = Self.clean(reason)
            let known = state.steps[step]
            // That it answers again is news, too: it has not failed ever since.
            let answers = known?.failure != nil && condition != SagaState.targetAvailable
            guard
                known?.condition?.condition != condition || known?.condition?.reason != reason || known?.timer != until
                    || answers
            else { return nil }
            let change = SagaEvent.ConditionChanged(
                step: step,
                condition: condition,
                status: "false",
                reason: reason,
                until: until
            )
            return SagaDraft(events: [.conditionChanged(change)])
        case .progress(let condition, let reason, let facts):
            var draft = succeeded(step, .waiting(condition: condition, reason: reason), in: state) ?? SagaDraft()
            draft.facts = facts
            return draft
        }
    }

    /// An attempt failed; `nil` when the step is through already.
    func failed(
        _ step: String,
        _ error: PortError,
        in state: SagaState,
        at now: Timestamp,
        random: UInt64
    ) -> SagaDraft? {
        guard state.mode == .forward, let known = state.steps[step], !known.succeeded else { return nil }
        var fact = SagaEvent.AttemptFailed(
            step: step,
            attempt: known.attempt,
            failure: error.failure,
            code: Self.clean(error.code),
            message: Self.clean(error.message)
        )
        let committed = state.committed(definition)
        switch error {
        case .superseded:
            return SagaDraft(events: [.stepAttemptFailed(fact), .superseded(Because(reason: fact.message))])
        case .blocked:
            return SagaDraft(events: [.stepAttemptFailed(fact), .parked(.init(step: step, reason: fact.message))])
        case .permanent where committed:
            return SagaDraft(events: [.stepAttemptFailed(fact), .parked(.init(step: step, reason: fact.message))])
        case .permanent:
            return SagaDraft(events: [.stepAttemptFailed(fact), .compensationStarted(Because(reason: fact.message))])
        case .transient, .pending, .unknown, .conflict:
            if !committed, let deadline = state.deadline, now >= deadline,
                known.attempt >= settings.leastAttempts
            {
                let reason = "\(step) was not done in time: \(fact.message)"
                return SagaDraft(events: [.stepAttemptFailed(fact), .compensationStarted(Because(reason: reason))])
            }
            // Our own waiting is no failure, however long it takes.
            if committed, !error.isPending, isExhausted(known.failure, attempt: known.attempt, at: now) {
                let reason = "\(step) goes on failing: \(fact.message)"
                return SagaDraft(events: [.stepAttemptFailed(fact), .parked(.init(step: step, reason: reason))])
            }
            fact.retryAt = now + pause(settings.forward, after: known.failure, error, random)
            return SagaDraft(events: [.stepAttemptFailed(fact)])
        }
    }

    /// An undo went well; `nil` when that is known already.
    func undone(_ step: String, _ result: UndoResult, in state: SagaState) -> SagaDraft? {
        guard state.steps[step]?.undo.done == false else { return nil }
        return SagaDraft(events: [.undoSucceeded(.init(step: step, note: result.note))], facts: result.facts)
    }

    /// An undo failed; it is tried for long, and never keeps the others from being done.
    func undoFailed(
        _ step: String,
        _ error: PortError,
        in state: SagaState,
        at now: Timestamp,
        random: UInt64
    ) -> SagaDraft? {
        guard let known = state.steps[step]?.undo, !known.done else { return nil }
        // What a newer generation owns is no longer ours to take back.
        if case .superseded(let message) = error {
            return undone(step, UndoResult(note: Self.clean(message)), in: state)
        }
        var fact = SagaEvent.AttemptFailed(
            step: step,
            attempt: known.attempt,
            failure: error.failure,
            code: Self.clean(error.code),
            message: Self.clean(error.message)
        )
        if !isExhausted(known.failure, attempt: known.attempt, at: now) {
            switch error {
            case .permanent, .blocked: fact.retryAt = now + settings.undo.longest
            default: fact.retryAt = now + pause(settings.undo, after: known.failure, error, random)
            }
        }
        return SagaDraft(events: [.undoAttemptFailed(fact)])
    }

    /// Whether something has failed for so long, and so often, that a person has to know.
    private func isExhausted(_ failure: SagaState.Failure?, attempt: Int, at now: Timestamp) -> Bool {
        guard let since = failure?.since else { return false }
        return now - since >= settings.persistence && attempt >= settings.leastAttempts
    }

    /// Without NUL, which Postgres cannot store, and at most 2 KB.
    static func clean(_ text: String) -> String {
        var bytes = 0
        var kept = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where scalar != "\0" {
            bytes += String(scalar).utf8.count
            guard bytes <= 2048 else { break }
            kept.append(scalar)
        }
        return String(kept)
    }

    private func pause(
        _ backoff: Backoff,
        after failure: SagaState.Failure?,
        _ error: PortError,
        _ random: UInt64
    ) -> Duration {
        let drawn = backoff.pause(after: failure?.pause, random: random)
        switch error {
        case .transient(_, _, let retryAfter?), .pending(_, _, let retryAfter?): return max(drawn, retryAfter)
        default: return drawn
        }
    }

    private func intent(_ step: String, attempt: Int) -> SagaEvent.StepStarted {
        SagaEvent.StepStarted(step: step, attempt: attempt, key: key(step))
    }

    /// The effect key of a step: (instance, generation, step).
    func key(_ step: String) -> String {
        "\(scope)/\(step)"
    }
}

extension PortError {
    /// Whether it only says that something takes its time.
    fileprivate var isPending: Bool {
        if case .pending = self { true } else { false }
    }

    /// What it is called in a saga's events.
    var failure: FailureClass {
        switch self {
        case .transient, .pending: .transient
        case .unknown: .unknown
        case .conflict: .conflict
        case .permanent: .permanent
        case .blocked: .blocked
        case .superseded: .superseded
        }
    }
}
