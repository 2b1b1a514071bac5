package import Domain
package import Kernel

/// The write model of one organization.
package struct Organization: Decider {
    package static let stateVersion: Int16 = 3

    /// Where an organization is in its life.
    package enum Stage: String, Codable, Sendable, CaseIterable {
        case absent, active, suspended, deleting, deleted
    }

    package enum Command: Sendable, Equatable {
        case create(name: String, slug: String, owner: UserID)
        case rename(String)
        case addMember(UserID, Role)
        case changeRole(UserID, Role)
        case removeMember(UserID)
        /// Makes a member owner; the owner named, or every other one, becomes admin.
        case transfer(to: UserID, from: UserID?)
        case invite(OrganizationEvent.InvitationSent)
        case revokeInvitation(UniqueID)
        case acceptInvitation(UniqueID, tokenHash: String, by: UserID, at: Timestamp)
        case issueKey(APIKeyIssued)
        case revokeKey(KeyID)
        case registerWebhook(OrganizationEvent.WebhookRegistered)
        case enableWebhook(UniqueID)
        case disableWebhook(UniqueID, reason: String)
        case rotateWebhookSecret(OrganizationEvent.WebhookSecretRotated)
        case removeWebhook(UniqueID)
        /// Ends every key and every invitation.
        case revokeAllKeys
        case linkBillingCustomer(String)
        case suspend(reason: String)
        case resume(reason: String)
        case requestDeletion(reason: String)
        case markPersonalDataErased
        case markDeleted
    }

    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        case alreadyCreated
        case notCreated
        /// Not 1 to 100 characters, or with control characters in it.
        case nameMalformed
        case suspended
        /// It is being deleted, or is deleted: no new work.
        case deleting
        case alreadyMember
        case notMember
        /// An organization is never without an owner.
        case lastOwner
        /// Only a member can become owner.
        case heirNotMember
        /// Who gives an organization away does not own it.
        case notOwner
        /// There is no such invitation, or it is over, or the token is not its own.
        case unknownInvitation
        case invitationExpired
        case tooManyInvitations
        /// A key of an organization acts with a role.
        case keyWithoutRole
        /// The id is that of another key.
        case keyExists
        case unknownKey
        /// What is called is no address that may be called, or wants no events, or what are none.
        case webhookMalformed
        case unknownWebhook
        case tooManyWebhooks
        /// Billing knows the organization as another customer already.
        case otherBillingCustomer
        /// Only what was asked to be deleted can be.
        case deletionNotRequested
    }

    package private(set) var stage = Stage.absent
    package private(set) var name = ""
    package private(set) var slug = ""
    package private(set) var members: [UserID: Role] = [:]
    /// Billing's id of the customer; kept for ever once it is known.
    package private(set) var billingCustomer: String?
    package private(set) var invitations: [UniqueID: Invitation] = [:]
    package private(set) var webhooks: [UniqueID: Webhook] = [:]
    private var keys = Keys<APIKeyIssued>()
    private var isErased: Bool?

    package init() {}

    package mutating func evolve(_ event: OrganizationEvent) {
        switch event {
        case .created(let fact):
            stage = .active
            (name, slug) = (fact.name, fact.slug)
            members[fact.owner] = .owner
        case .renamed(let fact): name = fact.name
        case .memberAdded(let fact): members[fact.user] = fact.role
        case .memberRoleChanged(let fact): members[fact.user] = fact.role
        case .memberRemoved(let fact): members[fact.user] = nil
        case .invitationSent(let fact):
            invitations[fact.invitation] = Invitation(
                tokenHash: fact.tokenHash,
                role: fact.role,
                expiresAt: fact.expiresAt
            )
        case .invitationAccepted(let fact): members[fact.user] = invitations.removeValue(forKey: fact.invitation)?.role
        case .invitationRevoked(let fact): invitations[fact.invitation] = nil
        case .webhookRegistered(let fact): webhooks[fact.webhook] = Webhook(fact)
        case .webhookEnabled(let fact): webhooks[fact.webhook]?.disabled = nil
        case .webhookDisabled(let fact): webhooks[fact.webhook]?.disabled = fact.reason
        case .webhookSecretRotated: break
        case .webhookRemoved(let fact): webhooks[fact.webhook] = nil
        case .apiKeyIssued(let fact): keys.issued(fact, as: fact.key)
        case .apiKeyRevoked(let fact): keys.revoked(fact.key)
        case .billingCustomerLinked(let fact): billingCustomer = fact.customer
        case .suspended: stage = .suspended
        case .resumed: stage = .active
        case .deletionRequested: stage = .deleting
        case .personalDataErased: isErased = true
        case .deleted: stage = .deleted
        }
    }

    package func decide(_ command: Command) throws(Refusal) -> [OrganizationEvent] {
        switch (command, stage) {
        case (.create(let name, let slug, let owner), .absent):
            guard OrganizationName.accepts(name) else { throw .nameMalformed }
            return [.created(.init(name: name, slug: slug, owner: owner))]
        case (.create, _): throw .alreadyCreated
        case (_, .absent): throw .notCreated

        case (.markDeleted, .deleting): return [.deleted(.init())]
        case (.markDeleted, .deleted): return []
        case (.markDeleted, _): throw .deletionNotRequested
        case (.requestDeletion, .deleting), (.requestDeletion, .deleted): return []
        case (.requestDeletion(let reason), _): return [.deletionRequested(.init(reason: reason))]

        // What takes power away is accepted at any time: a key must be revocable while everything else stands still.
        case (.revokeKey(let key), _): return try revoke(key)
        case (.disableWebhook(let webhook, let reason), _): return try disable(webhook: webhook, because: reason)
        case (.removeWebhook(let webhook), _): return try remove(webhook: webhook)
        case (.revokeInvitation(let invitation), _): return try revoke(invitation: invitation)
        case (.revokeAllKeys, _):
            return keys.allGood.map { .apiKeyRevoked(.init(key: $0)) }
                + invitations.keys.sorted().map { .invitationRevoked(.init(invitation: $0)) }
        case (.markPersonalDataErased, _): return isErased == true ? [] : [.personalDataErased(.init())]
        // A saga records what the world already did.
        case (.linkBillingCustomer(let customer), _): return try link(customer)

        case (_, .deleting), (_, .deleted): throw .deleting
        case (.suspend, .suspended), (.resume, .active): return []
        case (.suspend(let reason), .active): return [.suspended(.init(reason: reason))]
        case (.resume(let reason), .suspended): return [.resumed(.init(reason: reason))]
        case (_, .suspended): throw .suspended

        case (.rename(let name), .active): return try rename(name)
        case (.addMember(let user, let role), .active): return try add(user, role)
        case (.changeRole(let user, let role), .active): return try change(user, role)
        case (.removeMember(let user), .active): return try remove(user)
        case (.transfer(let heir, let owner), .active): return try transfer(to: heir, from: owner)
        case (.invite(let fact), .active): return try invite(fact)
        case (.acceptInvitation(let invitation, let hash, let user, let moment), .active):
            return try accept(invitation, tokenHash: hash, by: user, at: moment)
        case (.registerWebhook(let fact), .active): return try register(fact)
        case (.enableWebhook(let webhook), .active): return try enable(webhook: webhook)
        case (.rotateWebhookSecret(let fact), .active): return try rotate(fact)
        case (.issueKey(let fact), .active): return try issue(fact)
        }
    }
}

extension Organization {
    /// Refuses new work where the organization may not have any.
    package func requireActive() throws(Refusal) {
        switch stage {
        case .absent: throw .notCreated
        case .active: return
        case .suspended: throw .suspended
        case .deleting, .deleted: throw .deleting
        }
    }

    private func rename(_ name: String) throws(Refusal) -> [OrganizationEvent] {
        guard OrganizationName.accepts(name) else { throw .nameMalformed }
        return name == self.name ? [] : [.renamed(.init(name: name))]
    }

    private func issue(_ fact: APIKeyIssued) throws(Refusal) -> [OrganizationEvent] {
        guard fact.role != nil else { throw .keyWithoutRole }
        switch keys.state(of: fact.key) {
        case .none: return [.apiKeyIssued(fact)]
        case .good(fact): return []
        case .good, .revoked: throw .keyExists
        }
    }

    private func revoke(_ key: KeyID) throws(Refusal) -> [OrganizationEvent] {
        switch keys.state(of: key) {
        case .none: throw .unknownKey
        case .good: return [.apiKeyRevoked(.init(key: key))]
        case .revoked: return []
        }
    }

    private func link(_ customer: String) throws(Refusal) -> [OrganizationEvent] {
        switch billingCustomer {
        case nil: return [.billingCustomerLinked(.init(customer: customer))]
        case customer: return []
        default: throw .otherBillingCustomer
        }
    }
}
