internal import HTTPTypes
internal import Kernel
package import Sagas

/// What sagas meant to make outside, and what became of it.
extension API {
    var resourceRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/admin/resources",
                "listResources",
                "Everything that was ever intended outside and is not known to be gone, by kind and name.",
                access: .platform,
                parameters: Route.Parameter.list + [
                    .init("kind", .oneOf(Self.resourceKinds), "Only those of this kind."),
                    .init("state", .oneOf(Self.resourceStates), "Only those in this state."),
                    .init("instance", .identifier, "Only those of this instance."),
                    .init("saga", .uuid, "Only those that this saga last meant to do something to."),
                    .init("all", .oneOf(["true", "false"]), "What is gone, too."),
                    .init("orphans", .oneOf(["true", "false"]), "Only those that nobody looks after."),
                ],
                success: .init(.ok, .named("LedgerPage")),
                handler: resources
            )
        ]
    }

    static let resourceKinds = [
        "database", "role", "job", "variable", "route", "subscription", "customer", "oauth-client", "backup",
    ]
    static let resourceStates = ["intended", "present", "deleting", "gone"]

    private func resources(_ call: Call) async throws(Problem) -> Answer {
        let wish = ResourceWish(
            kind: call.query["kind"],
            state: call.query["state"],
            instance: call.query["instance"].map { "instance-\($0)" },
            saga: call.query["saga"],
            all: call.query["all"] == "true",
            orphans: call.query["orphans"] == "true"
        )
        let page = try await asked { () throws(SagaOperationError) in
            try await backend.resources.list(wish, call.query["after"], call.limit)
        }
        return try .json(page)
    }
}

/// Where operators look at the resource ledger.
package struct ResourceDoor: Sendable {
    package typealias Listing = @Sendable (ResourceWish, String?, Int) async throws(SagaOperationError) -> ResourcePage

    package var list: Listing = { _, _, _ throws(SagaOperationError) in throw .unavailable }

    package init() {}

    /// Questions as the ledger answers them.
    package init(_ directory: ResourceDirectory) {
        list = { wish, cursor, limit throws(SagaOperationError) in
            try await directory.list(wish, after: cursor, limit: limit)
        }
    }
}
