internal import Commands
internal import Domain
package import Kernel
internal import Projections
internal import HTTPTypes
internal import ServiceLifecycle

/// The API: its routes are in the extensions, what they share is here.
package struct API: Sendable {
    package let backend: Backend
    package let settings: APISettings
    package let ids: IDSource
    let edge = EdgeWatermark()
    let people = People(for: .seconds(10))
    let feeds: Fanout
    let instanceViews = SharedReadings<String, InstanceView>()
    let operationViews = SharedReadings<String, OperationView>()
    let vigil = Vigil()
    let membership = SharedReadings<Int, Bool>()
    let checked = Checked()

    package init(backend: Backend, settings: APISettings, ids: IDSource) {
        self.backend = backend
        self.settings = settings
        self.ids = ids
        self.feeds = Fanout(limits: .init(events: settings.feedEvents))
    }

    /// Every route there is, the one that describes them included.
    package func table(version: String) -> RouteTable {
        let routes =
            healthRoutes + onboardingRoutes + organizationRoutes + memberRoutes + invitationRoutes
            + profileRoutes + keyRoutes + platformKeyRoutes + instanceRoutes + subscriptionRoutes
            + transitionRoutes + changeRoutes + planRoutes + operationRoutes + eventRoutes + catalogueRoutes
            + adminRoutes + sagaRoutes + targetRoutes + resourceRoutes + auditRoutes + edgeRoutes + exportRoutes
            + streamRoutes + feedRoutes + erasureRoutes + projectionRoutes + releaseRoutes + rolloutRoutes
            + auditLogRoutes + refusalRoutes + webhookRoutes + signInRoutes + olderRoutes + deadLetterRoutes
            + checkRoutes + organizationExportRoutes
        return Self.described(routes.map(certain), version: version)
    }
}

/// What several routes need.
extension API {
    /// Asks a read model.
    func read<Value: Sendable>(_ ask: () async throws(ReadError) -> Value) async throws(Problem) -> Value {
        do {
            return try await ask()
        } catch {
            switch error {
            case .unavailable, .busy: throw .unavailable(cause: error)
            case .behind(let position): throw .behind(at: position, wanted: position + 1)
            case .beyond(let end): throw .notYet("The log ends at \(end).")
            case .future: throw .notYet("the moment is still to come")
            case .tooMuch(let most):
                throw .invalid([.init("reaches over more than \(most) events", parameter: "position")])
            case .badCursor: throw .badCursor
            }
        }
    }

    /// Waits until the read models that the route uses reflect the position that the caller wants.
    func catchUp(_ call: Call) async throws(Problem) {
        guard let wanted = call.minimumPosition else { return }
        do {
            try await backend.reads.wait(wanted, settings.readWait, call.models)
        } catch {
            switch error {
            case .behind(let position): throw .behind(at: position, wanted: wanted)
            case .unavailable, .busy, .beyond, .future, .tooMuch, .badCursor: throw .unavailable(cause: error)
            }
        }
    }

    func page(_ call: Call) -> PageRequest {
        PageRequest(limit: call.limit, after: call.query["after"])
    }

    /// What the caller is in an organization.
    ///
    /// - Returns: The role; `nil` for the people who run the plane.
    /// - Throws: 404 for strangers.
    @discardableResult
    func role(of call: Call, in organization: OrganizationID) async throws(Problem) -> Role? {
        switch try call.caller.kind {
        case .operator, .platformAuditor, .system, .saga: return nil
        case .organizationKey(_, organization, let role): return role
        case .organizationKey: throw .notFound
        case .user(let user):
            let role = try await read { () throws(ReadError) in try await backend.reads.role(user, organization) }
            guard let role else { throw .notFound }
            return role
        }
    }

    /// Everything about the command but its content.
    func envelope(_ call: Call, expecting version: Int64? = nil) throws(Problem) -> CommandEnvelope {
        let caller = try call.caller
        let key = try call.idempotencyKey()
        let id = key.map { key in
            CommandEnvelope.id(principal: caller.actor, route: "\(call.method.rawValue) \(call.path)", key: key)
        }
        return CommandEnvelope(
            id: id ?? ids.unique(),
            principal: caller,
            requestHash: CommandEnvelope.hash(of: call.body),
            repeatable: key != nil,
            expectedVersion: version,
            traceparent: call.trace.header
        )
    }

    /// Whether the process is about to stop, so that nothing should be waited for.
    var stopping: Bool { Task.isShuttingDownGracefully }

    /// Gives a command; `member` is the member of the body that has the name and the slug in it, when they are not at
    /// its top.
    func give<Value: Sendable>(
        below member: String? = nil,
        _ command: () async throws(CommandError) -> Value
    ) async throws(Problem) -> Value {
        do {
            return try await command()
        } catch {
            guard let member, error != .unknownPrice else { throw error.problem }
            throw error.problem.below(member)
        }
    }
}
