/// The shapes that routes answer with, by the names they have in the OpenAPI document.
extension API {
    static let shapes = commonShapes.merging(operatorShapes) { first, _ in first }
        .merging(projectionShapes) { first, _ in first }
        .merging(rolloutShapes) { first, _ in first }
        .merging(auditLogShapes) { first, _ in first }
        .merging(webhookShapes) { first, _ in first }

    private static let commonShapes: [String: Schema] = [
        "Liveness": .object([.init("status", .oneOf(["alive"]))]),
        "Readiness": .object([
            .init("status", .oneOf(["ready", "unready"])),
            .init(
                "checks",
                .array(
                    .object([
                        .init("name", .text), .init("status", .oneOf(["ok", "failed"])),
                        .init("problem", .text, required: false),
                    ])
                ),
                required: false
            ),
        ]),
        "Health": .object([
            .init("status", .oneOf(["healthy", "unhealthy"])), .init("timestamp", .time, required: false),
            .init("error", .text, required: false),
        ]),
        "Reference": .object([.init("id", .identifier)]),
        "OperationReference": .object([.init("id", .uuid), .init("status", .oneOf(operationStates))]),
        "Onboarding": .object([
            .init("operation", .named("OperationReference")),
            .init("organization", .object([.init("id", .identifier), .init("slug", .slug)])),
            .init("subscription", .named("Reference")),
            .init("instance", .named("Reference")),
        ]),
        "SlugAvailability": .object([
            .init("slug", .text), .init("available", .boolean),
            .init("reason", .nullable(.oneOf(["taken", "reserved", "malformed"]))),
        ]),
        "Organization": organization,
        "Organizations": past("Organization"),
        "NewOrganization": .object([.init("id", .identifier), .init("name", .name), .init("slug", .slug)]),
        "OrganizationName": .object([.init("id", .identifier), .init("name", .name)]),
        "Member": .object([
            .init("organizationId", .identifier), .init("userId", .identifier), .init("role", role),
            .init("since", .time),
        ]),
        "Members": page("Member"),
        "MemberRole": .object([
            .init("organizationId", .identifier), .init("userId", .identifier), .init("role", role),
        ]),
        "Invitation": .object([
            .init("id", .uuid), .init("organizationId", .identifier), .init("role", role),
            .init("status", .oneOf(["open", "accepted", "revoked"])), .init("sentAt", .time), .init("expiresAt", .time),
            .init("userId", .nullable(.identifier)), .init("position", .position),
        ]),
        "Invitations": page("Invitation"),
        "NewInvitation": .object([
            .init("id", .uuid), .init("token", .string(1...300, pattern: "^sbi_[0-9]+_.+$")), .init("role", role),
            .init("expiresAt", .time),
        ]),
        "Profile": .object([
            .init("firstName", .nullable(.text)), .init("lastName", .nullable(.text)), .init("email", .nullable(.text)),
        ]),
        "Session": .object([
            .init("authenticated", .boolean), .init("userId", .nullable(.identifier)),
            .init("csrfToken", .nullable(.text)), .init("endsAt", .nullable(.time)),
        ]),
        "Caller": .object([
            .init("kind", .oneOf(["user", "organization-key", "operator", "platform-auditor"])),
            .init("id", .identifier), .init("actor", .text), .init("scopes", .array(.text)),
            .init("organizationId", .identifier, required: false), .init("role", role, required: false),
            .init("profile", .named("Profile"), required: false),
        ]),
        "Key": .object([
            .init("id", .identifier), .init("scopes", .array(.text)), .init("role", .nullable(role)),
            .init("issuedAt", .time), .init("expiresAt", .nullable(.time)), .init("revokedAt", .nullable(.time)),
            .init("lastUsedAt", .nullable(.time)),
        ]),
        "Keys": page("Key"),
        "NewKey": .object([
            .init("id", .identifier), .init("key", .string(1...300, pattern: "^sbx_[0-9]+_.+$")),
            .init("scopes", .array(.text)), .init("expiresAt", .nullable(.time)),
        ]),
        "Instance": instance,
        "Instances": past("Instance"),
        "NewInstance": .object([
            .init("operation", .named("OperationReference")), .init("subscription", .named("Reference")),
            .init("instance", .named("Reference")),
        ]),
        "Started": .object([.init("operation", .named("OperationReference"))]),
        "HistoryEntry": .object([
            .init("instanceId", .identifier), .init("position", .position), .init("version", .position),
            .init("type", .text), .init("at", .time), .init("actor", .text), .init("data", .anything),
        ]),
        "History": page("HistoryEntry"),
        "Subscription": subscription,
        "Operation": operation,
        "Operations": page("Operation"),
        "Event": event,
        "Events": .object([
            .init("data", .array(.named("Event"))), .init("next", .nullable(.text)),
            .init("resume", .text, required: false),
        ]),
        "VerifierKey": .object([
            .init("vkey", .text), .init("epoch", .position), .init("firstSize", .position),
            .init("lastSize", .position), .init("current", .boolean),
        ]),
        "VerifierKeys": page("VerifierKey"),
        "StreamState": .object([
            .init("stream", .text), .init("version", .position), .init("position", .position),
            .init("recordedAt", .time), .init("state", .anything),
        ]),
        "StreamDifference": .object([
            .init("stream", .text), .init("from", .position), .init("to", .position),
            .init(
                "changes",
                .array(
                    .object([
                        .init("path", .text), .init("before", .json, required: false),
                        .init("after", .json, required: false),
                    ])
                )
            ),
        ]),
        "Erasure": .object([.init("erased", .array(.text)), .init("before", .array(.text))]),
        "Resources": .object([.init("cpu", .position), .init("memory", .position), .init("priority", .position)]),
        "Plan": plan,
        "Plans": page("Plan"),
        "PriceSnapshot": .object(money + [.init("code", .text)]),
        "Price": .object(
            money + [
                .init("id", .text), .init("code", .text), .init("plan", .named("Plan")), .init("computeEngine", .text),
            ]
        ),
        "Prices": page("Price"),
        "Projection": .object([
            .init("name", .text), .init("shape", .position), .init("build", .position), .init("live", .boolean),
            .init("position", .position), .init("lag", .position), .init("lagSeconds", .number),
            .init("blocked", .position), .init("blockedOrganizations", .array(.named("BlockedOrganization"))),
            .init(
                "slices",
                .array(
                    .object([.init("slice", .position), .init("position", .position), .init("lag", .position)])
                )
            ),
        ]),
        "Projections": page("Projection"),
        "BlockedOrganization": .object([
            .init("organizationId", .nullable(.identifier)), .init("position", .position),
            .init("error", .text, required: false),
        ]),
        "Releases": page("Release"),
        "Release": .object([
            .init("application", .text), .init("version", .text), .init("image", .text),
            .init("digest", .nullable(.text)), .init("status", .text), .init("minimumTier", .text),
            .init("breaking", .boolean), .init("notes", .nullable(.text)), .init("default", .boolean),
            .init("registeredAt", .time),
        ]),
    ]

    static func page(_ element: String) -> Schema { .object(pageMembers(element)) }

    /// A list that can be had as it was once; then it says whose elements are not what they should be.
    static func past(_ element: String) -> Schema {
        .object(
            pageMembers(element) + [.init("blocked", .array(.named("BlockedOrganization")), required: false)]
        )
    }

    private static func pageMembers(_ element: String) -> [Schema.Member] {
        [.init("data", .array(.named(element))), .init("next", .nullable(.text))]
    }

    private static let role = Schema.oneOf(["owner", "admin", "developer", "viewer", "auditor"])

    private static let money: [Schema.Member] = [
        .init("currency", .string(3...3)), .init("amount", .integer(0...Int64.max)), .init("interval", .text),
    ]

    private static let organization = Schema.object([
        .init("id", .identifier), .init("name", .name), .init("slug", .slug),
        .init("status", .oneOf(["active", "suspended", "deleting", "deleted"])),
        .init("createdAt", .time), .init("updatedAt", .time), .init("version", .position),
    ])

    private static let plan = Schema.object([
        .init("tier", .oneOf(["FREE_TRIAL", "STARTER", "PRO", "TEAM", "ENTERPRISE"])),
        .init("rank", .position, required: false),
        .init("resources", .named("Resources")),
        .init("entitlements", .anything),
        .init("quotas", .anything, required: false),
        .init("update", .anything, required: false),
    ])

    private static let instance = Schema.object([
        .init("id", .identifier), .init("organizationId", .identifier), .init("name", .text), .init("kind", .text),
        .init(
            "status",
            .oneOf([
                "provisioning", "provisioning-failed", "running", "changing", "stopping", "stopped", "starting",
                "terminating", "terminated",
            ])
        ),
        .init("plan", .named("Plan")), .init("release", .anything), .init("desiredRelease", .text),
        .init("computeEngine", .text),
        .init("subscription", .object([.init("id", .identifier), .init("status", subscriptionStatus)])),
        .init("generation", .position), .init("launchUrl", .nullable(.text)),
        .init("conditions", .array(.anything)), .init("slots", .array(.anything)),
        .init("lastError", .nullable(.anything)), .init("createdAt", .time), .init("updatedAt", .time),
        .init("version", .position),
    ])

    private static let subscriptionStatus = Schema.oneOf([
        "requested", "draft", "active", "paused", "cancelled", "ended", "abandoned",
    ])

    private static let subscription = Schema.object([
        .init("id", .identifier), .init("organizationId", .identifier), .init("instanceId", .identifier),
        .init("status", subscriptionStatus), .init("price", .named("PriceSnapshot")), .init("plan", .named("Plan")),
        .init("pendingChange", .nullable(.anything)), .init("anchor", .nullable(.time)),
        .init("endsAt", .nullable(.time)), .init("createdAt", .time), .init("updatedAt", .time),
        .init("version", .position),
    ])

    private static let operation = Schema.object([
        .init("id", .uuid), .init("kind", .text), .init("status", .oneOf(operationStates)), .init("subject", .text),
        .init("organizationId", .nullable(.identifier)), .init("startedAt", .time), .init("endedAt", .nullable(.time)),
        .init(
            "steps",
            .array(
                .object([
                    .init("id", .text), .init("status", .text), .init("attempts", .position),
                    .init("startedAt", .nullable(.time)), .init("endedAt", .nullable(.time)),
                    .init("error", .nullable(.anything)), .init("condition", .nullable(.text)),
                ])
            )
        ),
        .init("nextActionAt", .nullable(.time)), .init("problem", .nullable(.anything)),
        .init("position", .position), .init("compensating", .boolean),
    ])

    private static let event = Schema.object([
        .init("position", .position), .init("id", .uuid), .init("stream", .text), .init("version", .position),
        .init("type", .text), .init("schemaVersion", .position), .init("recordedAt", .time),
        .init("organizationId", .nullable(.identifier)), .init("actor", .text), .init("commandId", .uuid),
        .init("causationId", .nullable(.uuid)), .init("correlationId", .uuid), .init("data", .anything),
        .init("metadata", .anything),
    ])
}
