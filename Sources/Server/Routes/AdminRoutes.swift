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

    private func releases(_ call: Call) async throws(Problem) -> Answer {
        let reading = try await read { () throws(ReadError) in try await backend.reads.releases() }
        return try .json(Whole(data: reading.value), position: reading.position)
    }
}
