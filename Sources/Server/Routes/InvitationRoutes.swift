internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// Asking people to become members: the token is shown once, and who holds it may accept.
extension API {
    var invitationRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations/{organization}/invitations",
                "listInvitations",
                "The invitations of an organization, newest first, without their tokens.",
                access: .scope(.read),
                parameters: Route.Parameter.list,
                success: .init(.ok, .named("Invitations")),
                handler: invitations
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/invitations",
                "invite",
                "Makes an invitation with a role; its token is shown this once, and is good once.",
                access: .scope(.write),
                body: InvitationBody.self,
                success: .init(.created, .named("NewInvitation")),
                handler: invite
            ),
            Route(
                .delete,
                "/v1/organizations/{organization}/invitations/{invitation}",
                "revokeInvitation",
                "Takes an invitation back that nobody has accepted.",
                access: .scope(.write),
                success: .init(.noContent),
                handler: revokeInvitation
            ),
            Route(
                .post,
                "/v1/invitations/{token}/accept",
                "acceptInvitation",
                "Makes the caller, who is a person, a member of the organization that the token is of.",
                access: .scope(.write),
                body: EmptyBody.self,
                success: .init(.ok, .named("Reference")),
                handler: acceptInvitation
            ),
        ]
    }

    private func invitations(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        try await catchUp(call)
        try await audit(call, id)
        let request = page(call)
        let reading = try await read { () throws(ReadError) in try await backend.reads.invitations(id, request) }
        return try list(reading, for: call)
    }

    private func invite(_ call: Call, _ body: InvitationBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call)
        let done = await backend.commands.invite(id, body.role, body.validDays ?? 7, envelope)
        let receipt = try await give { () throws(CommandError) in try done.get() }
        let made = receipt.answer
        let document: JSONValue = [
            "id": .string(made.invitation.description), "token": .string(made.token),
            "role": .string(body.role.rawValue), "expiresAt": .string(made.expiresAt.description),
        ]
        return try .json(
            document,
            status: .created,
            position: receipt.position,
            version: receipt.version,
            headers: [.location: "\(call.path)/\(made.invitation)"]
        )
    }

    private func revokeInvitation(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call)
        let revoked = await backend.commands.revokeInvitation(id, call.parameters["invitation"] ?? "", envelope)
        return try await done { () throws(CommandError) in try revoked.get() }
    }

    private func acceptInvitation(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let token = call.parameters["token"] ?? ""
        let envelope = try envelope(call)
        let done = await backend.commands.acceptInvitation(token, envelope)
        let receipt = try await give { () throws(CommandError) in try done.get() }
        let id = receipt.answer.organization
        return try .json(
            ["id": .string(id.description)] as JSONValue,
            position: receipt.position,
            version: receipt.version,
            headers: [.location: "/v1/organizations/\(id)"]
        )
    }
}

struct InvitationBody: RequestBody {
    var role: Role
    var validDays: Int64?

    static let schema = Schema.object([
        .init("role", .role), .init("validDays", .integer(1...30), required: false),
    ])
}
