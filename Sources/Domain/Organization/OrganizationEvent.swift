package import Kernel

/// Everything that can have happened to one organization.
package enum OrganizationEvent: EventFamily {
    case created(Created)
    case renamed(Renamed)
    case memberAdded(MemberAdded)
    case memberRoleChanged(MemberRoleChanged)
    case memberRemoved(MemberRemoved)
    case invitationSent(InvitationSent)
    case invitationAccepted(InvitationAccepted)
    case invitationRevoked(InvitationRevoked)
    case apiKeyIssued(APIKeyIssued)
    case apiKeyRevoked(APIKeyRevoked)
    case webhookRegistered(WebhookRegistered)
    case webhookEnabled(WebhookNamed)
    case webhookDisabled(WebhookDisabled)
    case webhookSecretRotated(WebhookSecretRotated)
    case webhookRemoved(WebhookNamed)
    case billingCustomerLinked(BillingCustomerLinked)
    case suspended(Because)
    case resumed(Resumed)
    case deletionRequested(Because)
    case personalDataErased(Nothing)
    case deleted(Nothing)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case created = "organization.created"
        case renamed = "organization.renamed"
        case memberAdded = "organization.member-added"
        case memberRoleChanged = "organization.member-role-changed"
        case memberRemoved = "organization.member-removed"
        case invitationSent = "organization.invitation-sent"
        case invitationAccepted = "organization.invitation-accepted"
        case invitationRevoked = "organization.invitation-revoked"
        case apiKeyIssued = "organization.api-key-issued"
        case apiKeyRevoked = "organization.api-key-revoked"
        case webhookRegistered = "organization.webhook-registered"
        case webhookEnabled = "organization.webhook-enabled"
        case webhookDisabled = "organization.webhook-disabled"
        case webhookSecretRotated = "organization.webhook-secret-rotated"
        case webhookRemoved = "organization.webhook-removed"
        case billingCustomerLinked = "organization.billing-customer-linked"
        case suspended = "organization.suspended"
        case resumed = "organization.resumed"
        case deletionRequested = "organization.deletion-requested"
        case personalDataErased = "organization.personal-data-erased"
        case deleted = "organization.deleted"
    }
}

/// What a member may do in an organization.
package enum Role: String, Codable, Sendable, CaseIterable {
    case owner, admin, developer, viewer, auditor
}

extension OrganizationEvent {
    package struct Created: Fact {
        package var name: String
        package var slug: String
        package var owner: UserID
        package init(name: String, slug: String, owner: UserID) {
            self.name = name
            self.slug = slug
            self.owner = owner
        }
    }

    package struct Renamed: Fact {
        package var name: String
        package init(name: String) { self.name = name }
    }

    package struct MemberAdded: Fact {
        package var user: UserID
        package var role: Role
        package init(user: UserID, role: Role) {
            self.user = user
            self.role = role
        }
    }

    package struct MemberRoleChanged: Fact {
        package var user: UserID
        package var role: Role
        package init(user: UserID, role: Role) {
            self.user = user
            self.role = role
        }
    }

    package struct MemberRemoved: Fact {
        package var user: UserID
        package init(user: UserID) { self.user = user }
    }

    package struct InvitationSent: Fact {
        package var invitation: UniqueID
        /// Hex SHA-256 of the token that the invited person holds.
        package var tokenHash: String
        package var role: Role
        package var expiresAt: Timestamp
        package init(invitation: UniqueID, tokenHash: String, role: Role, expiresAt: Timestamp) {
            self.invitation = invitation
            self.tokenHash = tokenHash
            self.role = role
            self.expiresAt = expiresAt
        }
    }

    package struct InvitationAccepted: Fact {
        package var invitation: UniqueID
        package var user: UserID
        package init(invitation: UniqueID, user: UserID) {
            self.invitation = invitation
            self.user = user
        }
    }

    package struct InvitationRevoked: Fact {
        package var invitation: UniqueID
        package init(invitation: UniqueID) { self.invitation = invitation }
    }

    package struct Resumed: Fact {
        /// Why; events of before it was asked for have none.
        package var reason: String?
        package init(reason: String? = nil) { self.reason = reason }
    }

    package struct BillingCustomerLinked: Fact {
        /// Billing's own id of the customer.
        package var customer: String
        package init(customer: String) { self.customer = customer }
    }
}

/// A key was made; the secret itself was shown once and is nowhere.
package struct APIKeyIssued: Fact {
    package var key: KeyID
    /// Hex SHA-256 of the secret part.
    package var hash: String
    package var scopes: [String]
    /// The role the key acts with in an organization; absent for a user's own key.
    package var role: Role?
    package var expiresAt: Timestamp?
    package init(key: KeyID, hash: String, scopes: [String], role: Role? = nil, expiresAt: Timestamp? = nil) {
        self.key = key
        self.hash = hash
        self.scopes = scopes
        self.role = role
        self.expiresAt = expiresAt
    }
}

/// A key stopped being good.
package struct APIKeyRevoked: Fact {
    package var key: KeyID
    package init(key: KeyID) { self.key = key }
}

extension OrganizationEvent {
    package static let category = "organization"

    package var name: Name {
        switch self {
        case .created: .created
        case .renamed: .renamed
        case .memberAdded: .memberAdded
        case .memberRoleChanged: .memberRoleChanged
        case .memberRemoved: .memberRemoved
        case .invitationSent: .invitationSent
        case .invitationAccepted: .invitationAccepted
        case .invitationRevoked: .invitationRevoked
        case .apiKeyIssued: .apiKeyIssued
        case .apiKeyRevoked: .apiKeyRevoked
        case .webhookRegistered: .webhookRegistered
        case .webhookEnabled: .webhookEnabled
        case .webhookDisabled: .webhookDisabled
        case .webhookSecretRotated: .webhookSecretRotated
        case .webhookRemoved: .webhookRemoved
        case .billingCustomerLinked: .billingCustomerLinked
        case .suspended: .suspended
        case .resumed: .resumed
        case .deletionRequested: .deletionRequested
        case .personalDataErased: .personalDataErased
        case .deleted: .deleted
        }
    }

    package var fact: any Fact {
        switch self {
        case .created(let fact): fact
        case .renamed(let fact): fact
        case .memberAdded(let fact): fact
        case .memberRoleChanged(let fact): fact
        case .memberRemoved(let fact): fact
        case .invitationSent(let fact): fact
        case .invitationAccepted(let fact): fact
        case .invitationRevoked(let fact): fact
        case .apiKeyIssued(let fact): fact
        case .apiKeyRevoked(let fact): fact
        case .webhookRegistered(let fact): fact
        case .webhookEnabled(let fact): fact
        case .webhookDisabled(let fact): fact
        case .webhookSecretRotated(let fact): fact
        case .webhookRemoved(let fact): fact
        case .billingCustomerLinked(let fact): fact
        case .suspended(let fact): fact
        case .resumed(let fact): fact
        case .deletionRequested(let fact): fact
        case .personalDataErased(let fact): fact
        case .deleted(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .created: .only(Self.created)
        case .renamed: .only(Self.renamed)
        case .memberAdded: .only(Self.memberAdded)
        case .memberRoleChanged: .only(Self.memberRoleChanged)
        case .memberRemoved: .only(Self.memberRemoved)
        case .invitationSent: .only(Self.invitationSent)
        case .invitationAccepted: .only(Self.invitationAccepted)
        case .invitationRevoked: .only(Self.invitationRevoked)
        case .apiKeyIssued: .only(Self.apiKeyIssued)
        case .apiKeyRevoked: .only(Self.apiKeyRevoked)
        case .webhookRegistered: .only(Self.webhookRegistered)
        case .webhookEnabled: .only(Self.webhookEnabled)
        case .webhookDisabled: .only(Self.webhookDisabled)
        case .webhookSecretRotated: .only(Self.webhookSecretRotated)
        case .webhookRemoved: .only(Self.webhookRemoved)
        case .billingCustomerLinked: .only(Self.billingCustomerLinked)
        case .suspended: .only(Self.suspended)
        case .resumed: .only(Self.resumed)
        case .deletionRequested: .only(Self.deletionRequested)
        case .personalDataErased: .only(Self.personalDataErased)
        case .deleted: .only(Self.deleted)
        }
    }
}
