internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel

/// Webhooks: who outside is told of what happens in an organization.
extension API {
    var webhookRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations/{organization}/webhooks",
                "listWebhooks",
                "The webhooks of an organization, without their secrets; for its owners, admins and auditors.",
                access: .scope(.read),
                success: .init(.ok, .named("Webhooks")),
                handler: webhooks
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/webhooks",
                "registerWebhook",
                "Has an address called for every event of some types, or of all; the secret that calls are signed with is "
                    + "shown this once.",
                access: .scope(.write),
                body: WebhookBody.self,
                success: .init(.created, .named("NewWebhook")),
                handler: registerWebhook
            ),
            Route(
                .delete,
                "/v1/organizations/{organization}/webhooks/{webhook}",
                "removeWebhook",
                "Forgets a webhook, with its deliveries.",
                access: .scope(.write),
                success: .init(.noContent),
                handler: removeWebhook
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/webhooks/{webhook}/enable",
                "enableWebhook",
                "Has a webhook called again; what happened while it was disabled is not told.",
                access: .scope(.write),
                body: EmptyBody.self,
                success: .init(.noContent),
                handler: enableWebhook
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/webhooks/{webhook}/disable",
                "disableWebhook",
                "Has a webhook not called any more.",
                access: .scope(.write),
                body: EmptyBody.self,
                success: .init(.noContent),
                handler: disableWebhook
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/webhooks/{webhook}/rotate-secret",
                "rotateWebhookSecret",
                "Gives a webhook another secret, shown this once; for a day calls are signed with both.",
                access: .scope(.write),
                body: EmptyBody.self,
                success: .init(.ok, .named("NewWebhook")),
                handler: rotateSecret
            ),
            Route(
                .get,
                "/v1/organizations/{organization}/webhooks/{webhook}/deliveries",
                "listDeliveries",
                "What a webhook was told, or is to be, newest event first; what has ended is kept for 30 days.",
                access: .scope(.read),
                parameters: [.limit, .after],
                success: .init(.ok, .named("Deliveries")),
                handler: deliveries
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/webhooks/{webhook}/deliveries/{delivery}/redeliver",
                "redeliver",
                "Has a webhook told of an event again, now.",
                access: .scope(.write),
                body: EmptyBody.self,
                success: .init(.accepted, .named("DeliveryReference")),
                handler: redeliver
            ),
        ]
    }

    private func webhooks(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        try await audit(call, id)
        let data = try await known(id).map { shown in
            JSONValue.object([
                "id": .string(shown.id.description), "url": .string(shown.webhook.url),
                "types": .array(shown.webhook.types.map { .string($0) }),
                "enabled": .bool(shown.webhook.disabled == nil),
                "disabledBecause": shown.webhook.disabled.map { .string($0) } ?? .null,
            ])
        }
        return try .json(["data": .array(data), "next": .null] as JSONValue)
    }

    private func known(_ id: OrganizationID) async throws(Problem) -> [WebhookShown] {
        let found = await backend.webhooks.list(id)
        return try await give { () throws(CommandError) in try found.get() }
    }

    private func registerWebhook(_ call: Call, _ body: WebhookBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call)
        let made = await backend.webhooks.register(id, body.url, body.types ?? ["*"], envelope)
        let receipt = try await give { () throws(CommandError) in try made.get() }
        return try shown(receipt, .created, [.location: "\(call.path)/\(receipt.answer.webhook)"])
    }

    private func rotateSecret(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let (id, webhook) = (try call.id("organization") as OrganizationID, try call.unique("webhook"))
        let envelope = try envelope(call)
        let made = await backend.webhooks.rotate(id, webhook, envelope)
        return try shown(try await give { () throws(CommandError) in try made.get() }, .ok, [:])
    }

    private func shown(
        _ receipt: Receipt<WebhookSecret>,
        _ status: HTTPResponse.Status,
        _ headers: HTTPFields
    ) throws(Problem) -> Answer {
        let document: JSONValue = [
            "id": .string(receipt.answer.webhook.description), "secret": .string(receipt.answer.secret),
        ]
        return try .json(
            document,
            status: status,
            position: receipt.position,
            version: receipt.version,
            headers: headers
        )
    }

    private func enableWebhook(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let (id, webhook) = (try call.id("organization") as OrganizationID, try call.unique("webhook"))
        let envelope = try envelope(call)
        let changed = await backend.webhooks.enable(id, webhook, envelope)
        return try await done { () throws(CommandError) in try changed.get() }
    }

    private func disableWebhook(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let (id, webhook) = (try call.id("organization") as OrganizationID, try call.unique("webhook"))
        let envelope = try envelope(call)
        let changed = await backend.webhooks.disable(id, webhook, "asked for", envelope)
        return try await done { () throws(CommandError) in try changed.get() }
    }

    private func removeWebhook(_ call: Call) async throws(Problem) -> Answer {
        let (id, webhook) = (try call.id("organization") as OrganizationID, try call.unique("webhook"))
        let envelope = try envelope(call)
        let changed = await backend.webhooks.remove(id, webhook, envelope)
        return try await done { () throws(CommandError) in try changed.get() }
    }

    private func deliveries(_ call: Call) async throws(Problem) -> Answer {
        let (id, webhook) = (try call.id("organization") as OrganizationID, try call.unique("webhook"))
        try await audit(call, id)
        guard try await known(id).contains(where: { $0.id == webhook }) else { throw .notFound }
        guard let found = await backend.webhooks.deliveries(webhook, try before(call), call.limit + 1) else {
            throw .unavailable()
        }
        let data = Array(found.prefix(call.limit))
        let next = found.count > call.limit ? data.last?.position : nil
        return try list(data, next: next, for: call)
    }

    private func redeliver(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let (id, webhook) = (try call.id("organization") as OrganizationID, try call.unique("webhook"))
        let caller = try call.caller
        let allowed = await backend.webhooks.require(id, webhook, caller)
        try await give { () throws(CommandError) in try allowed.get() }
        let delivery = try call.unique("delivery")
        switch await backend.webhooks.redeliver(webhook, delivery) {
        case nil: throw .unavailable()
        case false: throw .notFound
        case true: return try .json(["id": .string(delivery.description)] as JSONValue, status: .accepted)
        }
    }
}

struct WebhookBody: RequestBody {
    var url: String
    var types: [String]?

    static let schema = Schema.object([
        .init("url", .string(1...1000)), .init("types", .array(.string(1...100)), required: false),
    ])
}

extension API {
    static let webhookShapes: [String: Schema] = [
        "Webhooks": .object([
            .init(
                "data",
                .array(
                    .object([
                        .init("id", .uuid), .init("url", .text), .init("types", .array(.text)),
                        .init("enabled", .boolean), .init("disabledBecause", .nullable(.text)),
                    ])
                )
            ),
            .init("next", .nullable(.text)),
        ]),
        "NewWebhook": .object([
            .init("id", .uuid), .init("secret", .string(1...100, pattern: "^whsec_[A-Za-z0-9+/=]+$")),
        ]),
        "DeliveryReference": .object([.init("id", .uuid)]),
        "Deliveries": .object([
            .init(
                "data",
                .array(
                    .object([
                        .init("id", .uuid), .init("position", .position), .init("type", .text),
                        .init("status", .oneOf(["pending", "delivered", "failed"])), .init("attempts", .position),
                        .init("nextAttemptAt", .nullable(.time)), .init("answered", .nullable(.position)),
                        .init("problem", .nullable(.text)), .init("triedAt", .nullable(.time)),
                        .init("endedAt", .nullable(.time)),
                    ])
                )
            ),
            .init("next", .nullable(.text)),
        ]),
    ]
}
