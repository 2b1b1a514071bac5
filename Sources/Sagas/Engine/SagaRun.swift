internal import Domain
internal import EventStore
internal import Kernel
internal import Logging
internal import Platform

/// One turn at one saga: from taking its lease to waiting, ending, or losing the lease.
struct SagaRun {
    let engine: SagaEngine
    let item: WorkItem
    let scribe: SagaScribe
    var state: SagaState
    private var lease: SagaLease
    /// The step whose intent this very turn has recorded: nothing can have happened for it yet.
    private var fresh: String?
    /// The version of the last snapshot of the saga, as far as known.
    private var kept: Int64 = 0
    private static let pageSize = 500

    private var definition: SagaDefinition { scribe.definition }

    init(engine: SagaEngine, item: WorkItem, definition: SagaDefinition, lease: SagaLease) {
        self.engine = engine
        self.item = item
        self.scribe = SagaScribe(definition: definition, settings: engine.settings)
        self.state = SagaState()
        self.lease = lease
    }

    /// Works until there is nothing to do now.
    mutating func drive() async {
        guard await refresh() else { return await giveBack() }
        while true {
            guard !engine.isStopping, !Task.isCancelled else { return await giveBack() }
            let goesOn: Bool
            switch state.next(definition, at: engine.ids.now()) {
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
        guard await held() else { return false }
        let context = context(id, attempt: state.steps[id]?.attempt ?? 1, since: state.steps[id]?.startedAt)
        let look = fresh != id
        fresh = nil
        let outcome = await lease.keeping(timeout: step.policy.timeout) { () async throws(PortError) -> StepResult in
            if look, let probe = step.probe, let found = try await Self.look(probe, context) { return found }
            return try await step.ensure(context)
        }
        switch outcome {
        case nil: return false
        case .success(.waiting(let condition, let reason)):
            return await wait(id, step.policy.poll, .waiting(condition: condition, reason: reason))
        case .success(let result): return await commit { [scribe] in scribe.succeeded(id, result, in: $0) }
        case .failure(let error):
            // An attempt that was broken off by our own end says nothing about the target.
            if Task.isCancelled { return await leave() }
            note("an attempt failed", id, error)
            let (now, random) = (engine.ids.now(), engine.ids.random())
            return await commit { [scribe] in scribe.failed(id, error, in: $0, at: now, random: random) }
        }
    }

    private mutating func undo(_ id: String) async -> Bool {
        guard let step = definition.step(id), let ensureAbsent = step.ensureAbsent else { return await unknown(id) }
        guard await held() else { return false }
        let context = context(id, attempt: state.steps[id]?.undo.attempt ?? 1, since: state.steps[id]?.startedAt)
        let outcome = await lease.keeping(timeout: step.policy.timeout) { () async throws(PortError) -> UndoResult in
            try await ensureAbsent(context)
        }
        switch outcome {
        case nil: return false
        case .success(let result): return await commit { [scribe] in scribe.undone(id, result, in: $0) }
        case .failure(let error):
            if Task.isCancelled { return await leave() }
            note("an undo failed", id, error)
            let (now, random) = (engine.ids.now(), engine.ids.random())
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
        case .pending(let message): throw .transient(code: "pending", message: message)
        case .newer: throw .superseded(message: "a newer generation is there already")
        case .foreign(let message): throw .permanent(code: "name-taken", message: message)
        }
    }

    /// Something is not there yet: says so when that is news, and looks whether anything was asked of the saga.
    private mutating func wait(_ id: String, _ pause: Duration, _ result: StepResult) async -> Bool {
        let goesOn = await commit { [scribe] in scribe.succeeded(id, result, in: $0) }
        guard goesOn else { return false }
        await engine.pause(pause)
        return await refresh()
    }

    /// Records what follows from a draft made for the state as it is, however often that changes meanwhile.
    ///
    /// - Returns: Whether the turn goes on.
    private mutating func commit(_ make: (SagaState) -> SagaDraft?) async -> Bool {
        for attempt in 0..<20 {
            let now = engine.ids.now()
            guard let made = make(state) else { return true }
            let draft = scribe.complete(made, of: state, at: now)
            let writes: [StreamWrite]
            do throws(FactRecorder.Failure) {
                writes = try await record(draft)
            } catch {
                switch error {
                case .unavailable:
                    await engine.rest(attempt)
                    continue
                case .refused(let reason): return await refused(reason)
                }
            }
            switch await engine.append(draft, facts: writes, to: state, item: item, definition) {
            case .written(let events, let version, let last):
                for event in events { state.evolve(event, at: now) }
                state.advance(to: version, last: last)
                if case .stepStarted(let fact) = events.last { fresh = fact.step }
                return engine.keepsLease(state, draft)
            case .moved:
                guard await refresh() else { return false }
            case .unavailable: await engine.rest(attempt)
            case .gone: return false
            }
        }
        return false
    }

    private func record(_ draft: SagaDraft) async throws(FactRecorder.Failure) -> [StreamWrite] {
        guard !draft.closing.isEmpty else { return try await engine.recorder.writes(draft.facts) }
        do throws(FactRecorder.Failure) {
            return try await engine.recorder.writes(draft.facts + draft.closing)
        } catch {
            guard case .refused(let reason) = error else { throw error }
            // The subject has moved on, and everything is taken back: nothing is left that a person could decide.
            engine.logger.warning("an end was refused", metadata: ["saga": "\(item.stream)", "reason": "\(reason)"])
            return try await engine.recorder.writes(draft.facts)
        }
    }

    /// A fact that its own thing does not accept: only a person can say what is true.
    private mutating func refused(_ reason: String) async -> Bool {
        let step = state.current ?? ""
        engine.logger.error("a fact was refused", metadata: ["saga": "\(item.stream)", "reason": "\(reason)"])
        return await commit { state in
            guard state.parked == nil else { return nil }
            return SagaDraft(events: [.parked(.init(step: step, reason: SagaScribe.clean(reason)))])
        }
    }

    private mutating func unknown(_ step: String) async -> Bool {
        await commit { state in
            guard state.parked == nil else { return nil }
            return SagaDraft(events: [.parked(.init(step: step, reason: "this build does not know the step"))])
        }
    }

    /// Reads what others have written to the saga's stream since.
    private mutating func refresh() async -> Bool {
        do throws(LogError) {
            var page: [RecordedEvent]
            repeat {
                page = try await engine.log.read(item.stream, after: state.version, limit: Self.pageSize)
                // A stream that is not read in one go may be a long one.
                if page.count == Self.pageSize, state.version == 0,
                    let found = await engine.snapshots?.latest(SagaState.self, of: item.stream)
                {
                    (kept, state) = found
                    continue
                }
                for event in page { try Self.evolve(&state, event) }
            } while page.count == Self.pageSize
            if let snapshots = engine.snapshots {
                kept = snapshots.offer(state, of: item.stream, at: state.version, after: kept)
            }
            return state.started != nil
        } catch {
            engine.logger.warning("a saga cannot be read", metadata: ["saga": "\(item.stream)", "error": "\(error)"])
            return false
        }
    }

    private static func evolve(_ state: inout SagaState, _ event: RecordedEvent) throws(LogError) {
        do {
            try state.evolve(event)
        } catch { throw .violated("\(event.stream) \(event.version) cannot be read as \(event.type)") }
    }

    /// Whether enough of the lease is left to begin something.
    private mutating func held() async -> Bool {
        await lease.ensure()
    }

    private func giveBack() async {
        await engine.release(item)
    }

    private func leave() async -> Bool {
        await engine.release(item)
        return false
    }

    private func context(_ id: String, attempt: Int, since: Timestamp?) -> StepContext {
        let now = engine.ids.now()
        let saga = state.started?.cause ?? UniqueID(0)
        var reason = ""
        if case .compensating(let why) = state.mode { reason = why }
        return StepContext(
            saga: saga,
            step: id,
            attempt: attempt,
            key: scribe.key(id, state),
            fence: "sbx/\(saga)/\(id)/f\(item.fence)",
            input: state.started?.input ?? .null,
            outputs: state.outputs,
            begun: state.begun,
            notes: state.steps.compactMapValues(\.undo.note),
            elapsed: since.map { max(.zero, now - $0) } ?? .zero,
            now: now,
            reason: reason
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
