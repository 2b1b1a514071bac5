internal import Kernel

/// Everything that can have happened to the releases of one application.
package enum ReleaseEvent: EventFamily {
    case registered(Registered)
    case defaultSet(DefaultSet)
    case statusChanged(StatusChanged)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case registered = "release.registered"
        case defaultSet = "release.default-set"
        case statusChanged = "release.status-changed"
    }
}

/// How far a release may be trusted.
package enum ReleaseStatus: String, Codable, Sendable, CaseIterable {
    case stable, beta, rc, deprecated, eol
}

extension ReleaseEvent {
    package struct Registered: Fact {
        package var version: String
        package var image: String
        package var digest: String?
        package var status: ReleaseStatus
        package var minimumTier: Tier
        package var breaking: Bool
        package var notes: String?
        package init(
            version: String,
            image: String,
            digest: String? = nil,
            status: ReleaseStatus,
            minimumTier: Tier,
            breaking: Bool,
            notes: String? = nil
        ) {
            self.version = version
            self.image = image
            self.digest = digest
            self.status = status
            self.minimumTier = minimumTier
            self.breaking = breaking
            self.notes = notes
        }
    }

    package struct DefaultSet: Fact {
        package var version: String
        package init(version: String) { self.version = version }
    }

    package struct StatusChanged: Fact {
        package var version: String
        package var status: ReleaseStatus
        package init(version: String, status: ReleaseStatus) {
            self.version = version
            self.status = status
        }
    }
}

extension ReleaseEvent {
    package static let category = "release"

    package var name: Name {
        switch self {
        case .registered: .registered
        case .defaultSet: .defaultSet
        case .statusChanged: .statusChanged
        }
    }

    package var fact: any Fact {
        switch self {
        case .registered(let fact): fact
        case .defaultSet(let fact): fact
        case .statusChanged(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .registered: .only(Self.registered)
        case .defaultSet: .only(Self.defaultSet)
        case .statusChanged: .only(Self.statusChanged)
        }
    }
}
