internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// Who did what, and the databases of tenants, as lists for people.
extension API {
    var auditLogRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations/{organization}/audit-log",
                "listOrganizationAuditLog",
                "Who did what in an organization, newest first; for its owners, admins and auditors.",
                access: .scope(.read),
                parameters: Route.Parameter.list + [Self.actor],
                success: .init(.ok, .named("AuditLog")),
                handler: organizationAuditLog
            ),
            Route(
                .get,
                "/v1/admin/audit-log",
                "listAuditLog",
                "Who did what anywhere, newest first.",
                access: .platform,
                parameters: Route.Parameter.list + [
                    .init("organization", .identifier, "Only what belongs to this organization."), Self.actor,
                ],
                success: .init(.ok, .named("AuditLog")),
                handler: auditLog
            ),
            Route(
                .get,
                "/v1/admin/databases",
                "listDatabases",
                "The databases of tenants, those put aside and dropped too, as they became known.",
                access: .platform,
                parameters: Route.Parameter.list + [
                    .init(
                        "status",
                        .oneOf(DatabaseView.Status.allCases.map(\.rawValue)),
                        "Only those with this status."
                    )
                ],
                success: .init(.ok, .named("Databases")),
                handler: databases
            ),
        ]
    }

    private static let actor = Route.Parameter("actor", .string(1...200), "Only what this principal did.")

    private func organizationAuditLog(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let id: OrganizationID = try call.id("organization")
        let role = try await role(of: call, in: id)
        guard role.map({ [.owner, .admin, .auditor].contains($0) }) ?? true else { throw .forbidden }
        return try await auditLog(call, of: id)
    }

    private func auditLog(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        return try await auditLog(call, of: call.query["organization"].flatMap { OrganizationID($0) })
    }

    private func auditLog(_ call: Call, of organization: OrganizationID?) async throws(Problem) -> Answer {
        let (actor, request) = (call.query["actor"], page(call))
        let reading = try await read { () throws(ReadError) in
            try await backend.reads.auditLog(organization, actor, request)
        }
        return try list(reading, for: call)
    }

    private func databases(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let status = call.query["status"].flatMap { DatabaseView.Status(rawValue: $0) }
        let request = page(call)
        let reading = try await read { () throws(ReadError) in try await backend.reads.databases(status, request) }
        return try list(reading, for: call)
    }
}
