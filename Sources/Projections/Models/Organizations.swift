internal import Domain
package import Kernel

/// The organizations as they are now.
package enum Organizations: Projection {
    package typealias Row = OrganizationView

    package static let name = "organizations"
    package static let shape = 2
    package static let reads = OrganizationEvent.types

    package static func key(of entry: Entry) -> String? { entry.subject }

    package static func fold(into row: inout OrganizationView?, _ entry: Entry) throws {
        guard case .organization(let event) = entry.event else { return }
        if case .created(let fact) = event {
            guard let id = OrganizationID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
            row = OrganizationView(
                id: id,
                name: fact.name,
                slug: fact.slug,
                status: .active,
                createdAt: entry.at,
                updatedAt: entry.at,
                version: entry.version
            )
            return
        }
        guard var organization = row else { throw FoldError.missing(key: entry.subject) }
        switch event {
        case .created: break
        case .renamed(let fact): organization.name = fact.name
        case .suspended: organization.status = .suspended
        case .resumed: organization.status = .active
        case .deletionRequested: organization.status = .deleting
        case .deleted:
            organization.status = .deleted
            // What people called it goes with it; its slug stays taken.
            organization.name = ""
        case .memberAdded, .memberRoleChanged, .memberRemoved, .invitationSent, .invitationAccepted,
            .invitationRevoked, .webhookRegistered, .webhookEnabled, .webhookDisabled, .webhookSecretRotated,
            .webhookRemoved, .apiKeyIssued, .apiKeyRevoked, .billingCustomerLinked, .personalDataErased:
            break
        }
        organization.updatedAt = entry.at
        organization.version = entry.version
        row = organization
    }
}

/// An organization as the API shows it.
package struct OrganizationView: Codable, Equatable, Sendable {
    package enum Status: String, Codable, Sendable {
        case active, suspended, deleting, deleted
    }

    package var id: OrganizationID
    /// Empty once it is deleted.
    package var name: String
    package var slug: String
    package var status: Status
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// The version of its stream, which `If-Match` expects.
    package var version: Int64

    package init(
        id: OrganizationID,
        name: String,
        slug: String,
        status: Status,
        createdAt: Timestamp,
        updatedAt: Timestamp,
        version: Int64
    ) {
        self.id = id
        self.name = name
        self.slug = slug
        self.status = status
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.version = version
    }
}
