internal import Domain
package import Kernel

/// What a saga does next.
package enum SagaMove: Sendable, Equatable {
    /// Record the intent, then ``ensure``.
    case begin(step: String)
    /// Bring the step about; look first when the end of an earlier attempt is unknown.
    case ensure(step: String)
    /// Turn back.
    case compensate(reason: String)
    /// Record the intent, then ``undo``.
    case beginUndo(step: String)
    case undo(step: String)
    case wait(until: Timestamp)
    /// Leave it to a person.
    case park(step: String, reason: String)
    case finish(SagaState.End)
    /// Nothing to do: parked or ended.
    case rest
}

extension SagaState {
    /// Decides, from nothing but what is recorded, the table, and the time.
    ///
    /// - Parameters:
    ///   - definition: The table.
    ///   - now: The time, on the database's clock.
    ///   - resting: The targets that may not be called before a moment.
    /// - Returns: What to do.
    package func next(
        _ definition: SagaDefinition,
        at now: Timestamp,
        resting: [String: Timestamp] = [:]
    ) -> SagaMove {
        guard parked == nil else { return .rest }
        switch mode {
        case .ended: return .rest
        case .forward: return forward(definition, at: now, resting)
        case .compensating: return backward(definition, at: now, resting)
        }
    }

    /// Whether there is no way back.
    package func committed(_ definition: SagaDefinition) -> Bool {
        definition.steps.contains { step in
            guard step.policy.pivot, let known = steps[step.id] else { return false }
            return known.succeeded || step.policy.irrevocable && known.startedAt != nil
        }
    }

    private func forward(
        _ definition: SagaDefinition,
        at now: Timestamp,
        _ resting: [String: Timestamp]
    ) -> SagaMove {
        if let cancelled, !committed(definition) { return .compensate(reason: cancelled) }
        guard let current, let step = steps[current] else { return .finish(.completed) }
        guard step.startedAt != nil else { return .begin(step: current) }
        if let retryAt = step.failure?.retryAt, retryAt > now { return .wait(until: retryAt) }
        if let timer = step.timer, timer > now { return .wait(until: timer) }
        if let target = definition.step(current)?.policy.target, let until = resting[target], until > now {
            return .wait(until: until)
        }
        return .ensure(step: current)
    }

    private func backward(
        _ definition: SagaDefinition,
        at now: Timestamp,
        _ resting: [String: Timestamp]
    ) -> SagaMove {
        let open = undos(definition)
        guard !open.isEmpty else { return .finish(.compensated) }
        let ids = Set(open.map(\.id))
        var soonest: Timestamp?
        var stuck: (step: String, message: String)?
        for step in open where ids.isDisjoint(with: step.undoAfter) {
            guard let undo = steps[step.id]?.undo else { continue }
            if let until = resting[step.policy.target], until > now, undo.failure.map({ $0.retryAt != nil }) ?? true {
                soonest = min(soonest ?? until, until)
                continue
            }
            guard let failure = undo.failure else {
                return undo.started ? .undo(step: step.id) : .beginUndo(step: step.id)
            }
            guard let retryAt = failure.retryAt else {
                stuck = (step.id, failure.message)
                continue
            }
            guard retryAt > now else { return .undo(step: step.id) }
            soonest = min(soonest ?? retryAt, retryAt)
        }
        if let soonest { return .wait(until: soonest) }
        // Only undos that have been given up are left; a circle of `undoAfter` would end here too.
        let (step, message) = stuck ?? (open[0].id, "its undo waits for undos that cannot be done")
        return .park(step: step, reason: message)
    }

    /// What may have had an effect and is not taken back yet, in the order of taking back.
    package func undos(_ definition: SagaDefinition) -> [SagaStep] {
        let open = definition.steps.reversed().filter { step in
            step.ensureAbsent != nil && begun.contains(step.id) && steps[step.id]?.undo.done != true
        }
        return open.filter(\.policy.undoneFirst) + open.filter { !$0.policy.undoneFirst }
    }
}
