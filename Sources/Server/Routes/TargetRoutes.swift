internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Sagas

/// What sagas call, and how it is.
extension API {
    var targetRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/admin/targets",
                "listTargets",
                "What sagas have called, how it is, and how much it takes; ETag is the version for the next deed.",
                access: .platform,
                success: .init(.ok, .named("Targets")),
                handler: targets
            ),
            targetRoute(.open, "Has a target left alone by every saga until it is closed; none uses up an attempt."),
            targetRoute(.close, "Forgets what was wrong with a target, and wakes the sagas that wait for it."),
        ]
    }

    private func targetRoute(_ verb: TargetDoor.Verb, _ summary: String) -> Route {
        Route(
            .post,
            "/v1/admin/targets/{target}/\(verb.rawValue)",
            "\(verb.rawValue)Target",
            summary,
            access: .operators,
            body: TargetDeedBody.self,
            success: .init(.accepted, .named("TargetState")),
            handler: { call, body throws(Problem) in try await self.act(verb, call, body) }
        )
    }

    private func targets(_ call: Call) async throws(Problem) -> Answer {
        let list = try await asked { () throws(SagaOperationError) in try await backend.targets.list() }
        return try .json(list, version: list.version)
    }

    private func act(_ verb: TargetDoor.Verb, _ call: Call, _ body: TargetDeedBody) async throws(Problem) -> Answer {
        let target = call.parameters["target"] ?? ""
        let deed = try deed(of: call, body.reason, body.version)
        switch await backend.targets.act(verb, target, deed) {
        case .success(let done):
            let state: JSONValue = ["name": .string(target), "status": .string(done.status)]
            return try .json(state, status: .accepted, position: done.position, version: done.version)
        case .failure(let error): throw error.problem
        }
    }
}

/// Why, and the version that the list of targets told, as a decimal number; else If-Match says it.
struct TargetDeedBody: RequestBody {
    var reason: String
    var version: String?
    static let schema = Schema.object([
        .init("reason", .string(1...500)),
        .init("version", .string(1...19, pattern: "^(0|[1-9][0-9]{0,18})$"), required: false),
    ])
}
