internal import Sagas

extension API {
    /// What is told of who did what, and of the databases of tenants.
    static let auditLogShapes: [String: Schema] = [
        "Refusal": .object([
            .init("at", .time), .init("principal", .text), .init("organizationId", .nullable(.identifier)),
            .init("action", .text), .init("problem", .text), .init("requestId", .text),
        ]),
        "Refusals": page("Refusal"),
        "AuditLog": page("AuditEntry"),
        "AuditEntry": .object([
            .init("position", .position), .init("at", .time), .init("actor", .text), .init("action", .text),
            .init("resource", .text), .init("organizationId", .nullable(.identifier)), .init("commandId", .uuid),
            .init("correlationId", .uuid),
        ]),
        "InstanceChecks": .object([
            .init("status", checkStatus), .init("at", .time), .init("data", .array(.named("InstanceCheck"))),
        ]),
        "InstanceCheck": .object([
            .init("name", .text), .init("status", checkStatus), .init("detail", .text, required: false),
            .init("milliseconds", .position),
        ]),
        "Databases": page("Database"),
        "Database": .object([
            .init("name", .text), .init("role", .text), .init("status", .oneOf(["present", "quarantined", "dropped"])),
            .init("organizationId", .nullable(.identifier)), .init("instanceId", .identifier),
            .init("generation", .position), .init("renamed", .nullable(.text)),
            .init("droppedAfter", .nullable(.time)), .init("backup", .nullable(backup)),
            .init("position", .position), .init("since", .time), .init("updatedAt", .time),
        ]),
    ]

    private static let checkStatus = Schema.oneOf(InstanceCheck.Status.allCases.map(\.rawValue))

    private static let backup = Schema.object([
        .init("path", .text), .init("size", .position), .init("sha256", .text), .init("at", .time),
    ])
}
