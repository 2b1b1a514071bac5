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
    /// The API's doors, opened onto the rest of the plane.
    init(
        catalogue: Catalogue,
        desk: CommandDesk,
        models: ReadModels,
        history: EventHistory,
        document: TraefikDocument,
        metrics: MetricsRegistry
    ) {
        self.init(catalogue: catalogue)
        commands = CommandDoor(desk)
        reads = ReadDoor(models)
        events = EventDoor(history)
        plane.databaseProblem = {
            do {
                _ = try await history.frontier()
                return nil
            } catch {
                return "the database does not answer"
            }
        }
        plane.checks = {
            do {
                let lag = try await models.projections().map(\.lag).max() ?? 0
                return [.init("projections", problem: lag > 10_000 ? "the read models are \(lag) events behind" : nil)]
            } catch {
                return [.init("projections", problem: "the read models cannot be asked")]
            }
        }
        plane.metrics = { metrics.text }
        plane.edgeDocument = { routes in
            document.bytes(for: routes.map { Route(router: $0.router, host: $0.host, services: [$0.service: 100]) })
        }
    }
}

extension CommandDoor {
    fileprivate init(_ desk: CommandDesk) {
        self.init()
        onboard = { (name, slug, price, envelope) async throws(CommandError) in
            try await desk.onboard(name: name, slug: slug, price: price, by: envelope)
        }
        createOrganization = { (name, slug, envelope) async throws(CommandError) in
            try await desk.createOrganization(name: name, slug: slug, by: envelope)
        }
        renameOrganization = { (id, name, envelope) async throws(CommandError) in
            try await desk.renameOrganization(id, to: name, by: envelope)
        }
        requestInstance = { (organization, name, price, envelope) async throws(CommandError) in
            try await desk.requestInstance(of: organization, name: name, price: price, by: envelope)
        }
        retryInstance = { (id, envelope) async throws(CommandError) in try await desk.retryInstance(id, by: envelope) }
        issueUserKey = { (wish, envelope) async throws(CommandError) in
            guard case .user(let user) = envelope.principal.kind else { throw .forbidden }
            return try await desk.issueUserKey(
                for: user,
                scopes: wish.scopes,
                expiresAt: wish.expiresAt,
                by: envelope
            )
        }
        issueOrganizationKey = { (organization, role, wish, envelope) async throws(CommandError) in
            try await desk.issueOrganizationKey(
                for: organization,
                role: role,
                scopes: wish.scopes,
                expiresAt: wish.expiresAt,
                by: envelope
            )
        }
        revokeUserKey = { (key, envelope) async throws(CommandError) in
            guard case .user(let user) = envelope.principal.kind else { throw .forbidden }
            return try await desk.revokeUserKey(key, of: user, by: envelope)
        }
        revokeOrganizationKey = { (organization, key, envelope) async throws(CommandError) in
            try await desk.revokeOrganizationKey(key, of: organization, by: envelope)
        }
        slugAvailability = { slug async throws(CommandError) in try await desk.slugAvailability(slug) }
    }
}

extension ReadDoor {
    fileprivate init(_ models: ReadModels) {
        self.init()
        wait = { (position, patience) async throws(ReadError) in
            try await models.wait(for: position, timeout: patience)
        }
        position = { () async throws(ReadError) in try await models.position() }
        role = { (user, organization) async throws(ReadError) in
            try await models.role(of: user, in: organization)
        }
        key = { id async throws(ReadError) in try await models.key(id) }
        keys = { (owner, page) async throws(ReadError) in try await models.keys(of: owner, page: page) }
        organization = { id async throws(ReadError) in try await models.organization(id) }
        organizations = { (user, page) async throws(ReadError) in
            try await models.organizations(of: user, page: page)
        }
        members = { (organization, page) async throws(ReadError) in
            try await models.members(of: organization, page: page)
        }
        instance = { id async throws(ReadError) in try await models.instance(id) }
        instances = { (organization, page) async throws(ReadError) in
            try await models.instances(of: organization, page: page)
        }
        history = { (instance, page) async throws(ReadError) in try await models.history(of: instance, page: page) }
        subscription = { id async throws(ReadError) in try await models.subscription(id) }
        operation = { id async throws(ReadError) in try await models.operation(id) }
        operations = { (organizations, status, page) async throws(ReadError) in
            try await models.operations(of: organizations, status: status, page: page)
        }
        releases = { () async throws(ReadError) in try await models.releases() }
        projections = { () async throws(ReadError) in try await models.projections() }
        routes = { position async throws(ReadError) in try await models.routes(afterPassing: position) }
    }
}

extension EventDoor {
    fileprivate init(_ history: EventHistory) {
        self.init()
        list = { (wish, position, limit) async throws(Failure) in
            guard let filter = EventFilter(wish) else { return Slice(events: [], scannedTo: position) }
            do throws(LogError) {
                return Slice(try await history.list(filter, after: position, limit: limit))
            } catch {
                throw Failure(error)
            }
        }
        next = { (wish, position, limit, patience) async throws(Failure) in
            guard let filter = EventFilter(wish) else { return Slice(events: [], scannedTo: position) }
            do throws(LogError) {
                return Slice(try await history.next(filter, after: position, limit: limit, within: patience))
            } catch {
                throw Failure(error)
            }
        }
        one = { position async throws(Failure) in
            do throws(LogError) {
                return try await history.event(at: position).map { EventView($0) }
            } catch {
                throw Failure(error)
            }
        }
        frontier = { () async throws(Failure) in
            do throws(LogError) { return try await history.frontier() } catch { throw Failure(error) }
        }
    }
}

extension EventFilter {
    /// `nil` when nothing can match, as with a stream name that no stream can have.
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

extension EventDoor.Slice {
    fileprivate init(_ page: EventPage) {
        self.init(events: page.events.map { EventView($0) }, scannedTo: page.scannedTo)
    }
}

extension EventDoor.Failure {
    fileprivate init(_ error: LogError) {
        switch error {
        case .unavailable: self = .unavailable
        case .violated(let what): self = .broken(what)
        }
    }
}

extension EventView {
    /// An event as the API shows it.
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
            // Every payload was JSON when it was appended; what cannot be read any more is shown as nothing.
            data: event.payload.flatMap { try? JSON.decode(JSONValue.self, from: $0) },
            metadata: (try? JSON.decode(JSONValue.self, from: event.metadata.utf8)) ?? .null
        )
    }
}
