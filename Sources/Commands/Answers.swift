package import Kernel

/// What an onboarding made.
package struct Onboarded: Codable, Sendable, Equatable {
    /// The saga that provisions the instance.
    package var operation: UniqueID
    package var organization: OrganizationID
    package var slug: String
    package var subscription: SubscriptionID
    package var instance: InstanceID
}

/// What creating an organization made.
package struct OrganizationCreated: Codable, Sendable, Equatable {
    package var organization: OrganizationID
    package var slug: String
}

/// What asking for an instance made.
package struct InstanceRequested: Codable, Sendable, Equatable {
    package var operation: UniqueID
    package var subscription: SubscriptionID
    package var instance: InstanceID
}

/// The saga that a command started.
package struct OperationStarted: Codable, Sendable, Equatable {
    package var operation: UniqueID
}

/// What registering a person made.
package struct UserRegistered: Codable, Sendable, Equatable {
    package var user: UserID
}

/// A key, shown this once.
package struct KeyShown: Codable, Sendable, Equatable {
    package var key: KeyID
    /// `sbx_<id>_<secret>`; only its hash is kept in the log.
    package var text: String
    package var expiresAt: Timestamp?
}

/// An invitation, shown this once.
package struct InvitationShown: Codable, Sendable, Equatable {
    package var invitation: UniqueID
    /// `sbi_<organization>_<invitation>_<secret>`; only the hash of the secret is kept in the log.
    package var token: String
    package var expiresAt: Timestamp
}

/// Where somebody has become a member.
package struct InvitationAccepted: Codable, Sendable, Equatable {
    package var organization: OrganizationID
}

/// A command that has nothing to tell but that it was accepted.
package struct Done: Codable, Sendable, Equatable {
    package init() {}
}

/// Whether an organization could have a slug.
package enum SlugAvailability: String, Codable, Sendable, CaseIterable {
    case available, taken, reserved, malformed
}
