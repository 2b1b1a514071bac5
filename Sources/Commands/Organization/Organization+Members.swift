package import Domain
package import Kernel

/// Who belongs to an organization, and who is asked to.
extension Organization {
    /// Somebody who was asked to become a member and has not answered.
    package struct Invitation: Codable, Equatable, Sendable {
        /// Hex SHA-256 of the secret that the invited person holds.
        package var tokenHash: String
        package var role: Role
        package var expiresAt: Timestamp
    }

    func add(_ user: UserID, _ role: Role) throws(Refusal) -> [OrganizationEvent] {
        switch members[user] {
        case nil: return [.memberAdded(.init(user: user, role: role))]
        case role: return []
        default: throw .alreadyMember
        }
    }

    func change(_ user: UserID, _ role: Role) throws(Refusal) -> [OrganizationEvent] {
        guard let current = members[user] else { throw .notMember }
        if current == role { return [] }
        guard !isLastOwner(user) else { throw .lastOwner }
        return [.memberRoleChanged(.init(user: user, role: role))]
    }

    func remove(_ user: UserID) throws(Refusal) -> [OrganizationEvent] {
        guard members[user] != nil else { return [] }
        guard !isLastOwner(user) else { throw .lastOwner }
        return [.memberRemoved(.init(user: user))]
    }

    /// Makes a member owner, and the owner who gives it away, or every present one, admin.
    func transfer(to heir: UserID, from owner: UserID?) throws(Refusal) -> [OrganizationEvent] {
        guard let role = members[heir] else { throw .heirNotMember }
        if let owner, members[owner] != .owner { throw .notOwner }
        let leaving = members.filter { $0.value == .owner && $0.key != heir && (owner == nil || $0.key == owner) }
        let promotion: [OrganizationEvent] =
            role == .owner ? [] : [.memberRoleChanged(.init(user: heir, role: .owner))]
        return promotion + leaving.keys.sorted().map { .memberRoleChanged(.init(user: $0, role: .admin)) }
    }

    func invite(_ fact: OrganizationEvent.InvitationSent) throws(Refusal) -> [OrganizationEvent] {
        guard invitations.count < Self.mostInvitations else { throw .tooManyInvitations }
        return invitations[fact.invitation] == nil ? [.invitationSent(fact)] : []
    }

    func revoke(invitation: UniqueID) throws(Refusal) -> [OrganizationEvent] {
        guard invitations[invitation] != nil else { throw .unknownInvitation }
        return [.invitationRevoked(.init(invitation: invitation))]
    }

    /// Who holds the secret is who was invited; that they are a member now is a fact of its own, as for everybody else.
    func accept(
        _ invitation: UniqueID,
        tokenHash: String,
        by user: UserID,
        at moment: Timestamp
    ) throws(Refusal) -> [OrganizationEvent] {
        guard let open = invitations[invitation], Secrets.same(open.tokenHash, tokenHash) else {
            throw .unknownInvitation
        }
        guard moment < open.expiresAt else { throw .invitationExpired }
        guard members[user] == nil else { throw .alreadyMember }
        return [
            .invitationAccepted(.init(invitation: invitation, user: user)),
            .memberAdded(.init(user: user, role: open.role)),
        ]
    }

    private func isLastOwner(_ user: UserID) -> Bool {
        members[user] == .owner && members.count { $0.value == .owner } == 1
    }

    /// How many may be open at once, so that an organization stays something that can be folded.
    private static let mostInvitations = 1000
}
