internal import Domain
internal import EventStore
internal import Kernel
internal import Logging
internal import Platform

/// One turn at one saga: from taking its lease to waiting, ending, or losing the lease.
struct SagaRun {
    let engine: SagaEngine
    let item: WorkItem
    var scribe: SagaScribe
    var history: SagaHistory
    var lease: SagaLease
    /// How far the database's clock is ahead of ours: everything that is recorded or compared is on that one.
    let offset: Duration
    /// The step whose intent this very turn has recorded: nothing can have happened for it yet.
    var fresh: String?
    private let reading: SagaReading
    /// Steps whose every attempt was made in this very turn and has an end that is known.
    private var settled: Set<String> = []

    var definition: SagaDefinition { scribe.definition }
    var state: SagaState { history.state }
    var now: Timestamp { engine.ids.now() + offset }

    init(
        engine: SagaEngine,
        item: WorkItem,
        definition: SagaDefinition,
        history: SagaHistory,
        lease: SagaLease,
        offset: Duration
    ) {
        self.engine = engine
        self.item = item
        let input = history.state.started?.input ?? .null
        self.reading = SagaReading(input)
        self.scribe = SagaScribe(definition: definition, settings: engine.settings, scope: definition.scope(input))
        self.history = history
        self.lease = lease
        self.offset = offset
    }

    /// Works until there is nothing to do now.
    mutating func drive() async {
        while true {
            guard !engine.isStopping, !Task.isCancelled else { return await giveBack() }
            let goesOn: Bool
            switch state.next(definition, at: now, resting: scribe.resting) {
            case .ensure(let step): goesOn = await ensure(step)
            case .undo(let step): goesOn = await undo(step)
            case .begin, .beginUndo, .compensate, .finish, .park, .wait, .rest:
                goesOn = await commit { _ in SagaDraft() }
            }
            guard goesOn else { return }
        }
    }

    private mutating func ensure(_ id: String) async -> Bool {
        guard let step = definition.step(id) else { return await unknown(id) }
        guard await lease.ensure() else { return false }
        if let goesOn = await refused(step) { return goesOn }
        let context = context(id, attempt: state.steps[id]?.attempt ?? 1, since: state.steps[id]?.startedAt)
        let look = fresh != id
        // A later attempt has an earlier one of this turn before it, or one of which nothing is known here.
        if !look, context.attempt == 1 { settled.insert(id) }
        fresh = nil
        let outcome = await lease.keeping(timeout: step.policy.timeout) { () async throws(PortError) -> StepResult in
            if look, let probe = step.probe, let found = try await Self.look(probe, context) { return found }
            return try await step.ensure(context)
        }
        await settle(step, outcome)
        if !Self.isKnown(outcome) { settled.remove(id) }
        switch outcome {
        case nil: return false
        case .success(.waiting(let condition, let reason, let until)):
            let timer = until.flatMap { $0 > now ? $0 : nil }
            let result = StepResult.waiting(condition: condition, reason: reason, until: timer)
            return await wait(id, result, timer == nil ? step.policy.pause(after: context.elapsed) : nil)
        case .success(.progress(let condition, let reason, let facts)):
            let result = StepResult.progress(condition: condition, reason: reason, facts: facts)
            return await commit { [scribe] in scribe.succeeded(id, result, in: $0) }
        case .success(let result): return await commit { [scribe] in scribe.succeeded(id, result, in: $0) }
        case .failure(let error):
            // An attempt that was broken off by our own end says nothing about the target.
            if Task.isCancelled { return await leave() }
            note("an attempt failed", id, error)
            let (now, random) = (now, engine.ids.random())
            return await commit { [scribe] in scribe.failed(id, error, in: $0, at: now, random: random) }
        }
    }

    private mutating func undo(_ id: String) async -> Bool {
        guard let step = definition.step(id), let ensureAbsent = step.ensureAbsent else { return await unknown(id) }
        guard await lease.ensure() else { return false }
        if let goesOn = await refused(step) { return goesOn }
        let context = context(id, attempt: state.steps[id]?.undo.attempt ?? 1, since: state.steps[id]?.startedAt)
        let outcome = await lease.keeping(timeout: step.policy.timeout) { () async throws(PortError) -> UndoResult in
            try await ensureAbsent(context)
        }
        await settle(step, outcome)
        switch outcome {
        case nil: return false
        case .success(let result): return await commit { [scribe] in scribe.undone(id, result, in: $0) }
        case .failure(let error):
            if Task.isCancelled { return await leave() }
            note("an undo failed", id, error)
            let (now, random) = (now, engine.ids.random())
            return await commit { [scribe] in scribe.undoFailed(id, error, in: $0, at: now, random: random) }
        }
    }

    /// What the probe found, as far as it makes the attempt unnecessary.
    private static func look(
        _ probe: SagaStep.Probe,
        _ context: StepContext
    ) async throws(PortError) -> StepResult? {
        switch try await probe(context) {
        case .absent: return nil
        case .present(let result): return result
        case .pending(let message): throw .pending(code: "pending", message: message)
        case .newer: throw .superseded(message: "a newer generation is there already")
        case .foreign(let message): throw .permanent(code: "name-taken", message: message)
        }
    }

    /// Something is not there yet: says so when that is news, and gives the saga back unless the next look is near.
    ///
    /// - Parameters:
    ///   - id: The step.
    ///   - result: What it said.
    ///   - pause: What has to pass before the next look; `nil` for a timer, which the result names.
    /// - Returns: Whether the turn goes on.
    private mutating func wait(_ id: String, _ result: StepResult, _ pause: Duration?) async -> Bool {
        let seen = state.inputs
        let near = pause.map { $0 < engine.settings.longestPause } ?? false
        let until = near ? nil : pause.map { now + $0 }
        let goesOn = await commit { [scribe] state in
            // What it was told meanwhile may be what it waits for.
            guard state.inputs == seen else { return nil }
            var draft = scribe.succeeded(id, result, in: state)
            if let until {
                draft = draft ?? SagaDraft()
                draft?.pause = SagaDraft.Pause(step: id, until: until)
            }
            return draft
        }
        guard goesOn, near, let pause, state.inputs == seen else { return goesOn }
        await engine.pause(pause)
        return await refresh()
    }

    /// Whether an attempt has left nothing on its way.
    private static func isKnown(_ outcome: Result<StepResult, PortError>?) -> Bool {
        switch outcome {
        case nil, .failure(.unknown), .failure(.transient), .failure(.pending): false
        case .success, .failure: true
        }
    }

    mutating func unknown(_ step: String) async -> Bool {
        await commit { state in
            guard state.parked == nil else { return nil }
            return SagaDraft(events: [.parked(.init(step: step, reason: "this build does not know the step"))])
        }
    }

    /// Reads what others have written to the saga's stream since.
    ///
    /// - Returns: Whether the turn goes on.
    mutating func refresh() async -> Bool {
        do throws(SagaHistory.Failure) {
            try await history.refresh(engine.log, engine.snapshots)
            return true
        } catch {
            await engine.unread(item, error)
            return false
        }
    }

    private func giveBack() async {
        await engine.release(item)
    }

    private func leave() async -> Bool {
        await engine.release(item)
        return false
    }

    private func context(_ id: String, attempt: Int, since: Timestamp?) -> StepContext {
        let now = now
        let saga = state.started?.cause ?? UniqueID(0)
        var reason = ""
        if case .compensating(let why) = state.mode { reason = why }
        return StepContext(
            saga: saga,
            step: id,
            attempt: attempt,
            key: scribe.key(id),
            fence: "sbx/\(saga)/\(id)/f\(item.fence)",
            reading: reading,
            outputs: state.outputs,
            begun: state.begun,
            notes: state.steps.compactMapValues(\.undo.note),
            elapsed: since.map { max(.zero, now - $0) } ?? .zero,
            now: now,
            reason: reason,
            isSettled: settled.contains(id),
            traceparent: state.traceparent
        )
    }

    private func note(_ message: Logger.Message, _ step: String, _ error: PortError) {
        engine.logger.notice(
            message,
            metadata: [
                "saga": "\(item.stream)", "step": "\(step)", "class": "\(error.failure.rawValue)",
                "code": "\(error.code)", "error": "\(error.message)",
            ]
        )
    }
}
