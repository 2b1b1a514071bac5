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
        var before: Int64?
        if let text = call.query["after"] {
            // The number alone: it means the same in every list, since each shows only what its reader may see.
            guard let number = Int64(text), number > 0 else { throw .badCursor }
            before = number
        }
        guard let slice = await backend.refusals.list(organization, before, call.limit) else {
            throw .unavailable()
        }
        var answer = try Answer.json(RefusalList(data: slice.data, next: slice.next.map(String.init)))
        if let next = slice.next {
            answer.headers[.link] = "<\(call.path)?limit=\(call.limit)&after=\(next)>; rel=\"next\""
        }
        return answer
    }
}

private struct RefusalList: Encodable {
    var data: [RefusalDoor.Entry]
    var next: String?

    private enum CodingKeys: CodingKey {
        case data, next
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(data, forKey: .data)
        try container.encode(next, forKey: .next)
    }
}
