package import Domain
package import Kernel

/// Who was asked to become a member of which organization, one row for each invitation.
package enum Invitations: Projection {
    package typealias Row = InvitationView

    package static let name = "invitations"
    package static let shape = 1
    package static let reads = Set(
        [OrganizationEvent.Name.invitationSent, .invitationAccepted, .invitationRevoked].map(\.rawValue)
    )

    package static func key(of entry: Entry) -> String? {
        guard case .organization(let event) = entry.event else { return nil }
        return switch event {
        case .invitationSent(let fact): fact.invitation.description
        case .invitationAccepted(let fact): fact.invitation.description
        case .invitationRevoked(let fact): fact.invitation.description
        default: nil
        }
    }

    package static func fold(into row: inout InvitationView?, _ entry: Entry) throws {
        guard case .organization(let event) = entry.event else { return }
        switch event {
        case .invitationSent(let fact):
            guard let id = OrganizationID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
            row = InvitationView(fact, organization: id, at: entry)
        case .invitationAccepted(let fact):
            guard row != nil else { throw FoldError.missing(key: fact.invitation.description) }
            row?.status = .accepted
            row?.userID = fact.user
        case .invitationRevoked(let fact):
            guard row != nil else { throw FoldError.missing(key: fact.invitation.description) }
            row?.status = .revoked
        default:
            break
        }
    }
}

/// An invitation as the API shows it: never its token, nor the hash of it.
package struct InvitationView: Codable, Equatable, Sendable {
    /// What became of it; one that has expired is still open, and opens nothing.
    package enum Status: String, Codable, Sendable, CaseIterable {
        case open, accepted, revoked
    }

    package var id: UniqueID
    package var organizationID: OrganizationID
    package var role: Role
    package var status: Status
    package var sentAt: Timestamp
    package var expiresAt: Timestamp
    /// Who accepted it.
    @Nullable package var userID: UserID?
    /// Where it was sent; lists go on after it.
    package var position: Int64

    init(_ fact: OrganizationEvent.InvitationSent, organization: OrganizationID, at entry: Entry) {
        id = fact.invitation
        organizationID = organization
        role = fact.role
        status = .open
        sentAt = entry.at
        expiresAt = fact.expiresAt
        userID = nil
        position = entry.position
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case organizationID = "organizationId"
        case role, status, sentAt, expiresAt
        case userID = "userId"
        case position
    }
}
