internal import Domain
internal import HTTPTypes
internal import Kernel

/// What was refused to whom; read beside the audit log, of which it is no part.
extension API {
    var refusalRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations/{organization}/refusals",
                "listOrganizationRefusals",
                "The changes of an organization that were asked for and refused, newest first, for 90 days; for its owners, "
                    + "admins and auditors.",
                access: .scope(.read),
                parameters: [.limit, .after],
                success: .init(.ok, .named("Refusals")),
                handler: organizationRefusals
            ),
            Route(
                .get,
                "/v1/admin/refusals",
                "listRefusals",
                "The changes that were asked for anywhere and refused, newest first, for 90 days.",
                access: .platform,
                parameters: [.limit, .after],
                success: .init(.ok, .named("Refusals")),
                handler: refusals
            ),
        ]
    }

    private func organizationRefusals(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        try await audit(call, id)
        return try await refusals(call, of: id.description)
    }

    private func refusals(_ call: Call) async throws(Problem) -> Answer {
        try await refusals(call, of: nil)
    }

    private func refusals(_ call: Call, of organization: String?) async throws(Problem) -> Answer {
        guard let slice = await backend.refusals.list(organization, try before(call), call.limit) else {
            throw .unavailable()
        }
        return try list(slice.data, next: slice.next, for: call)
    }
}
