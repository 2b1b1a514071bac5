internal import Domain
package import EventStore
package import Kernel

/// What operators see of sagas, and what they can make them do; every deed is an event with identity and reason.
package struct SagaOperations: Sendable {
    let log: any EventLog
    let board: any WorkBoard
    let definitions: SagaDefinitions
    let ids: IDSource
    let recorder: FactRecorder

    /// Makes the operations for the sagas that this build knows.
    package init(
        log: any EventLog,
        queue: any WorkBoard,
        definitions: [SagaDefinition],
        ids: IDSource = .system
    ) {
        self.log = log
        self.board = queue
        self.definitions = SagaDefinitions(definitions)
        self.ids = ids
        self.recorder = FactRecorder(log: log, ids: ids, snapshots: nil)
    }

    /// Some sagas, the newest first.
    ///
    /// - Parameters:
    ///   - wish: Which of them; without one, those that have something to do.
    ///   - cursor: ``SagaPage/next`` of the page before.
    ///   - limit: How many, at most.
    /// - Returns: One line each.
    /// - Throws: ``SagaOperationError/unavailable``, `badCursor`, or `unknownKind`.
    package func list(
        _ wish: SagaWish = SagaWish(),
        after cursor: String? = nil,
        limit: Int = 50
    ) async throws(SagaOperationError) -> SagaPage {
        if let cursor, Int64(cursor) == nil { throw .badCursor }
        if let kind = wish.kind, definitions.latest(kind) == nil { throw .unknownKind(known: definitions.kinds) }
        let filter = WorkFilter(
            category: SagaEvent.category,
            kinds: wish.kind.map { [$0] },
            statuses: wish.statuses ?? (wish.stuck ? nil : SagaEngine.activeStatuses),
            target: wish.target,
            lane: wish.lane,
            stuckAt: wish.stuck ? ids.now() : nil
        )
        let page = try await asked { () async throws(LogError) in
            try await board.rows(filter, after: cursor, limit: limit)
        }
        return SagaPage(data: page.rows.map { SagaSummary($0, at: ids.now()) }, next: page.next)
    }

    /// One saga with everything that happened to it, and what is next and why.
    ///
    /// - Parameter saga: The id of its cause, which is also that of the operation.
    /// - Returns: Steps, attempts and timeline.
    /// - Throws: ``SagaOperationError``.
    package func show(_ saga: UniqueID) async throws(SagaOperationError) -> SagaView {
        let (item, state, events) = try await load(saga)
        let stream = item.stream
        let row = try await row(of: stream)
        var holder: WorkRow?
        if let row, row.item.status == "queued" {
            let lane = WorkFilter(statuses: Self.holding, lane: row.item.lane)
            holder = try await asked { () async throws(LogError) in
                try await board.rows(lane, after: nil, limit: 1).rows.first
            }
        }
        let outlook = SagaOutlook(
            state: state,
            definition: definitions.definition(of: state),
            newest: newest(of: state),
            row: row,
            holder: holder,
            now: ids.now()
        )
        return try SagaView(stream, state, events, outlook)
    }

    /// The states in which a saga keeps others out of its lane.
    private static let holding = ["running", "waiting", "compensating", "parked"]

    private func row(of stream: StreamName) async throws(SagaOperationError) -> WorkRow? {
        try await asked { () async throws(LogError) in
            try await board.rows(WorkFilter(streams: [stream]), after: nil, limit: 1).rows.first
        }
    }

    /// What a saga could go by.
    func newest(of state: SagaState) -> SagaDefinition? {
        state.started.flatMap { definitions.latest($0.kind) }
    }

    /// Reads a saga, of whichever kind it is.
    ///
    /// - Parameters:
    ///   - saga: The id of its cause.
    ///   - isPartial: Whether what nobody can read of it is passed over.
    /// - Returns: Its row, the state, and the events.
    /// - Throws: ``SagaOperationError``.
    func load(
        _ saga: UniqueID,
        passingOver isPartial: Bool = false
    ) async throws(SagaOperationError) -> (WorkItem, SagaState, [RecordedEvent]) {
        let streams = definitions.kinds.compactMap { StreamName(SagaCause.stream(kind: $0, cause: saga)) }
        let found = try await asked { () async throws(LogError) in
            try await board.rows(WorkFilter(streams: streams), after: nil, limit: 1).rows.first
        }
        guard let item = found?.item else { throw .notFound }
        let events = try await asked { () async throws(LogError) in try await log.readAll(item.stream) }
        var state = SagaState()
        var flaw: String?
        for event in events {
            do {
                try state.evolve(event)
            } catch is UnknownSchemaVersion {
                throw .notPossible("\(item.stream) \(event.version) was written by a newer build")
            } catch {
                flaw = flaw ?? "\(item.stream) \(event.version) cannot be read as \(event.type)"
            }
        }
        if state.started == nil { flaw = flaw ?? "\(item.stream) has no beginning" }
        if let flaw, !isPartial || WorkFilter.ends.contains(item.status) {
            let isOver = WorkFilter.ends.contains(item.status)
            let way = isOver ? "the saga is \(item.status)" : "it can only be abandoned, at version \(state.version)"
            throw .notPossible("\(flaw); \(way)")
        }
        return (item, state, events)
    }
}

/// Which sagas an operator wants to see; `nil` wants any.
package struct SagaWish: Sendable, Equatable {
    /// `nil` means those that have something to do.
    package var statuses: [String]?
    package var kind: String?
    package var target: String?
    package var lane: String?
    /// Only those that are parked, or should have been through by now.
    package var stuck: Bool

    package init(
        statuses: [String]? = nil,
        kind: String? = nil,
        target: String? = nil,
        lane: String? = nil,
        stuck: Bool = false
    ) {
        self.statuses = statuses
        self.kind = kind
        self.target = target
        self.lane = lane
        self.stuck = stuck
    }
}
