package import Kernel

extension OrganizationEvent {
    /// Somebody outside wants to be told of what happens.
    package struct WebhookRegistered: Fact {
        package var webhook: UniqueID
        /// What is called.
        package var url: String
        /// The types of events that are told, or `*` for all.
        package var types: [String]
        /// What the calls are signed with; the organization's key opens it.
        package var secret: Sealed
        package init(webhook: UniqueID, url: String, types: [String], secret: Sealed) {
            self.webhook = webhook
            self.url = url
            self.types = types
            self.secret = secret
        }
    }

    package struct WebhookNamed: Fact {
        package var webhook: UniqueID
        package init(webhook: UniqueID) { self.webhook = webhook }
    }

    package struct WebhookDisabled: Fact {
        package var webhook: UniqueID
        package var reason: String
        package init(webhook: UniqueID, reason: String) {
            self.webhook = webhook
            self.reason = reason
        }
    }

    /// Calls are signed with another secret, and for a day with the one before too.
    package struct WebhookSecretRotated: Fact {
        package var webhook: UniqueID
        package var secret: Sealed
        package init(webhook: UniqueID, secret: Sealed) {
            self.webhook = webhook
            self.secret = secret
        }
    }
}
