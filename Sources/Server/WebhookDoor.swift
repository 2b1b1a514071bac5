package import Commands
package import Kernel

/// Telling somebody outside of what happens.
package struct WebhookDoor: Sendable {
    package typealias Made = Result<Receipt<WebhookSecret>, CommandError>
    package typealias Changed = Result<Receipt<Done>, CommandError>

    /// One delivery as it is shown.
    package struct Delivery: Encodable, Sendable {
        package var id: UniqueID
        package var position: Int64
        package var type: String
        package var status: String
        package var attempts: Int
        package var nextAttemptAt: Timestamp?
        package var answered: Int?
        package var problem: String?
        package var triedAt: Timestamp?
        package var endedAt: Timestamp?

        package init(
            id: UniqueID,
            position: Int64,
            type: String,
            status: String,
            attempts: Int,
            nextAttemptAt: Timestamp?,
            answered: Int?,
            problem: String?,
            triedAt: Timestamp?,
            endedAt: Timestamp?
        ) {
            (self.id, self.position, self.type, self.status) = (id, position, type, status)
            (self.attempts, self.nextAttemptAt, self.answered) = (attempts, nextAttemptAt, answered)
            (self.problem, self.triedAt, self.endedAt) = (problem, triedAt, endedAt)
        }

        private enum CodingKeys: CodingKey {
            case id, position, type, status, attempts, nextAttemptAt, answered, problem, triedAt, endedAt
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id, forKey: .id)
            try container.encode(position, forKey: .position)
            try container.encode(type, forKey: .type)
            try container.encode(status, forKey: .status)
            try container.encode(attempts, forKey: .attempts)
            try container.encode(nextAttemptAt, forKey: .nextAttemptAt)
            try container.encode(answered, forKey: .answered)
            try container.encode(problem, forKey: .problem)
            try container.encode(triedAt, forKey: .triedAt)
            try container.encode(endedAt, forKey: .endedAt)
        }
    }

    /// A webhook that was disabled after what it was told last did not get there.
    package struct GivenUp: Sendable {
        package var id: UniqueID
        package var organization: OrganizationID
        /// Of the event that it could not be told of.
        package var position: Int64
        package var problem: String

        package init(id: UniqueID, organization: OrganizationID, position: Int64, problem: String) {
            (self.id, self.organization, self.position, self.problem) = (id, organization, position, problem)
        }
    }

    /// The organization, the address, the types.
    package var register: @Sendable (OrganizationID, String, [String], CommandEnvelope) async -> Made =
        { _, _, _, _ in .failure(.unavailable) }
    package var rotate: @Sendable (OrganizationID, UniqueID, CommandEnvelope) async -> Made =
        { _, _, _ in .failure(.unavailable) }
    package var enable: @Sendable (OrganizationID, UniqueID, CommandEnvelope) async -> Changed =
        { _, _, _ in .failure(.unavailable) }
    package var disable: @Sendable (OrganizationID, UniqueID, String, CommandEnvelope) async -> Changed =
        { _, _, _, _ in .failure(.unavailable) }
    package var remove: @Sendable (OrganizationID, UniqueID, CommandEnvelope) async -> Changed =
        { _, _, _ in .failure(.unavailable) }
    package var list: @Sendable (OrganizationID) async -> Result<[WebhookShown], CommandError> =
        { _ in .failure(.unavailable) }
    /// Whether a principal may change a webhook.
    package var require: @Sendable (OrganizationID, UniqueID, Principal) async -> Result<Void, CommandError> =
        { _, _, _ in .failure(.unavailable) }
    /// Of a webhook, before a position, newest first; `nil` when they cannot be had.
    package var deliveries: @Sendable (UniqueID, Int64?, Int) async -> [Delivery]? = { _, _, _ in nil }
    /// Whether there was such a delivery; `nil` when it cannot be said.
    package var redeliver: @Sendable (UniqueID, UniqueID) async -> Bool? = { _, _ in nil }

    /// Those that were given up, after one of them, by id; `nil` when they cannot be had.
    package var givenUp: @Sendable (UniqueID?, Int) async -> [GivenUp]? = { _, _ in nil }

    package init() {}

    /// Webhooks as the desk takes them; deliveries are still to be set.
    package init(_ desk: CommandDesk) {
        register = { organization, url, types, envelope in
            do throws(CommandError) {
                return .success(try await desk.registerWebhook(of: organization, url: url, types: types, by: envelope))
            } catch { return .failure(error) }
        }
        rotate = { organization, webhook, envelope in
            do throws(CommandError) {
                return .success(try await desk.rotateWebhookSecret(webhook, of: organization, by: envelope))
            } catch { return .failure(error) }
        }
        enable = { organization, webhook, envelope in
            do throws(CommandError) {
                return .success(try await desk.enableWebhook(webhook, of: organization, by: envelope))
            } catch { return .failure(error) }
        }
        disable = { organization, webhook, reason, envelope in
            do throws(CommandError) {
                let done = try await desk.disableWebhook(webhook, of: organization, because: reason, by: envelope)
                return .success(done)
            } catch { return .failure(error) }
        }
        remove = { organization, webhook, envelope in
            do throws(CommandError) {
                return .success(try await desk.removeWebhook(webhook, of: organization, by: envelope))
            } catch { return .failure(error) }
        }
        list = { organization in
            do throws(CommandError) {
                return .success(try await desk.webhooks(of: organization))
            } catch { return .failure(error) }
        }
        require = { organization, webhook, principal in
            do throws(CommandError) {
                return .success(try await desk.requireWebhook(webhook, of: organization, for: principal))
            } catch { return .failure(error) }
        }
    }
}
