package import Domain
package import EventStore
package import Kernel

/// What somebody wants to do in an organization.
enum Act {
    /// The organization itself, its members and keys.
    case administer
    /// Its instances.
    case operate
    /// To end it, with everything in it, or to give it away.
    case delete
    /// What every member may do.
    case belong

    var roles: Set<Role> {
        switch self {
        case .administer: [.owner, .admin]
        case .operate: [.owner, .admin, .developer]
        case .delete: [.owner]
        case .belong: Set(Role.allCases)
        }
    }
}

extension CommandDesk {
    /// Loads an organization for somebody who may do this in it.
    ///
    /// - Throws: ``CommandError/notFound`` to strangers, ``CommandError/forbidden`` to members without the right.
    func organization(
        _ id: OrganizationID,
        for principal: Principal,
        to act: Act
    ) async throws(CommandError) -> Aggregate<Organization> {
        let organization = try await load(organization: id)
        try Self.check(principal, in: id, organization.model, to: act)
        return organization
    }

    func load(organization id: OrganizationID) async throws(CommandError) -> Aggregate<Organization> {
        var organization = try await handler.aggregates.load(Organization.self, from: Streams.organization(id))
        organization.organization = id
        return organization
    }

    /// Loads an instance, and its organization, for somebody who may do this with it.
    func instance(
        _ id: InstanceID,
        for principal: Principal,
        to act: Act
    ) async throws(CommandError) -> (Aggregate<Instance>, Aggregate<Organization>) {
        let instance = try await handler.aggregates.load(Instance.self, from: Streams.instance(id))
        guard let owner = instance.model.requested?.organization else { throw .notFound }
        return (instance, try await organization(owner, for: principal, to: act))
    }

    private static func check(
        _ principal: Principal,
        in id: OrganizationID,
        _ organization: Organization,
        to act: Act
    ) throws(CommandError) {
        guard organization.stage != .absent else { throw .notFound }
        switch principal.kind {
        case .operator, .saga, .system: break
        case .platformAuditor: throw .forbidden
        case .user, .organizationKey:
            guard let role = role(of: principal, in: id, organization) else { throw .notFound }
            guard act.roles.contains(role) else { throw .forbidden }
        }
        guard principal.has(scope: "write") else { throw .forbidden }
    }

    /// The role somebody acts with in an organization; `nil` for strangers and for those who have none.
    static func role(of principal: Principal, in id: OrganizationID, _ organization: Organization) -> Role? {
        switch principal.kind {
        case .user(let user): organization.members[user]
        case .organizationKey(_, id, let role): role
        case .organizationKey, .operator, .platformAuditor, .saga, .system: nil
        }
    }

    /// Lets only those through who run the plane.
    static func requireOperator(_ principal: Principal) throws(CommandError) {
        switch principal.kind {
        case .operator, .system, .saga: break
        case .user, .organizationKey, .platformAuditor: throw .forbidden
        }
        guard principal.has(scope: "write") else { throw .forbidden }
    }
}

extension Aggregate<Organization> {
    /// Lets only organizations through that new work may be done for.
    func requireActive() throws(CommandError) {
        do throws(Organization.Refusal) { try model.requireActive() } catch { throw .organization(error) }
    }
}

/// The names of the streams of aggregates.
package enum Streams {
    package static func organization(_ id: OrganizationID) -> StreamName {
        StreamName(category: OrganizationEvent.category, id: id)
    }

    package static func user(_ id: UserID) -> StreamName {
        StreamName(category: UserEvent.category, id: id)
    }

    package static func subscription(_ id: SubscriptionID) -> StreamName {
        StreamName(category: SubscriptionEvent.category, id: id)
    }

    package static func instance(_ id: InstanceID) -> StreamName {
        StreamName(category: InstanceEvent.category, id: id)
    }

    /// - Precondition: The name of the application is `a–z 0–9 . _ -`; it comes from the configuration.
    package static func release(_ application: String) -> StreamName {
        StreamName(category: ReleaseEvent.category, id: application)
    }

    package static func rollout(_ id: RolloutID) -> StreamName {
        StreamName(category: RolloutEvent.category, id: id)
    }

    package static let platform = StreamName(category: PlatformEvent.category, id: "keys")

    /// Where the erasure of one event's payload is recorded.
    package static func erasure(of position: Int64) -> StreamName {
        StreamName(category: ErasureEvent.category, id: position)
    }

    /// Where the erasure of a subject such as `user-42` is recorded; `nil` when nothing can have such a name.
    ///
    /// A subject has a `-` in its name, so it never meets a position.
    package static func erasure(of subject: String) -> StreamName? {
        StreamName(subject) == nil ? nil : StreamName("\(ErasureEvent.category)-\(subject)")
    }
}
