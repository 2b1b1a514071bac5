package import Kernel

/// Everything that can have happened to the keys of those who run the plane, in one stream, ``stream``, to the signed
/// tree over the log, in another, ``auditStream``, to the breakers of targets, in a third, ``targetStream``, and to the
/// builds of read models, in a fourth, ``projectionStream``.
package enum PlatformEvent: EventFamily {
    case apiKeyIssued(KeyIssued)
    case apiKeyRevoked(APIKeyRevoked)
    case auditEpochStarted(AuditEpochStarted)
    case targetOpened(TargetSwitched)
    case targetClosed(TargetSwitched)
    case projectionOperated(ProjectionOperated)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case apiKeyIssued = "platform.api-key-issued"
        case apiKeyRevoked = "platform.api-key-revoked"
        case auditEpochStarted = "platform.audit-epoch-started"
        case targetOpened = "platform.target-opened"
        case targetClosed = "platform.target-closed"
        case projectionOperated = "platform.projection-operated"
    }

    /// The stream of the events about keys.
    package static let stream = "platform-keys"

    /// The stream of the events about the signed tree.
    package static let auditStream = "platform-audit"

    /// The stream of what operators did to the breakers of targets.
    package static let targetStream = "platform-targets"

    /// The stream of what operators did to the builds of read models.
    package static let projectionStream = "platform-projections"
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
    /// The log lost what had been signed, or was changed, and an operator began to sign it anew.
    package struct AuditEpochStarted: Fact {
        /// The number of the epoch, which is the incarnation of the log.
        package var epoch: Int
        package var reason: String
        /// How many events the last signed checkpoint in the database covered, and the root over them in base64.
        package var knownSize: Int64
        package var knownRoot: String?
        /// The newest checkpoint outside of the database, as it was signed.
        package var keptCheckpoint: String?
        package init(
            epoch: Int,
            reason: String,
            knownSize: Int64,
            knownRoot: String? = nil,
            keptCheckpoint: String? = nil
        ) {
            self.epoch = epoch
            self.reason = reason
            self.knownSize = knownSize
            self.knownRoot = knownRoot
            self.keptCheckpoint = keptCheckpoint
        }
    }
}

extension PlatformEvent {
    /// An operator had a target left alone by all sagas, or asked again.
    package struct TargetSwitched: Fact {
        /// As in `nomad`.
        package var target: String
        package var reason: String
        package init(target: String, reason: String) {
            self.target = target
            self.reason = reason
        }
    }
}

extension PlatformEvent {
    /// An operator had a read model built anew, shown from another build, or go on without an event.
    package struct ProjectionOperated: Fact {
        package var projection: String
        /// As in `rebuild`, `switch` or `skip`.
        package var verb: String
        package var build: Int?
        /// Whose event could not be folded; absent for what belongs to no organization.
        package var organization: OrganizationID?
        /// The event that is passed over from now on.
        package var position: Int64?
        package var reason: String
        package init(
            projection: String,
            verb: String,
            build: Int? = nil,
            organization: OrganizationID? = nil,
            position: Int64? = nil,
            reason: String
        ) {
            self.projection = projection
            self.verb = verb
            self.build = build
            self.organization = organization
            self.position = position
            self.reason = reason
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
        case .auditEpochStarted: .auditEpochStarted
        case .targetOpened: .targetOpened
        case .targetClosed: .targetClosed
        case .projectionOperated: .projectionOperated
        }
    }

    package var fact: any Fact {
        switch self {
        case .apiKeyIssued(let fact): fact
        case .apiKeyRevoked(let fact): fact
        case .auditEpochStarted(let fact): fact
        case .targetOpened(let fact), .targetClosed(let fact): fact
        case .projectionOperated(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .apiKeyIssued: .only(Self.apiKeyIssued)
        case .apiKeyRevoked: .only(Self.apiKeyRevoked)
        case .auditEpochStarted: .only(Self.auditEpochStarted)
        case .targetOpened: .only(Self.targetOpened)
        case .targetClosed: .only(Self.targetClosed)
        case .projectionOperated: .only(Self.projectionOperated)
        }
    }
}
