internal import Adapters
internal import Audit
internal import Commands
internal import Domain
internal import EventStore
internal import Kernel
internal import Platform
internal import Projections
internal import Sagas
internal import Server

extension Backend {
    /// The API over the parts of one process.
    ///
    /// - Parameters:
    ///   - catalogue: Everything that is for sale.
    ///   - desk: Where commands are given.
    ///   - models: What questions are asked of.
    ///   - log: What auditors read; its bell ends their waiting.
    ///   - erased: Knows whose sealed fields nobody can open.
    ///   - document: What the edge is told.
    init(
        catalogue: Catalogue,
        desk: CommandDesk,
        models: ReadModels,
        log: PostgresLog,
        erased: any ErasedSubjects,
        document: TraefikDocument
    ) {
        self.init(catalogue: catalogue, desk: desk, models: models)
        events = EventDoor(LogWindow(log: log, bell: log.bell, erased: erased))
        let past = PastViews(
            log: log,
            skipped: { name throws(ReadError) in try await models.skipped(of: name) }
        )
        reads.open(past)
        plane.edgeDocument = { routes in
            document.bytes(
                for: routes.map { route in
                    Route(
                        router: route.router,
                        host: route.host,
                        services: route.writes ?? [route.service: 100],
                        reads: route.reads
                    )
                }
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

extension Backend {
    /// Has instances looked at, too.
    mutating func look(by instances: InstanceChecks) {
        checks = { instance, isUp in
            do throws(PortError) {
                return .success(try await instances.all(of: instance, isUp: isUp))
            } catch { return .failure(error) }
        }
    }
}

extension EventDoor {
    /// The log as the window shows it.
    init(_ window: LogWindow) {
        self.init()
        let history = window.history
        isStreamName = { StreamName($0) != nil }
        list = { wish, position, limit throws(Failure) in
            do throws(LogError) {
                guard let filter = EventFilter(wish) else { return Slice(events: [], scannedTo: position) }
                return try await window.slice(try await history.list(filter, after: position, limit: limit))
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
                let page = try await history.next(filter, after: position, limit: limit, within: patience)
                return try await window.slice(page)
            } catch {
                throw Failure(error)
            }
        }
        beginning = { text throws(Failure) in
            guard let token = ResumeToken(text) else { return .unknown }
            do throws(LogError) {
                return switch try await history.standing(of: token) {
                case .known: .after(token.position)
                case .forked: .forked
                case .beyond(let end): .beyond(end: end)
                }
            } catch {
                throw Failure(error)
            }
        }
        token = { position throws(Failure) in
            do throws(LogError) {
                return try await history.token(at: position).description
            } catch {
                throw Failure(error)
            }
        }
        one = { position throws(Failure) in
            do throws(LogError) {
                guard let event = try await history.event(at: position) else { return nil }
                return try await window.view(event)
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
        look(through: window)
    }

    /// What is asked of one stream, and of everything at once.
    private mutating func look(through window: LogWindow) {
        export = { wish, place, end throws(Failure) in
            guard let filter = EventFilter(wish) else { return ([], nil) }
            do throws(LogError) {
                var inner = EventHistory.Place(after: place.position, version: place.version)
                guard let events = try await window.history.page(filter, from: &inner, through: end) else {
                    return ([], nil)
                }
                var next = Place(after: inner.position)
                next.version = inner.version
                return (try await window.views(events), next)
            } catch {
                throw Failure(error)
            }
        }
        history = { name, version, limit throws(Failure) in
            guard let stream = StreamName(name) else { return [] }
            do throws(LogError) {
                return try await window.views(try await window.history.stream(stream, after: version, limit: limit))
            } catch {
                throw Failure(error)
            }
        }
        state = { name, moment throws(Failure) in
            guard let stream = StreamName(name) else { return nil }
            do throws(PastError) {
                return try await window.state(of: stream, at: moment)
            } catch {
                switch error {
                case .noState: throw .stateless
                case .notYet(let detail): throw .notYet(detail)
                case .log(let error): throw Failure(error)
                }
            }
        }
    }
}

extension LogWindow {
    fileprivate func slice(_ page: EventPage) async throws(LogError) -> EventDoor.Slice {
        EventDoor.Slice(events: try await views(page.events), scannedTo: page.scannedTo)
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

extension EventFilter {
    /// What the API's caller wants; `nil` when no event can be it, because no stream has such a name.
    fileprivate init?(_ wish: EventDoor.Wish) {
        var stream: StreamName?
        if let text = wish.stream {
            guard let name = StreamName(text) else { return nil }
            stream = name
        }
        self.init(
            categories: wish.category.map { [$0] },
            types: wish.type.map { [$0] },
            organization: wish.organization,
            stream: stream,
            actor: wish.actor,
            from: wish.from,
            to: wish.to
        )
    }
}
