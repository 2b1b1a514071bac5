package import Domain
package import Kernel

/// The API keys, by their public id: what authentication asks for.
package enum APIKeys: Projection {
    package typealias Row = KeyRecord

    package static let name = "api_keys"
    package static let shape = 1
    package static let reads = Set(
        [OrganizationEvent.Name.apiKeyIssued, .apiKeyRevoked].map(\.rawValue)
            + [UserEvent.Name.apiKeyIssued, .apiKeyRevoked].map(\.rawValue)
            + [PlatformEvent.Name.apiKeyIssued, .apiKeyRevoked].map(\.rawValue)
    )

    package static let secrets: Set<String> = ["hash"]

    package static func key(of entry: Entry) -> String? {
        switch entry.event {
        case .organization(.apiKeyIssued(let fact)), .user(.apiKeyIssued(let fact)): fact.key.description
        case .platform(.apiKeyIssued(let fact)): fact.key.description
        case .organization(.apiKeyRevoked(let fact)), .user(.apiKeyRevoked(let fact)),
            .platform(.apiKeyRevoked(let fact)):
            fact.key.description
        default: nil
        }
    }

    package static func fold(into row: inout KeyRecord?, _ entry: Entry) throws {
        switch entry.event {
        case .organization(.apiKeyIssued(let fact)):
            guard let id = OrganizationID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
            row = KeyRecord(fact, owner: .organization(id), issuedAt: entry.at)
        case .user(.apiKeyIssued(let fact)):
            guard let id = UserID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
            row = KeyRecord(fact, owner: .user(id), issuedAt: entry.at)
        case .platform(.apiKeyIssued(let fact)):
            row = KeyRecord(
                id: fact.key,
                owner: .platform(fact.role),
                hash: fact.hash,
                scopes: fact.scopes,
                issuedAt: entry.at,
                expiresAt: fact.expiresAt
            )
        case .organization(.apiKeyRevoked(let fact)), .user(.apiKeyRevoked(let fact)),
            .platform(.apiKeyRevoked(let fact)):
            guard row != nil else { throw FoldError.missing(key: fact.key.description) }
            row?.revokedAt = entry.at
        default:
            break
        }
    }
}

/// Everything that is known about an API key except the key itself.
package struct KeyRecord: Codable, Equatable, Sendable {
    /// Whom the key acts for.
    package enum Owner: Equatable, Sendable {
        case user(UserID)
        case organization(OrganizationID)
        /// Those who run the plane, or audit it.
        case platform(PlatformRole)
    }

    package var id: KeyID
    package var owner: Owner
    /// Hex SHA-256 of the secret part; it never leaves the process.
    package var hash: String
    package var scopes: [String]
    /// The role it acts with in its organization; absent for a user's key.
    package var role: Role?
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp?
    package var revokedAt: Timestamp?

    package init(
        id: KeyID,
        owner: Owner,
        hash: String,
        scopes: [String],
        role: Role? = nil,
        issuedAt: Timestamp,
        expiresAt: Timestamp? = nil,
        revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.owner = owner
        self.hash = hash
        self.scopes = scopes
        self.role = role
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    init(_ fact: APIKeyIssued, owner: Owner, issuedAt: Timestamp) {
        self.init(
            id: fact.key,
            owner: owner,
            hash: fact.hash,
            scopes: fact.scopes,
            role: fact.role,
            issuedAt: issuedAt,
            expiresAt: fact.expiresAt
        )
    }

    /// Whether the key may be used at a moment.
    package func isGood(at moment: Timestamp) -> Bool {
        revokedAt == nil && (expiresAt.map { moment < $0 } ?? true)
    }

    /// What may be shown of it.
    package var view: KeyView {
        KeyView(
            id: id,
            scopes: scopes,
            role: role,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            revokedAt: revokedAt
        )
    }
}

/// An API key as the API shows it: never its hash.
package struct KeyView: Codable, Equatable, Sendable {
    package var id: KeyID
    package var scopes: [String]
    @Nullable package var role: Role?
    package var issuedAt: Timestamp
    @Nullable package var expiresAt: Timestamp?
    @Nullable package var revokedAt: Timestamp?
    /// To the minute, as far as it is known.
    ///
    /// No event says it: whoever shows the key looks it up.
    @Nullable package var lastUsedAt: Timestamp?

    init(
        id: KeyID,
        scopes: [String],
        role: Role?,
        issuedAt: Timestamp,
        expiresAt: Timestamp?,
        revokedAt: Timestamp?
    ) {
        self.id = id
        self.scopes = scopes
        self.role = role
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = nil
    }
}

extension KeyRecord.Owner: Codable, CustomStringConvertible {
    /// The name of the owner's stream, for example `user-42`, or `platform-operator`: also how it is stored.
    package var description: String {
        switch self {
        case .user(let id): "\(UserEvent.category)-\(id)"
        case .organization(let id): "\(OrganizationEvent.category)-\(id)"
        case .platform(let role): "\(PlatformEvent.category)-\(role.rawValue)"
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let parts = try container.decode(String.self).split(separator: "-", maxSplits: 1)
        if parts.count == 2, parts[0] == UserEvent.category, let id = UserID(parts[1]) {
            self = .user(id)
        } else if parts.count == 2, parts[0] == OrganizationEvent.category, let id = OrganizationID(parts[1]) {
            self = .organization(id)
        } else if parts.count == 2, parts[0] == PlatformEvent.category,
            let role = PlatformRole(rawValue: String(parts[1]))
        {
            self = .platform(role)
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not the owner of a key")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
