internal import Domain
internal import Kernel

/// Who outside is told of what happens in an organization.
extension Organization {
    /// Something that is called whenever something happens.
    package struct Webhook: Codable, Equatable, Sendable {
        package var url: String
        package var types: [String]
        /// Why it is not called; `nil` while it is.
        package var disabled: String?

        init(_ fact: OrganizationEvent.WebhookRegistered) {
            (url, types) = (fact.url, fact.types)
        }
    }

    func register(_ fact: OrganizationEvent.WebhookRegistered) throws(Refusal) -> [OrganizationEvent] {
        guard webhooks[fact.webhook] == nil else { return [] }
        guard webhooks.count < Self.mostWebhooks else { throw .tooManyWebhooks }
        guard WebAddress(fact.url) != nil, !fact.types.isEmpty, fact.types.count <= 100,
            Set(fact.types).isSubset(of: Self.types)
        else { throw .webhookMalformed }
        return [.webhookRegistered(fact)]
    }

    func enable(webhook: UniqueID) throws(Refusal) -> [OrganizationEvent] {
        guard let known = webhooks[webhook] else { throw .unknownWebhook }
        return known.disabled == nil ? [] : [.webhookEnabled(.init(webhook: webhook))]
    }

    func disable(webhook: UniqueID, because reason: String) throws(Refusal) -> [OrganizationEvent] {
        guard let known = webhooks[webhook] else { throw .unknownWebhook }
        return known.disabled == nil ? [.webhookDisabled(.init(webhook: webhook, reason: reason))] : []
    }

    func rotate(_ fact: OrganizationEvent.WebhookSecretRotated) throws(Refusal) -> [OrganizationEvent] {
        guard webhooks[fact.webhook] != nil else { throw .unknownWebhook }
        return [.webhookSecretRotated(fact)]
    }

    func remove(webhook: UniqueID) throws(Refusal) -> [OrganizationEvent] {
        guard webhooks[webhook] != nil else { throw .unknownWebhook }
        return [.webhookRemoved(.init(webhook: webhook))]
    }

    /// How many there may be: each of them is a call for every event.
    private static let mostWebhooks = 20

    /// What can be asked for.
    private static let types = Set(
        EventFamilies.all.flatMap { family in names(of: family) } + ["*"]
    )

    private static func names<Family: EventFamily>(of family: Family.Type) -> [String] {
        Family.Name.allCases.map(\.rawValue)
    }
}
