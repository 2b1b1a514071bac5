internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// Who belongs to an organization, and who owns it.
extension API {
    var memberRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations/{organization}/members",
                "listMembers",
                "Who belongs to an organization, and with which role.",
                access: .scope(.read),
                parameters: Route.Parameter.list,
                success: .init(.ok, .named("Members")),
                handler: members
            ),
            Route(
                .patch,
                "/v1/organizations/{organization}/members/{user}",
                "changeMemberRole",
                "Gives a member another role; only owners decide about owners.",
                access: .scope(.write),
                body: RoleBody.self,
                success: .init(.ok, .named("MemberRole")),
                handler: changeRole
            ),
            Route(
                .delete,
                "/v1/organizations/{organization}/members/{user}",
                "removeMember",
                "Ends somebody's membership; everybody may leave, but never the last owner.",
                access: .scope(.write),
                success: .init(.noContent),
                handler: removeMember
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/transfer",
                "transferOrganization",
                "Makes another member owner; the owner who asks stays as admin.",
                access: .scope(.write),
                body: HeirBody.self,
                success: .init(.noContent),
                handler: transfer
            ),
        ]
    }

    private func members(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        try await catchUp(call)
        try await role(of: call, in: id)
        let request = page(call)
        let reading = try await read { () throws(ReadError) in try await backend.reads.members(id, request) }
        return try list(reading, for: call)
    }

    private func changeRole(_ call: Call, _ body: RoleBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let user: UserID = try call.id("user")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.changeRole(id, user, body.role, envelope)
        }
        let document: JSONValue = [
            "organizationId": .string(id.description), "userId": .string(user.description),
            "role": .string(body.role.rawValue),
        ]
        return try .json(document, position: receipt.position, version: receipt.version)
    }

    private func removeMember(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let user: UserID = try call.id("user")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await done { () throws(CommandError) in
            try await backend.commands.removeMember(id, user, envelope)
        }
    }

    private func transfer(_ call: Call, _ body: HeirBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await done { () throws(CommandError) in
            try await backend.commands.transferOrganization(id, body.userId, envelope)
        }
    }

    /// The answer to a command that has nothing to tell but that it was accepted.
    func done(_ command: () async throws(CommandError) -> Receipt<Done>) async throws(Problem) -> Answer {
        let receipt = try await give(command)
        return Answer(.noContent, headers: [.logPosition: String(receipt.position)])
    }
}

struct RoleBody: RequestBody {
    var role: Role

    static let schema = Schema.object([.init("role", .role)])
}

struct HeirBody: RequestBody {
    var userId: UserID

    static let schema = Schema.object([.init("userId", .identifier)])
}

extension Schema {
    /// What a member may do.
    static let role = Schema.oneOf(Role.allCases.map(\.rawValue))
}
