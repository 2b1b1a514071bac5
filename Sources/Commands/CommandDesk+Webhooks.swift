package import Domain
internal import EventStore
internal import FoundationEssentials
package import Kernel

/// A webhook as those are shown it who may have it: without its secret.
package struct WebhookShown: Sendable, Equatable {
    package var id: UniqueID
    package var webhook: Organization.Webhook
}

/// A webhook that was registered, or got another secret: the secret is shown this once.
package struct WebhookSecret: Codable, Sendable, Equatable {
    package var webhook: UniqueID
    /// `whsec_…`, as Standard Webhooks has it.
    package var secret: String
}

/// What the log remembers of the command: the secret is sealed, so the table gives it to nobody.
struct SealedWebhook: Codable, Sendable {
    var webhook: UniqueID
    var secret: Sealed
}

/// Telling somebody outside of what happens.
extension CommandDesk {
    /// Has an address called for every event of some types from now on.
    ///
    /// - Returns: The webhook, with its secret.
    /// - Throws: ``CommandError``.
    package func registerWebhook(
        of id: OrganizationID,
        url: String,
        types: [String],
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<WebhookSecret> {
        // Before anything is made for it.
        _ = try await organization(id, for: envelope.principal, to: .administer)
        guard let address = WebAddress(url), address.isSecure || settings.allowsPlainWebhooks else {
            throw .organization(.webhookMalformed)
        }
        let webhook = handler.ids.unique()
        let secret = try await newWebhookSecret(of: id)
        let fact = OrganizationEvent.WebhookRegistered(
            webhook: webhook,
            url: address.text,
            types: Set(types).sorted(),
            secret: secret
        )
        return try await commit(.registerWebhook(fact), webhook, secret, id, envelope)
    }

    /// Has calls signed with another secret, and for a day with the one before too.
    ///
    /// - Returns: The new secret.
    /// - Throws: ``CommandError``.
    package func rotateWebhookSecret(
        _ webhook: UniqueID,
        of id: OrganizationID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<WebhookSecret> {
        _ = try await organization(id, for: envelope.principal, to: .administer)
        let secret = try await newWebhookSecret(of: id)
        let command = Organization.Command.rotateWebhookSecret(.init(webhook: webhook, secret: secret))
        return try await commit(command, webhook, secret, id, envelope)
    }

    /// Has a webhook called again that was not; what happened meanwhile is not told.
    package func enableWebhook(
        _ webhook: UniqueID,
        of id: OrganizationID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await change(.enableWebhook(webhook), id, envelope)
    }

    /// Has a webhook not called any more.
    package func disableWebhook(
        _ webhook: UniqueID,
        of id: OrganizationID,
        because reason: String,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await change(.disableWebhook(webhook, reason: reason), id, envelope)
    }

    /// Forgets a webhook, and with it what it was told.
    package func removeWebhook(
        _ webhook: UniqueID,
        of id: OrganizationID,
        by envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await change(.removeWebhook(webhook), id, envelope)
    }

    /// The webhooks of an organization, in the order of their ids; who may see them was asked before.
    ///
    /// - Throws: ``CommandError``.
    package func webhooks(of id: OrganizationID) async throws(CommandError) -> [WebhookShown] {
        let organization = try await load(organization: id)
        return organization.model.webhooks.sorted { $0.key < $1.key }.map {
            WebhookShown(id: $0.key, webhook: $0.value)
        }
    }

    /// Lets only those through who may change a webhook that there is.
    ///
    /// - Throws: ``CommandError``.
    package func requireWebhook(
        _ webhook: UniqueID,
        of id: OrganizationID,
        for principal: Principal
    ) async throws(CommandError) {
        let organization = try await organization(id, for: principal, to: .administer)
        guard organization.model.webhooks[webhook] != nil else { throw .organization(.unknownWebhook) }
    }

    private func change(
        _ command: Organization.Command,
        _ id: OrganizationID,
        _ envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<Done> {
        try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .administer)
            return try decision(organization, command, answer: Done(), envelope) { .organization($0) }
        }
    }

    private func commit(
        _ command: Organization.Command,
        _ webhook: UniqueID,
        _ secret: Sealed,
        _ id: OrganizationID,
        _ envelope: CommandEnvelope
    ) async throws(CommandError) -> Receipt<WebhookSecret> {
        let answer = SealedWebhook(webhook: webhook, secret: secret)
        let receipt = try await handler.commit(envelope, knownBy: Streams.organization(id)) { () throws(CommandError) in
            let organization = try await organization(id, for: envelope.principal, to: .administer)
            return try decision(organization, command, answer: answer, envelope) { .organization($0) }
        }
        // A repeat is answered with what was made the first time.
        guard let text = try await webhookSecret(receipt.answer.secret) else { throw .notFound }
        return Receipt(
            answer: WebhookSecret(webhook: receipt.answer.webhook, secret: text),
            position: receipt.position,
            version: receipt.version,
            repeated: receipt.repeated
        )
    }

    /// 256 random bits, sealed for the organization: they go when it is erased.
    private func newWebhookSecret(of id: OrganizationID) async throws(CommandError) -> Sealed {
        let bytes = (0..<4).flatMap { _ in handler.ids.random().bigEndianBytes }
        do throws(Vault.Problem) {
            return try await vault.seal(
                "whsec_" + Data(bytes).base64EncodedString(),
                for: Streams.organization(id).text
            )
        } catch {
            switch error {
            case .erased: throw .organization(.deleting)
            case .unavailable: throw .unavailable
            case .keys(let problem): throw .broken("a webhook's secret cannot be sealed: \(problem)")
            }
        }
    }

    /// Opens the secret of a webhook; `nil` once the organization was erased.
    ///
    /// - Throws: ``CommandError``.
    package func webhookSecret(_ secret: Sealed) async throws(CommandError) -> String? {
        do throws(Vault.Problem) {
            return try await vault.open(secret)
        } catch {
            switch error {
            case .erased: return nil
            case .unavailable: throw .unavailable
            case .keys(let problem): throw .broken("a webhook's secret cannot be opened: \(problem)")
            }
        }
    }
}
