package import Kernel

/// Everything that can have happened to the keys of those who run the plane; one stream, ``stream``.
package enum PlatformEvent: EventFamily {
    case apiKeyIssued(KeyIssued)
    case apiKeyRevoked(APIKeyRevoked)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case apiKeyIssued = "platform.api-key-issued"
        case apiKeyRevoked = "platform.api-key-revoked"
    }

    /// The one stream these events are in.
    package static let stream = "platform-keys"
}

/// What the holder of a key of the platform may do.
package enum PlatformRole: String, Codable, Sendable, CaseIterable {
    /// Runs the plane: may do everything, and every act of theirs has a reason.
    case `operator`
    /// Reads everything and changes nothing.
    case auditor
}

extension PlatformEvent {
    package struct KeyIssued: Fact {
        package var key: KeyID
        /// Hex SHA-256 of the secret part.
        package var hash: String
        package var role: PlatformRole
        package var scopes: [String]
        package var expiresAt: Timestamp?
        package init(key: KeyID, hash: String, role: PlatformRole, scopes: [String], expiresAt: Timestamp? = nil) {
            self.key = key
            self.hash = hash
            self.role = role
            self.scopes = scopes
            self.expiresAt = expiresAt
        }
    }
}

extension PlatformEvent {
    package static let category = "platform"
    package static let streams = "`\(stream)`"

    package var name: Name {
        switch self {
        case .apiKeyIssued: .apiKeyIssued
        case .apiKeyRevoked: .apiKeyRevoked
        }
    }

    package var fact: any Fact {
        switch self {
        case .apiKeyIssued(let fact): fact
        case .apiKeyRevoked(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .apiKeyIssued: .only(Self.apiKeyIssued)
        case .apiKeyRevoked: .only(Self.apiKeyRevoked)
        }
    }
}
