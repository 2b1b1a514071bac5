package import Domain
package import Kernel

/// Who belongs to which organization, one row each.
package enum Members: Projection {
    package typealias Row = MemberView

    package static let name = "members"
    package static let shape = 1
    package static let reads = Set(
        [OrganizationEvent.Name.created, .memberAdded, .memberRoleChanged, .memberRemoved].map(\.rawValue)
    )

    package static func key(of entry: Entry) -> String? {
        guard case .organization(let event) = entry.event else { return nil }
        let user: UserID? =
            switch event {
            case .created(let fact): fact.owner
            case .memberAdded(let fact): fact.user
            case .memberRoleChanged(let fact): fact.user
            case .memberRemoved(let fact): fact.user
            default: nil
            }
        return user.map { "\(entry.subject).\($0)" }
    }

    package static func fold(into row: inout MemberView?, _ entry: Entry) throws {
        guard case .organization(let event) = entry.event else { return }
        guard let organization = OrganizationID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
        switch event {
        case .created(let fact):
            row = MemberView(organizationID: organization, userID: fact.owner, role: .owner, since: entry.at)
        case .memberAdded(let fact):
            // The owner is a member from the first event on; naming them again changes only the role.
            let since = row?.since ?? entry.at
            row = MemberView(organizationID: organization, userID: fact.user, role: fact.role, since: since)
        case .memberRoleChanged(let fact):
            guard row != nil else { throw FoldError.missing(key: "\(organization).\(fact.user)") }
            row?.role = fact.role
        case .memberRemoved:
            row = nil
        default:
            break
        }
    }
}

/// One person's place in one organization.
package struct MemberView: Codable, Equatable, Sendable {
    package var organizationID: OrganizationID
    package var userID: UserID
    package var role: Role
    package var since: Timestamp

    package init(organizationID: OrganizationID, userID: UserID, role: Role, since: Timestamp) {
        self.organizationID = organizationID
        self.userID = userID
        self.role = role
        self.since = since
    }

    private enum CodingKeys: String, CodingKey {
        case organizationID = "organizationId"
        case userID = "userId"
        case role, since
    }
}
