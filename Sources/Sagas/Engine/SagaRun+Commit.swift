internal import Domain
internal import EventStore
internal import Kernel
internal import Logging

extension SagaRun {
    /// Records what follows from a draft made for the state as it is, however often that changes meanwhile.
    ///
    /// - Returns: Whether the turn goes on.
    mutating func commit(_ make: (SagaState) -> SagaDraft?) async -> Bool {
        var attempt = 0
        let begun = engine.ids.now()
        while true {
            let now = now
            guard let made = make(state) else { return true }
            let draft = scribe.complete(made, of: state, at: now)
            if let until = draft.wakeAt, draft.isEmpty {
                await engine.release(item, after: max(.zero, until - now))
                return false
            }
            let writes: [StreamWrite]
            let parent: SagaParent?
            do throws(FactRecorder.Failure) {
                writes = try await record(draft)
                parent = try await toldParent(draft, at: now)
            } catch {
                switch error {
                case .unavailable:
                    guard await holdsOut(&attempt, since: begun) else { return false }
                    continue
                case .refused(let reason): return await refused(reason)
                case .stale:
                    guard await holdsOut(&attempt, since: begun) else { return false }
                    return await refresh()
                }
            }
            switch await engine.append(draft, facts: writes, parent: parent, to: state, item: item, definition, at: now)
            {
            case .written(let events, let version, let last):
                history.take(events, at: now, version: version, last: last)
                if case .stepStarted(let fact) = events.last { fresh = fact.step }
                return engine.keepsLease(state, draft)
            case .moved:
                guard await refresh() else { return false }
            case .unavailable:
                guard await holdsOut(&attempt, since: begun) else { return false }
            case .refused(let reason):
                // Parking itself cannot be refused for what the step brought along.
                if case .parked? = draft.events.last, writes.isEmpty { return false }
                return await refused(reason)
            case .gone: return false
            }
        }
    }

    /// Rests before the next try; what came of a step is worth holding on to for as long as the lease is ours.
    ///
    /// - Returns: `false` when there is no use in it: a stop was asked for, or another has the saga by now. What was done
    ///   is found again by whoever takes over.
    private mutating func holdsOut(_ attempt: inout Int, since begun: Timestamp) async -> Bool {
        attempt += 1
        await engine.rest(attempt)
        let isLate = engine.ids.now() - begun >= engine.settings.lease
        guard !isLate, !engine.isStopping, !Task.isCancelled, await lease.ensure() else {
            engine.logger.warning("a result was not recorded", metadata: ["saga": "\(item.stream)"])
            return false
        }
        return true
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

    /// Whom the end of this saga is to be told; `nil` when it does not end, or nobody waits for it.
    private func toldParent(_ draft: SagaDraft, at now: Timestamp) async throws(FactRecorder.Failure) -> SagaParent? {
        guard let name = state.started?.parent, let stream = StreamName(name) else { return nil }
        var after = state
        for event in draft.events { after.evolve(event, at: now) }
        guard case .ended(let end) = after.mode else { return nil }
        var parent = SagaHistory(stream)
        do throws(SagaHistory.Failure) {
            try await parent.refresh(engine.log, engine.snapshots)
        } catch {
            guard case .unavailable = error else {
                // It looks for itself from time to time, once somebody can read it.
                engine.logger.error("a parent was not told", metadata: ["saga": "\(item.stream)", "parent": "\(name)"])
                return nil
            }
            throw .unavailable
        }
        if case .ended = parent.state.mode { return nil }
        return SagaParent(stream: stream, state: parent.state, end: end)
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
}

/// The saga that waits for the end of another one, as it is when that is told to it.
struct SagaParent: Sendable {
    let stream: StreamName
    let state: SagaState
    let end: SagaState.End

    /// The child's end as an input, together with the wake-up.
    func write(_ end: NewEvent, of child: StreamName, _ id: UniqueID) throws -> (StreamWrite, WorkUpdate?) {
        let told = SagaEvent.inputReceived(
            .init(
                event: end.id,
                type: end.type,
                data: ["saga": .string(child.text), "end": .string(self.end.rawValue)]
            )
        )
        let event = NewEvent(
            id: id,
            type: told.name.rawValue,
            schemaVersion: told.schemaVersion,
            payload: try told.payload()
        )
        let write = StreamWrite(
            stream,
            organization: state.organization,
            expecting: .version(state.version),
            events: [event]
        )
        guard state.parked == nil else { return (write, nil) }
        let wake = state.work(stream, guard: .wake, nil, wakeAt: WorkUpdate.atOnce)
        return (write, wake)
    }
}
