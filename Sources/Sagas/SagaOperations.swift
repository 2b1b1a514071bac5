internal import Domain
package import EventStore
package import Kernel

/// What operators see of sagas, and what they can make them do; every deed is an event with identity and reason.
package struct SagaOperations: Sendable {
    private let log: any EventLog
    private let queue: any WorkQueue
    private let definitions: SagaDefinitions
    private let ids: IDSource

    /// Makes the operations for the sagas that this build knows.
    package init(
        log: any EventLog,
        queue: any WorkQueue,
        definitions: [SagaDefinition],
        ids: IDSource = .system
    ) {
        self.log = log
        self.queue = queue
        self.definitions = SagaDefinitions(definitions)
        self.ids = ids
    }

    /// The sagas in some states, in the order of their streams.
    ///
    /// - Parameter statuses: `nil` means those that have something to do.
    /// - Returns: One line each.
    /// - Throws: ``SagaOperationError/unavailable``.
    package func list(statuses: [String]? = nil) async throws(SagaOperationError) -> [SagaSummary] {
        let items = try await asked { () async throws(LogError) in
            try await queue.list(kinds: definitions.kinds, statuses: statuses ?? SagaEngine.activeStatuses)
        }
        return items.map(SagaSummary.init)
    }

    /// One saga with everything that happened to it.
    ///
    /// - Parameter saga: The id of its cause, which is also that of the operation.
    /// - Returns: Steps and timeline.
    /// - Throws: ``SagaOperationError``.
    package func show(_ saga: UniqueID) async throws(SagaOperationError) -> SagaView {
        let (stream, state, events) = try await load(saga)
        return try SagaView(stream, state, events)
    }

    /// Lets a parked or waiting saga go on at once.
    package func retry(_ saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        try await act("retry", on: saga, deed)
    }

    /// Stops a saga where it is, until somebody says otherwise.
    package func park(_ saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        try await act("park", on: saga, deed)
    }

    /// Lets a parked saga go on.
    package func resume(_ saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        try await act("resume", on: saga, deed)
    }

    /// Asks a saga to take everything back; what is under way is settled first.
    package func cancel(_ saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        try await act("cancel", on: saga, deed)
    }

    private func act(_ verb: String, on saga: UniqueID, _ deed: SagaDeed) async throws(SagaOperationError) {
        for _ in 0..<10 {
            let (stream, before, _) = try await load(saga)
            if let expected = deed.expectedVersion, expected != before.version {
                throw .conflict(actual: before.version)
            }
            let events = try events(verb, before, deed)
            var after = before
            for event in events { after.evolve(event, at: ids.now()) }
            do throws(AppendError) {
                _ = try await log.append(request(events, stream, before, after, verb, deed))
                return
            } catch {
                switch error {
                case .conflict: continue
                case .unavailable: throw .unavailable
                default: throw .broken("\(error)")
                }
            }
        }
        throw .unavailable
    }

    /// What a deed means in the state that the saga is in.
    private func events(
        _ verb: String,
        _ state: SagaState,
        _ deed: SagaDeed
    ) throws(SagaOperationError) -> [SagaEvent] {
        if case .ended(let end) = state.mode { throw .notPossible("the saga is \(end.rawValue)") }
        // Its lane belongs to another; only a cancellation can wait until it is its turn.
        guard state.version > 1 || verb == "cancel" else { throw .notPossible("the saga has not begun") }
        let step = state.parked?.step ?? state.current
        let acted = SagaEvent.operatorActed(
            .init(verb: verb, step: step, operatorID: deed.actor, reason: SagaScribe.clean(deed.reason))
        )
        switch verb {
        case "park":
            guard state.parked == nil else { throw .notPossible("the saga is parked") }
            return [acted, .parked(.init(step: step ?? "", reason: SagaScribe.clean(deed.reason)))]
        case "resume":
            guard state.parked != nil else { throw .notPossible("the saga is not parked") }
            return [acted]
        case "cancel":
            guard case .forward = state.mode else { throw .notPossible("the saga is taking everything back already") }
            if let definition = definitions.definition(of: state), state.committed(definition) {
                throw .notPossible("there is no way back for the saga any more")
            }
            return [acted, .cancelRequested(Because(reason: SagaScribe.clean(deed.reason)))]
        default:
            return [acted]
        }
    }

    private func request(
        _ events: [SagaEvent],
        _ stream: StreamName,
        _ before: SagaState,
        _ after: SagaState,
        _ verb: String,
        _ deed: SagaDeed
    ) throws(AppendError) -> AppendRequest {
        var new: [NewEvent] = []
        for event in events {
            do {
                new.append(NewEvent(id: ids.unique(), type: event.name.rawValue, payload: try event.payload()))
            } catch { throw .invalid("\(event.name.rawValue) is not JSON") }
        }
        // A cancellation is an input: whoever holds the lease settles what is under way. The others take the lease away.
        let guarding: WorkUpdate.Guard = verb == "cancel" && before.parked == nil ? .wake : .seize
        let work = WorkUpdate(
            stream,
            guard: guarding,
            kind: after.started?.kind ?? "",
            lane: after.started?.lane ?? "",
            status: after.status,
            step: after.current ?? "",
            wakeAt: after.parked == nil ? WorkUpdate.atOnce : nil,
            deadline: after.deadline
        )
        return AppendRequest(
            causation: Causation(
                actor: deed.actor,
                command: deed.command ?? ids.unique(),
                cause: before.last,
                correlation: before.correlation
            ),
            writes: [
                StreamWrite(
                    stream,
                    organization: before.organization,
                    expecting: .version(before.version),
                    events: new
                )
            ],
            work: [work]
        )
    }

    private func load(_ saga: UniqueID) async throws(SagaOperationError) -> (StreamName, SagaState, [RecordedEvent]) {
        for kind in definitions.kinds {
            guard let stream = StreamName(SagaCause.stream(kind: kind, cause: saga)) else { continue }
            let events = try await asked { () async throws(LogError) in try await log.readAll(stream) }
            guard !events.isEmpty else { continue }
            var state = SagaState()
            for event in events {
                do {
                    try state.evolve(event)
                } catch { throw .broken("\(stream) \(event.version) cannot be read as \(event.type)") }
            }
            return (stream, state, events)
        }
        throw .notFound
    }

    private func asked<Value>(_ body: () async throws(LogError) -> Value) async throws(SagaOperationError) -> Value {
        do throws(LogError) {
            return try await body()
        } catch {
            switch error {
            case .unavailable: throw .unavailable
            case .violated(let what): throw .broken(what)
            }
        }
    }
}

/// Who does something to a saga, and why.
package struct SagaDeed: Sendable, Equatable {
    /// `operator-…`.
    package var actor: String
    package var reason: String
    /// The version of the saga's stream that the operator has seen; `nil` for whatever it is.
    package var expectedVersion: Int64?
    /// The id of the command; `nil` makes one up.
    package var command: UniqueID?

    package init(actor: String, reason: String, expectedVersion: Int64? = nil, command: UniqueID? = nil) {
        self.actor = actor
        self.reason = reason
        self.expectedVersion = expectedVersion
        self.command = command
    }
}

/// Why an operator's word was not taken.
package enum SagaOperationError: Error, Equatable, Sendable {
    case notFound
    /// The saga has moved on since the operator looked.
    case conflict(actual: Int64)
    /// The state of the saga does not allow it; the text is for people.
    case notPossible(String)
    case unavailable
    /// The log holds what it should not; the text is for our own log lines.
    case broken(String)
}
