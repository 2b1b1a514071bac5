package import Domain
internal import EventStore
package import Kernel

/// Who belongs to an organization and with which role, and whether it may have new work at all.
extension CommandDesk {
    /// Gives a member another role; only owners make owners, or make something else of them.
    package func changeRole(
        of user: UserID,
        in id: OrganizationID,
        to role: Role,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .administer)
            let roles = [role, organization.model.members[user]].compactMap { $0 }
            try Self.requireOwner(envelope.principal, in: id, organization.model, for: roles)
            return try decision(organization, .changeRole(user, role), answer: Done(), envelope) { .organization($0) }
        }
    }

    /// Ends somebody's membership; everybody may leave, and only owners remove owners.
    package func removeMember(
        _ user: UserID,
        of id: OrganizationID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let leaves = envelope.principal.kind == .user(user)
            let organization = try await organization(id, for: envelope.principal, to: leaves ? .belong : .administer)
            guard let role = organization.model.members[user] else { throw .organization(.notMember) }
            if !leaves { try Self.requireOwner(envelope.principal, in: id, organization.model, for: [role]) }
            return try decision(organization, .removeMember(user), answer: Done(), envelope) { .organization($0) }
        }
    }

    /// Makes another member owner; the owner who does it stays as admin.
    ///
    /// A key of the organization, or who runs the plane, does it for all of its owners.
    package func transferOrganization(
        _ id: OrganizationID,
        to user: UserID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .delete)
            var owner: UserID?
            if case .user(let own) = envelope.principal.kind { owner = own }
            return try decision(organization, .transfer(to: user, from: owner), answer: Done(), envelope) {
                .organization($0)
            }
        }
    }

    /// Lets an organization have no new work until it is resumed; what it has goes on.
    package func suspendOrganization(
        _ id: OrganizationID,
        because reason: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await steer(id, .suspend(reason: reason), by: envelope)
    }

    /// Lets a suspended organization have new work again.
    package func resumeOrganization(
        _ id: OrganizationID,
        because reason: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await steer(id, .resume(reason: reason), by: envelope)
    }

    private func steer(
        _ id: OrganizationID,
        _ command: Organization.Command,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try Self.requireOperator(envelope.principal)
        return try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await load(organization: id)
            return try decision(organization, command, answer: Done(), envelope) { .organization($0) }
        }
    }

    /// Lets only owners, and who runs the plane, decide about owners.
    static func requireOwner(
        _ principal: Principal,
        in id: OrganizationID,
        _ organization: Organization,
        for roles: [Role]
    ) throws(CommandError) {
        guard roles.contains(.owner) else { return }
        if let own = role(of: principal, in: id, organization), own != .owner { throw .forbidden }
    }
}
