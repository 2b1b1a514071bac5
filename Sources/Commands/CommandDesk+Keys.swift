package import Domain
internal import EventStore
package import Kernel

extension CommandDesk {
    /// Makes a key that acts as a person; only that person, or who runs the plane, can.
    ///
    /// The scopes are `*`, or some of `read` and `write`, and never more than the principal has. A key that
    /// was made before, for example to be kept in a file first, can be given.
    package func issueUserKey(
        for user: UserID,
        scopes: Set<String> = ["*"],
        expiresAt: Timestamp? = nil,
        key: IssuedKey? = nil,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<KeyShown> {
        try Self.requireSelf(user, envelope.principal)
        try Self.requireScopes(scopes, within: envelope.principal)
        let issued = key ?? IssuedKey(ids: handler.ids)
        let sealed = try SealedKey(issued, expiresAt: expiresAt, keys: vault.keys)
        let fact = APIKeyIssued(key: issued.id, hash: issued.hash, scopes: scopes.sorted(), expiresAt: expiresAt)
        let stream = Streams.user(user)
        let receipt = try await handler.commit(envelope, knownBy: stream) { () throws(CommandError) in
            let person = try await handler.aggregates.load(User.self, from: stream)
            return try decision(person, .issueKey(fact), answer: sealed, envelope) { .user($0) }
        }
        return try shown(receipt)
    }

    /// Makes a key that acts in one organization with one role, which is never more than the role of who makes it.
    package func issueOrganizationKey(
        for id: OrganizationID,
        role: Role,
        scopes: Set<String> = ["*"],
        expiresAt: Timestamp? = nil,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<KeyShown> {
        try Self.requireScopes(scopes, within: envelope.principal)
        let issued = IssuedKey(ids: handler.ids)
        let sealed = try SealedKey(issued, expiresAt: expiresAt, keys: vault.keys)
        let fact = APIKeyIssued(
            key: issued.id,
            hash: issued.hash,
            scopes: scopes.sorted(),
            role: role,
            expiresAt: expiresAt
        )
        let receipt = try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .administer)
            if let own = Self.role(of: envelope.principal, in: id, organization.model), own != .owner, role == .owner {
                throw .forbidden
            }
            return try decision(organization, .issueKey(fact), answer: sealed, envelope) { .organization($0) }
        }
        return try shown(receipt)
    }

    /// Makes a key of the platform; only who runs the plane can.
    package func issuePlatformKey(
        _ role: PlatformRole,
        scopes: Set<String> = ["*"],
        expiresAt: Timestamp? = nil,
        key: IssuedKey? = nil,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<KeyShown> {
        try Self.requireOperator(envelope.principal)
        try Self.requireScopes(scopes, within: envelope.principal)
        let issued = key ?? IssuedKey(ids: handler.ids)
        let sealed = try SealedKey(issued, expiresAt: expiresAt, keys: vault.keys)
        let fact = PlatformEvent.KeyIssued(
            key: issued.id,
            hash: issued.hash,
            role: role,
            scopes: scopes.sorted(),
            expiresAt: expiresAt
        )
        let receipt = try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
            let platform = try await handler.aggregates.load(PlatformKeys.self, from: Streams.platform)
            return try decision(platform, .issue(fact), answer: sealed, envelope) { .platformKeys($0) }
        }
        return try shown(receipt)
    }

    /// Ends a person's key.
    package func revokeUserKey(
        _ key: KeyID,
        of user: UserID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try Self.requireSelf(user, envelope.principal)
        let stream = Streams.user(user)
        return try await handler.commit(envelope, knownBy: stream) { () throws(CommandError) in
            let person = try await handler.aggregates.load(User.self, from: stream)
            return try decision(person, .revokeKey(key), answer: Done(), envelope) { .user($0) }
        }
    }

    /// Ends a key of an organization.
    package func revokeOrganizationKey(
        _ key: KeyID,
        of id: OrganizationID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .administer)
            return try decision(organization, .revokeKey(key), answer: Done(), envelope) { .organization($0) }
        }
    }

    /// Ends a key of the platform.
    package func revokePlatformKey(
        _ key: KeyID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try Self.requireOperator(envelope.principal)
        return try await handler.commit(envelope, knownBy: nil) { () throws(CommandError) in
            let platform = try await handler.aggregates.load(PlatformKeys.self, from: Streams.platform)
            return try decision(platform, .revoke(key), answer: Done(), envelope) { .platformKeys($0) }
        }
    }

    private func shown(_ receipt: Receipt<SealedKey>) throws(CommandError) -> Receipt<KeyShown> {
        Receipt(
            answer: try receipt.answer.shown(keys: vault.keys),
            position: receipt.position,
            version: receipt.version,
            repeated: receipt.repeated
        )
    }

    /// Lets a person through to what is their own, and who runs the plane to everything.
    static func requireSelf(_ user: UserID, _ principal: Principal) throws(CommandError) {
        switch principal.kind {
        case .user(user), .operator, .system, .saga: break
        case .user: throw .notFound
        case .organizationKey, .platformAuditor: throw .forbidden
        }
        guard principal.has(scope: "write") else { throw .forbidden }
    }

    /// A key never opens more than the one it was made with.
    private static func requireScopes(_ scopes: Set<String>, within principal: Principal) throws(CommandError) {
        guard !scopes.isEmpty, scopes.isSubset(of: ["*", "read", "write"]) else { throw .scopesMalformed }
        guard principal.scopes.contains("*") || scopes.isSubset(of: principal.scopes) else { throw .forbidden }
    }
}
