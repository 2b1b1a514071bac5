internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// What the people who run the plane look at.
extension API {
    var adminRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/admin/projections",
                "listProjections",
                "How far each read model is.",
                access: .platform,
                success: .init(.ok, .named("Projections")),
                handler: projections
            ),
            Route(
                .post,
                "/v1/admin/organizations/{organization}/suspend",
                "suspendOrganization",
                "Lets an organization have no new work; what it has goes on.",
                access: .operators,
                body: ReasonBody.self,
                success: .init(.noContent),
                handler: suspend
            ),
            Route(
                .post,
                "/v1/admin/organizations/{organization}/resume",
                "resumeOrganization",
                "Lets a suspended organization have new work again.",
                access: .operators,
                body: ReasonBody.self,
                success: .init(.noContent),
                handler: resume
            ),
            Route(
                .get,
                "/v1/admin/projections/{projection}",
                "showProjection",
                "The builds of a read model: how far each slice is, and which organizations an event blocks.",
                access: .platform,
                success: .init(.ok, .named("Projections")),
                handler: projection
            ),
            Route(
                .get,
                "/v1/admin/releases",
                "listReleases",
                "Every release of every application.",
                access: .platform,
                success: .init(.ok, .named("Releases")),
                handler: releases
            ),
        ]
    }

    private func suspend(_ call: Call, _ body: ReasonBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await done { () throws(CommandError) in
            try await backend.commands.suspendOrganization(id, body.reason, envelope)
        }
    }

    private func resume(_ call: Call, _ body: ReasonBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await done { () throws(CommandError) in
            try await backend.commands.resumeOrganization(id, body.reason, envelope)
        }
    }

    private func projections(_ call: Call) async throws(Problem) -> Answer {
        let states = try await read { () throws(ReadError) in try await backend.reads.projections() }
        return try .json(Whole(data: states))
    }

    private func projection(_ call: Call) async throws(Problem) -> Answer {
        let name = call.parameters["projection"] ?? ""
        let states = try await read { () throws(ReadError) in try await backend.reads.projections() }
        let builds = states.filter { $0.name == name }
        guard !builds.isEmpty else { throw .notFound }
        return try .json(Whole(data: builds))
    }

    private func releases(_ call: Call) async throws(Problem) -> Answer {
        let reading = try await read { () throws(ReadError) in try await backend.reads.releases() }
        return try .json(Whole(data: reading.value), position: reading.position)
    }
}

/// Why an operator does something.
struct ReasonBody: RequestBody {
    var reason: String

    static let schema = Schema.object([.init("reason", .string(1...500))])
}
