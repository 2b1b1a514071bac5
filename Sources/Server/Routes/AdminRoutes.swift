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
