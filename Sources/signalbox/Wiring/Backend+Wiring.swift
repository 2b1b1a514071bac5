internal import Adapters
internal import Audit
internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform
internal import Projections
internal import Server

extension Backend {
    /// The API over the parts of one process.
    ///
    /// - Parameters:
    ///   - catalogue: Everything that is for sale.
    ///   - desk: Where commands are given.
    ///   - models: What questions are asked of.
    ///   - log: What auditors read; its bell ends their waiting.
    ///   - document: What the edge is told.
    init(catalogue: Catalogue, desk: CommandDesk, models: ReadModels, log: PostgresLog, document: TraefikDocument) {
        self.init(catalogue: catalogue, desk: desk, models: models)
        events = EventDoor(EventHistory(log: log, bell: log.bell))
        plane.edgeDocument = { routes in
            document.bytes(
                for: routes.map { Route(router: $0.router, host: $0.host, services: [$0.service: 100]) }
            )
        }
        plane.databaseProblem = {
            do throws(LogError) {
                _ = try await log.frontier()
                return nil
            } catch {
                return "the database does not answer"
            }
        }
    }
}

extension EventDoor {
    /// The log as the history shows it.
    init(_ history: EventHistory) {
        self.init()
        list = { wish, position, limit throws(Failure) in
            do throws(LogError) {
                guard let filter = EventFilter(wish) else { return Slice(events: [], scannedTo: position) }
                return Slice(try await history.list(filter, after: position, limit: limit))
            } catch {
                throw Failure(error)
            }
        }
        next = { wish, position, limit, patience throws(Failure) in
            do throws(LogError) {
                guard let filter = EventFilter(wish) else {
                    // Such an event never comes; cancelled early, the caller sees that itself.
                    try? await Task.sleep(for: patience)
                    return Slice(events: [], scannedTo: position)
                }
                return Slice(try await history.next(filter, after: position, limit: limit, within: patience))
            } catch {
                throw Failure(error)
            }
        }
        one = { position throws(Failure) in
            do throws(LogError) {
                return try await history.event(at: position).map(EventView.init)
            } catch {
                throw Failure(error)
            }
        }
        frontier = { () throws(Failure) in
            do throws(LogError) {
                return try await history.frontier()
            } catch {
                throw Failure(error)
            }
        }
    }
}

extension EventDoor.Failure {
    fileprivate init(_ error: LogError) {
        switch error {
        case .unavailable: self = .unavailable
        case .violated(let promise): self = .broken(promise)
        }
    }
}

extension EventDoor.Slice {
    fileprivate init(_ page: EventPage) {
        self.init(events: page.events.map(EventView.init), scannedTo: page.scannedTo)
    }
}

extension EventFilter {
    /// What the API's caller wants; `nil` when no event can be it, because no stream has such a name.
    fileprivate init?(_ wish: EventDoor.Wish) {
        var stream: StreamName?
        if let text = wish.stream {
            guard let name = StreamName(text) else { return nil }
            stream = name
        }
        self.init(
            types: wish.type.map { [$0] },
            organization: wish.organization,
            stream: stream,
            actor: wish.actor,
            from: wish.from,
            to: wish.to
        )
    }
}

extension EventView {
    /// One event of the log; an erased one has no data.
    init(_ event: RecordedEvent) {
        self.init(
            position: event.position,
            id: event.id,
            stream: event.stream.text,
            version: event.version,
            type: event.type,
            schemaVersion: Int(event.schemaVersion),
            recordedAt: event.recordedAt,
            organization: event.organization,
            actor: event.actor,
            command: event.command,
            cause: event.cause,
            correlation: event.correlation,
            // Writers append nothing but JSON; what cannot be read is shown as nothing.
            data: event.payload.flatMap { try? JSON.decode(JSONValue.self, from: $0) },
            metadata: (try? JSON.decode(JSONValue.self, from: Array(event.metadata.utf8))) ?? .object([:])
        )
    }
}
