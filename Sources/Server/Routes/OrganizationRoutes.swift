internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Projections

/// Organizations and who belongs to them.
extension API {
    var organizationRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations",
                "listOrganizations",
                "The organizations that the caller belongs to, oldest first.",
                access: .scope(.read),
                parameters: Route.Parameter.list + Route.Parameter.past,
                success: .init(.ok, .named("Organizations")),
                handler: organizations
            ),
            Route(
                .post,
                "/v1/organizations",
                "createOrganization",
                "Makes an organization without an instance.",
                access: .scope(.write),
                body: NewOrganizationBody.self,
                success: .init(.created, .named("NewOrganization")),
                handler: createOrganization
            ),
            Route(
                .get,
                "/v1/organizations/{organization}",
                "showOrganization",
                "One organization, as it is or as it was.",
                access: .scope(.read),
                parameters: [.minimumPosition] + Route.Parameter.past,
                success: .init(.ok, .named("Organization")),
                handler: organization
            ),
            Route(
                .patch,
                "/v1/organizations/{organization}",
                "renameOrganization",
                "Gives an organization another name; If-Match says which version is meant.",
                access: .scope(.write),
                body: RenameBody.self,
                success: .init(.ok, .named("OrganizationName")),
                handler: renameOrganization
            ),
            Route(
                .get,
                "/v1/me/organizations",
                "listMyOrganizations",
                "The organizations that the caller belongs to, oldest first.",
                access: .scope(.read),
                parameters: Route.Parameter.list + Route.Parameter.past,
                success: .init(.ok, .named("Organizations")),
                handler: organizations
            ),
        ]
    }

    private func organizations(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let request = page(call)
        let user: UserID?
        switch try call.caller.kind {
        case .operator, .platformAuditor, .system, .saga: user = nil
        case .user(let id): user = id
        case .organizationKey(_, let organization, _):
            let moment = try call.moment
            let reading = try await read { () throws(ReadError) in
                guard let moment else { return try await backend.reads.organization(organization) }
                return try await backend.reads.organizationThen(organization, moment)
            }
            let one = reading.map { Page(data: $0.map { [$0] } ?? [], next: nil) }
            return try list(one, for: call)
        }
        if let moment = try call.moment {
            // Folding all of them is for those who run the plane, or audit it.
            guard user == nil else { throw .forbidden }
            let found = await backend.reads.organizationsThen(moment, request)
            return try list(try await read { () throws(ReadError) in try found.get() }, for: call)
        }
        let reading = try await read { () throws(ReadError) in try await backend.reads.organizations(user, request) }
        return try list(reading, for: call)
    }

    private func createOrganization(_ call: Call, _ body: NewOrganizationBody) async throws(Problem) -> Answer {
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.createOrganization(body.name, body.slug, envelope)
        }
        let made = receipt.answer
        let document: JSONValue = [
            "id": .string(made.organization.description), "name": .string(body.name), "slug": .string(made.slug),
        ]
        return try .json(
            document,
            status: .created,
            position: receipt.position,
            version: receipt.version,
            headers: [.location: "/v1/organizations/\(made.organization)"]
        )
    }

    private func organization(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        try await catchUp(call)
        let moment = try call.moment
        do {
            try await role(of: call, in: id)
        } catch {
            // Who was a member to its end is told that it is deleted, and nothing else any more.
            guard case .user(let user) = try call.caller.kind, moment == nil,
                try await read({ () throws(ReadError) in try await backend.reads.outlived(id, user) })
            else { throw error }
        }
        let reading = try await read { () throws(ReadError) in
            guard let moment else { return try await backend.reads.organization(id) }
            return try await backend.reads.organizationThen(id, moment)
        }
        guard let organization = reading.value else { throw .notFound }
        return try .json(organization, position: reading.position, version: organization.version)
    }

    private func renameOrganization(_ call: Call, _ body: RenameBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call, expecting: try call.requiredVersion())
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.renameOrganization(id, body.name, envelope)
        }
        let document: JSONValue = ["id": .string(id.description), "name": .string(body.name)]
        return try .json(document, position: receipt.position, version: receipt.version)
    }
}

struct NewOrganizationBody: RequestBody {
    var name: String
    var slug: String

    static let schema = Schema.object([.init("name", .name), .init("slug", .slug)])
}

struct RenameBody: RequestBody {
    var name: String

    static let schema = Schema.object([.init("name", .name)])
}
