internal import Domain
package import EventStore
package import Kernel
package import Logging

/// How far the starter has come, kept where it survives.
package protocol SagaCheckpoint: Sendable {
    /// The last position that was looked at; 0 at first.
    func position() async throws(LogError) -> Int64

    /// Remembers a later one.
    func advance(to position: Int64) async throws(LogError)
}

/// Turns what happened into sagas: one for each event that starts one, ever.
///
/// It has a checkpoint of its own, so rebuilding projections starts nothing. Reading an event again is harmless: the id
/// of a saga is the id of its cause, and its stream must not exist yet.
package struct Starter: Sendable {
    private let log: any EventLog
    private let checkpoint: any SagaCheckpoint
    private let definitions: SagaDefinitions
    private let canceller: SagaCanceller
    private let ids: IDSource
    private let logger: Logger
    private let wakeup: SagaEngine.Wakeup
    private let poll: Duration

    /// Makes a starter; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - log: What it follows and writes to.
    ///   - queue: Where it finds the sagas of a lane that an event cancels.
    ///   - checkpoint: How far it has come.
    ///   - definitions: Every saga that this build knows.
    ///   - ids: Time and chance.
    ///   - logger: For operators.
    ///   - poll: How long to wait for a bell before reading all the same.
    ///   - wakeup: Rings when something was appended; without it, only time wakes the starter.
    package init(
        log: any EventLog,
        queue: any WorkQueue,
        checkpoint: any SagaCheckpoint,
        definitions: [SagaDefinition],
        ids: IDSource = .system,
        logger: Logger = Logger(label: "signalbox.sagas"),
        poll: Duration = .milliseconds(250),
        wakeup: @escaping SagaEngine.Wakeup = SagaEngine.sleep
    ) {
        self.log = log
        self.checkpoint = checkpoint
        self.definitions = SagaDefinitions(definitions)
        self.canceller = SagaCanceller(
            log: log,
            queue: queue,
            definitions: SagaDefinitions(definitions),
            ids: ids,
            logger: logger
        )
        self.ids = ids
        self.logger = logger
        self.poll = poll
        self.wakeup = wakeup
    }

    /// Follows the log until it is cancelled.
    package func run() async {
        var place = Place()
        while !Task.isCancelled {
            do throws(LogError) {
                if try await turn(&place) == false { await wakeup(poll) }
            } catch .violated(let what) {
                // It stands still: what was not read right must not be passed over.
                logger.critical("the log broke a promise; no saga is started", metadata: ["what": "\(what)"])
                await wakeup(.seconds(30))
            } catch {
                logger.warning("no saga can be started", metadata: ["error": "\(error)"])
                await wakeup(.seconds(1))
            }
        }
    }

    /// Starts what the next stretch of the log asks for.
    ///
    /// - Returns: Whether there was anything to read.
    /// - Throws: ``EventStore/LogError``; what was read will be read again.
    package func turn() async throws(LogError) -> Bool {
        var place = Place()
        let hadSome = try await turn(&place)
        if let read = place.read, read > place.saved { try await checkpoint.advance(to: read) }
        return hadSome
    }

    /// Where the starter is, and where the checkpoint says it is.
    private struct Place {
        var read: Int64?
        var saved: Int64 = 0
    }

    private func turn(_ place: inout Place) async throws(LogError) -> Bool {
        let position: Int64
        if let read = place.read {
            position = read
        } else {
            position = try await checkpoint.position()
            place = Place(read: position, saved: position)
        }
        let page = try await log.read(
            after: position,
            through: nil,
            matching: EventFilter(types: Self.types),
            limit: 5000
        )
        try page.check(after: position, for: .starter)
        guard page.scannedTo > position else { return false }
        for event in page.events {
            try await canceller.cancel(because: event)
            try await start(event)
        }
        place.read = page.scannedTo
        // Most of the log starts nothing, and reading some of it again after a restart costs little.
        if !page.events.isEmpty || page.scannedTo - place.saved >= 1000 {
            try await checkpoint.advance(to: page.scannedTo)
            place.saved = page.scannedTo
        }
        return true
    }

    private static let types = Set(SagaCause.types + SagaCancellation.types).sorted()

    private func start(_ event: RecordedEvent) async throws(LogError) {
        guard let kind = SagaCause.kind(startedBy: event.type, payload: event.payload) else { return }
        guard let definition = definitions.latest(kind),
            let stream = StreamName(SagaCause.stream(kind: kind, cause: event.id))
        else { throw .violated("\(event.type) starts a saga that this build does not know") }
        let beginning: SagaBeginning
        do throws(SagaBeginError) {
            beginning = try await definition.begin(event, log)
        } catch {
            switch error {
            case .log(let error): throw error
            case .malformed(let why):
                // Standing still would stop every tenant for the sake of one; people see the operation stay queued.
                let metadata: Logger.Metadata = ["position": "\(event.position)", "reason": "\(why)"]
                logger.error("an event cannot start its saga", metadata: metadata)
                return
            }
        }
        try await append(beginning, definition, stream, event)
    }

    private func append(
        _ beginning: SagaBeginning,
        _ definition: SagaDefinition,
        _ stream: StreamName,
        _ event: RecordedEvent
    ) async throws(LogError) {
        let started = SagaEvent.started(
            SagaEvent.Started(
                kind: definition.kind,
                definition: definition.version,
                subject: beginning.subject.text,
                lane: beginning.lane,
                cause: event.id,
                input: beginning.input,
                steps: definition.steps.map(\.id),
                // The log's clock, not ours: the same event read again means the same.
                deadline: event.recordedAt + beginning.patience,
                parent: parent(of: event)?.text,
                position: event.position
            )
        )
        let payload: [UInt8]
        do {
            payload = try started.payload()
        } catch { throw .violated("the start of \(stream) is not JSON") }
        let id = ids.unique()
        let new = NewEvent(id: id, type: started.name.rawValue, schemaVersion: started.schemaVersion, payload: payload)
        let request = AppendRequest(
            causation: Causation(
                actor: "saga-\(definition.kind)",
                command: event.id,
                cause: event.id,
                correlation: event.correlation,
                traceparent: Metadata.traceparent(event.metadata)
            ),
            writes: [StreamWrite(stream, organization: beginning.organization, expecting: .none, events: [new])],
            work: [
                WorkUpdate(
                    stream,
                    guard: .create,
                    kind: definition.kind,
                    lane: beginning.lane,
                    priority: definition.priority,
                    status: "queued",
                    step: definition.steps.first?.id ?? "",
                    target: definition.steps.first?.policy.target ?? "",
                    wakeAt: WorkUpdate.atOnce,
                    deadline: event.recordedAt + beginning.patience
                )
            ]
        )
        do throws(AppendError) {
            _ = try await log.append(request)
        } catch {
            switch error {
            case .conflict: return  // It was started before.
            case .unavailable: throw .unavailable("the start of \(stream) was not written")
            default: throw .violated("the start of \(stream) was refused: \(error)")
            }
        }
    }

    /// The saga whose step recorded the event; `nil` when somebody else did.
    private func parent(of event: RecordedEvent) -> StreamName? {
        guard event.actor.hasPrefix("saga-") else { return nil }
        let kind = String(event.actor.dropFirst("saga-".count))
        guard definitions.latest(kind) != nil else { return nil }
        return StreamName(SagaCause.stream(kind: kind, cause: event.command))
    }
}
