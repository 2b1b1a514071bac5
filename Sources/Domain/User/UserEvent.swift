internal import Kernel

/// Everything that can have happened to one person who signs in.
package enum UserEvent: EventFamily {
    case registered(Registered)
    case profileUpdated(ProfileUpdated)
    case apiKeyIssued(APIKeyIssued)
    case apiKeyRevoked(APIKeyRevoked)
    case erased(Because)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case registered = "user.registered"
        case profileUpdated = "user.profile-updated"
        case apiKeyIssued = "user.api-key-issued"
        case apiKeyRevoked = "user.api-key-revoked"
        case erased = "user.erased"
    }
}

/// Text that only the holder of a person's key can read: AES-256-GCM, `base64(nonce ‖ ciphertext ‖ tag)`.
///
/// When the key is destroyed the text is gone for everybody, while the event and its proofs stay.
package struct Sealed: Fact {
    /// Whose key opens it, such as `user-42`.
    package var subject: String
    package var box: String
    package init(subject: String, box: String) {
        self.subject = subject
        self.box = box
    }
}

extension UserEvent {
    package struct Registered: Fact {
        /// Who vouches for the identity: an OpenID issuer or `local`.
        package var issuer: String
        /// Hex SHA-256 of issuer and subject; the subject itself is sealed.
        package var subjectHash: String
        package var subject: Sealed?
        package var email: Sealed?
        package var firstName: Sealed?
        package var lastName: Sealed?
        package init(
            issuer: String,
            subjectHash: String,
            subject: Sealed? = nil,
            email: Sealed? = nil,
            firstName: Sealed? = nil,
            lastName: Sealed? = nil
        ) {
            self.issuer = issuer
            self.subjectHash = subjectHash
            self.subject = subject
            self.email = email
            self.firstName = firstName
            self.lastName = lastName
        }
    }

    package struct ProfileUpdated: Fact {
        package var firstName: Sealed?
        package var lastName: Sealed?
        package init(firstName: Sealed? = nil, lastName: Sealed? = nil) {
            self.firstName = firstName
            self.lastName = lastName
        }
    }
}

extension UserEvent {
    package static let category = "user"

    package var name: Name {
        switch self {
        case .registered: .registered
        case .profileUpdated: .profileUpdated
        case .apiKeyIssued: .apiKeyIssued
        case .apiKeyRevoked: .apiKeyRevoked
        case .erased: .erased
        }
    }

    package var fact: any Fact {
        switch self {
        case .registered(let fact): fact
        case .profileUpdated(let fact): fact
        case .apiKeyIssued(let fact): fact
        case .apiKeyRevoked(let fact): fact
        case .erased(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .registered: .only(Self.registered)
        case .profileUpdated: .only(Self.profileUpdated)
        case .apiKeyIssued: .only(Self.apiKeyIssued)
        case .apiKeyRevoked: .only(Self.apiKeyRevoked)
        case .erased: .only(Self.erased)
        }
    }
}
