internal import Domain
internal import Kernel

/// What a deed means in the state that a saga is in; pure.
struct SagaPlan {
    private(set) var events: [SagaEvent] = []
    /// What an end means for the saga's subject.
    private(set) var closing: [DomainFact] = []

    private let state: SagaState
    private let deed: SagaDeed
    private let reason: String

    /// Decides on a deed.
    ///
    /// - Parameters:
    ///   - verb: What is to be done.
    ///   - state: What it is to be done to.
    ///   - deed: Who and why.
    ///   - definition: What the saga goes by; `nil` when this build does not know it.
    ///   - newest: What it could go by.
    /// - Throws: ``SagaOperationError/notPossible(_:)`` with what keeps it from being done.
    init(
        _ verb: SagaVerb,
        _ state: SagaState,
        _ deed: SagaDeed,
        definition: SagaDefinition?,
        newest: SagaDefinition?
    ) throws(SagaOperationError) {
        self.state = state
        self.deed = deed
        self.reason = SagaScribe.clean(deed.reason)
        if case .ended(let end) = state.mode { throw .notPossible("the saga is \(end.rawValue)") }
        switch verb {
        case .retry:
            try requireBegun()
            act(verb)
        case .park:
            try requireBegun()
            guard state.parked == nil else { throw .notPossible("the saga is parked") }
            act(verb)
            events.append(.parked(.init(step: present(definition) ?? "", reason: reason)))
        case .resume:
            try requireBegun()
            guard state.parked != nil else { throw .notPossible("the saga is not parked") }
            act(verb)
        case .cancel: try cancel(verb, definition)
        case .skip(let step, let force):
            try requireBegun()
            try skip(verb, step, force, definition)
        case .setOutput(let step, let output, let evidence):
            try requireBegun()
            try set(output, of: step, verb, evidence)
        case .abandon:
            try requireEscape(definition)
            act(verb)
            events.append(.abandoned(Because(reason: reason)))
            if let definition, let started = state.started, !state.committed(definition) {
                let failure = SagaFailure(step: present(definition) ?? "", failure: "abandoned", reason: reason)
                closing = definition.failed(failure, started.input)
            }
        case .migrate(let force): try migrate(verb, force, newest)
        }
    }

    private func requireBegun() throws(SagaOperationError) {
        // Its lane belongs to another.
        guard state.hasBegun else { throw .notPossible("the saga has not begun") }
    }

    /// What follows on a step that nobody can take back has to come to its end: a subject that is half gone could neither be
    /// used nor be ended again.
    private func requireEscape(_ definition: SagaDefinition?) throws(SagaOperationError) {
        let isBegun = definition?.steps.contains { $0.policy.irrevocable && state.begun.contains($0.id) } ?? false
        guard isBegun else { return }
        throw .notPossible("what was begun cannot be taken back: skip with force what cannot be done")
    }

    private func present(_ definition: SagaDefinition?) -> String? {
        state.parked.flatMap { $0.step.isEmpty ? nil : $0.step } ?? definition.flatMap { state.present($0) }
            ?? state.current
    }

    private mutating func act(_ verb: SagaVerb, step: String? = nil, evidence: JSONValue? = nil) {
        events.append(
            .operatorActed(
                .init(
                    verb: verb.name.rawValue,
                    step: step ?? state.parked?.step ?? state.current,
                    operatorID: deed.actor,
                    reason: reason,
                    evidence: evidence
                )
            )
        )
    }

    private mutating func cancel(_ verb: SagaVerb, _ definition: SagaDefinition?) throws(SagaOperationError) {
        guard case .forward = state.mode else { throw .notPossible("the saga is taking everything back already") }
        if let definition, state.committed(definition) {
            throw .notPossible("there is no way back for the saga any more")
        }
        act(verb)
        events.append(.cancelRequested(Because(reason: reason)))
    }

    private mutating func skip(
        _ verb: SagaVerb,
        _ wanted: String?,
        _ force: Bool,
        _ definition: SagaDefinition?
    ) throws(SagaOperationError) {
        guard let definition, let present = state.present(definition) else {
            throw .notPossible("the saga is at no step")
        }
        let step = wanted ?? present
        let isUndo = state.mode != .forward
        if isUndo {
            guard state.undos(definition).contains(where: { $0.id == step }) else {
                throw .notPossible("\(step) is not to be taken back")
            }
            guard force else {
                throw .notPossible("what \(step) made stays there if its undo is skipped; say so with force")
            }
        } else {
            guard step == present else { throw .notPossible("the saga is at \(present), not at \(step)") }
            guard force || definition.step(step)?.policy.skippable == true else {
                throw .notPossible("later steps are built on \(step); skip it with force, or set its output")
            }
        }
        act(verb, step: step, evidence: force ? ["force": true] : nil)
        if isUndo {
            events.append(.undoSucceeded(.init(step: step, note: SagaScribe.clean("skipped: " + deed.reason))))
        } else {
            events.append(.stepSucceeded(.init(step: step, output: ["why": .string(reason)], skipped: true)))
        }
    }

    private mutating func set(
        _ output: JSONValue,
        of step: String,
        _ verb: SagaVerb,
        _ evidence: JSONValue
    ) throws(SagaOperationError) {
        guard state.mode == .forward else { throw .notPossible("the saga is taking everything back") }
        guard output.object != nil else { throw .notPossible("an output is an object") }
        guard let known = state.steps[step] else { throw .notPossible("the saga has no step \(step)") }
        guard step == state.current || known.succeeded else {
            throw .notPossible("the saga has not come to \(step)")
        }
        act(verb, step: step, evidence: evidence)
        events.append(.stepSucceeded(.init(step: step, output: output)))
    }

    private mutating func migrate(
        _ verb: SagaVerb,
        _ force: Bool,
        _ definition: SagaDefinition?
    ) throws(SagaOperationError) {
        guard let definition, let started = state.started else {
            throw .notPossible("this build does not know the kind")
        }
        let steps = definition.steps.map(\.id)
        guard started.definition != definition.version || started.steps != steps else {
            throw .notPossible("the saga follows this build's definition already")
        }
        let lost = started.steps.filter { !steps.contains($0) && state.begun.contains($0) }
        let done = steps.lastIndex { state.steps[$0]?.succeeded == true } ?? -1
        let late = steps.prefix(done + 1).filter { state.steps[$0]?.succeeded != true }
        if !force {
            guard lost.isEmpty else {
                throw .notPossible("this build could not take back \(lost.joined(separator: ", "))")
            }
            guard late.isEmpty else {
                throw .notPossible("\(late.joined(separator: ", ")) would come after what is built on it")
            }
        }
        act(verb, evidence: force ? ["force": true] : nil)
        events.append(.migrated(.init(from: started.definition, to: definition.version, steps: steps)))
    }
}

extension SagaState {
    /// The step that is under way or next: the first undo that is open, on the way back.
    func present(_ definition: SagaDefinition) -> String? {
        mode == .forward ? current : undos(definition).first?.id
    }
}
