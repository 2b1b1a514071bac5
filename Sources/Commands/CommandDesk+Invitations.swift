package import Domain
internal import EventStore
package import Kernel

/// Asking people to become members.
extension CommandDesk {
    /// Makes an invitation with a role, which is good once and for a while; who holds its token may accept it.
    ///
    /// Only owners invite owners.
    package func invite(
        to id: OrganizationID,
        as role: Role,
        for span: Duration,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<InvitationShown> {
        let expiry = handler.ids.now() + span
        let receipt = try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .administer)
            try Self.requireOwner(envelope.principal, in: id, organization.model, for: [role])
            let token = InvitationToken(organization: id, ids: handler.ids)
            let sealed = try SealedInvitation(token, expiresAt: expiry, keys: vault.keys)
            let fact = OrganizationEvent.InvitationSent(
                invitation: token.invitation,
                tokenHash: token.hash,
                role: role,
                expiresAt: expiry
            )
            return try decision(organization, .invite(fact), answer: sealed, envelope) { .organization($0) }
        }
        return Receipt(
            answer: try receipt.answer.shown(keys: vault.keys),
            position: receipt.position,
            version: receipt.version,
            repeated: receipt.repeated
        )
    }

    /// Takes an invitation back.
    ///
    /// - Throws: ``CommandError``; `notFound` for what cannot be the id of an invitation.
    package func revokeInvitation(
        _ text: String,
        of id: OrganizationID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .administer)
            guard let invitation = UniqueID(text) else { throw .notFound }
            return try decision(organization, .revokeInvitation(invitation), answer: Done(), envelope) {
                .organization($0)
            }
        }
    }

    /// Makes a person a member who holds the token of an invitation.
    ///
    /// - Throws: ``CommandError/notFound`` for a token that opens nothing, whatever is wrong with it.
    package func acceptInvitation(
        _ text: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<InvitationAccepted> {
        guard case .user(let user) = envelope.principal.kind, envelope.principal.has(scope: "write") else {
            throw .forbidden
        }
        return try await handler.commit(envelope, knownBy: Streams.user(user)) { () throws(CommandError) in
            guard let token = InvitationToken(text) else { throw .notFound }
            let id = token.organization
            let organization = try await load(organization: id)
            guard organization.exists else { throw .notFound }
            let person = try await handler.aggregates.load(User.self, from: Streams.user(user))
            guard person.model.stage == .registered else { throw .user(.notRegistered) }
            let command = Organization.Command.acceptInvitation(
                token.invitation,
                tokenHash: token.hash,
                by: user,
                at: handler.ids.now()
            )
            return try decision(organization, command, answer: InvitationAccepted(organization: id), envelope) {
                .organization($0)
            }
        }
    }
}
