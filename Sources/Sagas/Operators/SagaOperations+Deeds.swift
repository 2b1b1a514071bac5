internal import Domain
internal import EventStore
package import Kernel

extension SagaOperations {
    /// Does something to a saga; the same command again is the same deed.
    ///
    /// - Parameters:
    ///   - verb: What.
    ///   - saga: The id of its cause.
    ///   - deed: Who, why, and what they have seen.
    /// - Returns: What the saga is then.
    /// - Throws: ``SagaOperationError``; nothing has changed then.
    @discardableResult
    package func act(
        _ verb: SagaVerb,
        on saga: UniqueID,
        _ deed: SagaDeed
    ) async throws(SagaOperationError) -> SagaReceipt {
        var deed = deed
        if deed.command == nil { deed.command = ids.unique() }
        for _ in 0..<10 {
            // What nobody can read holds its lane for ever unless somebody lets go of it.
            let (item, before, _) = try await load(saga, passingOver: verb == .abandon)
            let stream = item.stream
            let plan: SagaPlan
            do throws(SagaOperationError) {
                if let expected = deed.expectedVersion, expected != before.version {
                    throw .conflict(actual: before.version)
                }
                plan = try SagaPlan(
                    verb,
                    before,
                    deed,
                    definition: definitions.definition(of: before),
                    newest: newest(of: before)
                )
            } catch {
                // The first of two may have been done before the saga moved on.
                guard let receipt = try await recall(deed, on: stream) else { throw error }
                return receipt
            }
            if let receipt = try await write(plan, verb, item, before, deed) { return receipt }
        }
        throw .unavailable
    }

    /// Lets a parked or waiting saga go on at once.
    package func retry(_ saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        try await act(.retry, on: saga, deed)
    }

    /// Stops a saga where it is, until somebody says otherwise.
    package func park(_ saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        try await act(.park, on: saga, deed)
    }

    /// Lets a parked saga go on.
    package func resume(_ saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        try await act(.resume, on: saga, deed)
    }

    /// Asks a saga to take everything back; what is under way is settled first.
    package func cancel(_ saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        try await act(.cancel, on: saga, deed)
    }

    /// - Returns: `nil` when somebody else wrote first, so that it has to be decided again.
    private func write(
        _ plan: SagaPlan,
        _ verb: SagaVerb,
        _ item: WorkItem,
        _ before: SagaState,
        _ deed: SagaDeed
    ) async throws(SagaOperationError) -> SagaReceipt? {
        let stream = item.stream
        var after = before
        for event in plan.events { after.evolve(event, at: ids.now()) }
        let version = before.version + Int64(plan.events.count)
        let receipt = SagaReceipt(version: version, status: after.status)
        let closing = try await closing(plan)
        do throws(AppendError) {
            var request = try request(plan.events, stream, before, deed)
            request.writes += closing
            request.work = [work(verb, item, before, after)]
            if let end = request.writes.first?.events.last, let parent = try await parent(of: after) {
                try tell(parent, end, of: stream, in: &request)
            }
            request.command = try deed.record(receipt)
            return try receipt.answered(try await log.append(request))
        } catch {
            guard case .conflict = error else { throw Self.understood(error) }
            return nil
        }
    }

    /// What the end means for the saga's subject; nothing when the subject does not accept it any more.
    private func closing(_ plan: SagaPlan) async throws(SagaOperationError) -> [StreamWrite] {
        do throws(FactRecorder.Failure) {
            return try await recorder.writes(plan.closing)
        } catch {
            guard case .refused = error else { throw .unavailable }
            return []
        }
    }

    /// The saga that waits for the end of this one; `nil` when it has not ended, or nobody waits.
    private func parent(of after: SagaState) async throws(AppendError) -> SagaParent? {
        guard case .ended(let end) = after.mode, let stream = after.started?.parent.flatMap({ StreamName($0) }) else {
            return nil
        }
        var parent = SagaHistory(stream)
        do throws(SagaHistory.Failure) {
            try await parent.refresh(log, nil)
        } catch {
            // It looks for itself from time to time, once somebody can read it.
            guard case .unavailable = error else { return nil }
            throw .unavailable
        }
        if case .ended = parent.state.mode { return nil }
        return SagaParent(stream: stream, state: parent.state, end: end)
    }

    private func tell(
        _ parent: SagaParent,
        _ end: NewEvent,
        of stream: StreamName,
        in request: inout AppendRequest
    ) throws(AppendError) {
        do {
            let (write, wake) = try parent.write(end, of: stream, ids.unique())
            request.writes.append(write)
            if let wake { request.work.append(wake) }
        } catch { throw .invalid("an input is not JSON") }
    }

    /// Looks whether a command was given before, by an append that can never be written.
    private func recall(_ deed: SagaDeed, on stream: StreamName) async throws(SagaOperationError) -> SagaReceipt? {
        let nothing = SagaReceipt(version: 0, status: "")
        do throws(AppendError) {
            guard let record = try deed.record(nothing) else { return nil }
            let appended = try await log.append(
                AppendRequest(
                    causation: Causation(actor: deed.actor, command: record.id),
                    command: record,
                    writes: [StreamWrite(stream, expecting: .version(.max))]
                )
            )
            return try nothing.answered(appended)
        } catch {
            guard case .conflict = error else { throw Self.understood(error) }
            return nil
        }
    }

    private func request(
        _ events: [SagaEvent],
        _ stream: StreamName,
        _ before: SagaState,
        _ deed: SagaDeed
    ) throws(AppendError) -> AppendRequest {
        var new: [NewEvent] = []
        for event in events {
            do {
                new.append(NewEvent(id: ids.unique(), type: event.name.rawValue, payload: try event.payload()))
            } catch { throw .invalid("\(event.name.rawValue) is not JSON") }
        }
        return AppendRequest(
            causation: Causation(
                actor: deed.actor,
                command: deed.command ?? ids.unique(),
                cause: before.last,
                correlation: before.correlation,
                traceparent: deed.traceparent
            ),
            writes: [
                StreamWrite(
                    stream,
                    organization: before.organization,
                    expecting: .version(before.version),
                    events: new
                )
            ]
        )
    }

    private func work(
        _ verb: SagaVerb,
        _ item: WorkItem,
        _ before: SagaState,
        _ after: SagaState
    ) -> WorkUpdate {
        let definition = definitions.definition(of: after)
        let step = definition.flatMap { after.present($0) } ?? after.current ?? ""
        // A cancellation is an input: whoever holds the lease settles what is under way. What has not begun has no lease,
        // and must not enter its lane. The others take the lease away.
        let isWake = verb == .cancel && before.parked == nil || !before.hasBegun && after.status == "running"
        let rests = after.parked != nil || WorkFilter.ends.contains(after.status)
        return WorkUpdate(
            item.stream,
            guard: isWake ? .wake : .seize,
            kind: item.kind,
            lane: item.lane,
            status: after.status,
            step: step,
            target: definition?.step(step)?.policy.target ?? "",
            wakeAt: rests ? nil : WorkUpdate.atOnce,
            deadline: after.started?.deadline
        )
    }

    private static func understood(_ error: AppendError) -> SagaOperationError {
        switch error {
        case .unavailable, .fenced, .conflict: .unavailable
        case .commandReused: .commandReused
        case .claimed, .invalid: .broken("\(error)")
        }
    }
}
