internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// Giving a release to all instances, wave after wave.
extension API {
    var rolloutRoutes: [Route] {
        [
            Route(
                .post,
                "/v1/admin/rollouts",
                "startRollout",
                "Begins to give a release to all instances, wave after wave.",
                access: .operators,
                body: RolloutBody.self,
                success: .init(.accepted, .named("RolloutStarted")),
                handler: startRollout
            ),
            Route(
                .get,
                "/v1/admin/rollouts",
                "listRollouts",
                "Every roll-out, newest first, with how far it is.",
                access: .platform,
                parameters: Route.Parameter.list,
                success: .init(.ok, .named("Rollouts")),
                handler: rollouts
            ),
            Route(
                .get,
                "/v1/admin/rollouts/{rollout}",
                "showRollout",
                "One roll-out, with how far each of its waves is.",
                access: .platform,
                parameters: [.minimumPosition],
                success: .init(.ok, .named("Rollout")),
                handler: rollout
            ),
        ] + RolloutWord.allCases.map(steering)
    }

    private func steering(_ word: RolloutWord) -> Route {
        Route(
            .post,
            "/v1/admin/rollouts/{rollout}/" + word.rawValue,
            word.rawValue + "Rollout",
            word.summary,
            access: .operators,
            body: RolloutReasonBody.self,
            success: .init(.noContent),
            handler: { call, body throws(Problem) in try await self.steer(word, call, body) }
        )
    }

    private func startRollout(_ call: Call, _ body: RolloutBody) async throws(Problem) -> Answer {
        var wish = RolloutWish(version: body.version)
        if let strategy = body.strategy { wish.strategy = strategy }
        if let waves = body.waves { wish.waves = waves }
        if let bake = body.bakeSeconds { wish.bake = bake }
        if let tolerated = body.toleratedFailures { wish.tolerated = Int(tolerated) }
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.startRollout(wish, envelope)
        }
        let made = receipt.answer
        return try await accepted(call, operation: made.operation, receipt) { status in
            [
                "operation": ["id": .string(made.operation.description), "status": .string(status)],
                "rollout": ["id": .string(made.rollout.description)],
            ]
        }
    }

    private func rollouts(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let request = page(call)
        let reading = try await read { () throws(ReadError) in try await backend.reads.rollouts(request) }
        return try list(reading, for: call)
    }

    private func rollout(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let id: RolloutID = try call.id("rollout")
        let reading = try await read { () throws(ReadError) in try await backend.reads.rollout(id) }
        guard let rollout = reading.value else { throw .notFound }
        return try .json(rollout, position: reading.position)
    }

    private func steer(
        _ word: RolloutWord,
        _ call: Call,
        _ body: RolloutReasonBody
    ) async throws(Problem) -> Answer {
        let id: RolloutID = try call.id("rollout")
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.steerRollout(id, word, body.reason, envelope)
        }
        return Answer(.noContent, headers: [.logPosition: String(receipt.position)])
    }
}

extension RolloutWord {
    fileprivate var summary: String {
        switch self {
        case .pause: "Lets no further wave begin until it is resumed."
        case .resume: "Goes on with a roll-out that is paused."
        case .abort: "Begins no further wave; what is under way ends, and nothing is taken back."
        }
    }
}

struct RolloutBody: RequestBody {
    var version: String
    var strategy: ReleaseStrategy?
    var waves: [String]?
    var bakeSeconds: Int64?
    var toleratedFailures: Int64?

    static let schema = Schema.object([
        .init("version", .string(1...128)),
        .init("strategy", .oneOf(ReleaseStrategy.allCases.map(\.rawValue)), required: false),
        .init("waves", .array(.string(1...10, pattern: "^[1-9][0-9]*%?$")), required: false),
        .init("bakeSeconds", .integer(0...604_800), required: false),
        .init("toleratedFailures", .integer(0...1_000_000), required: false),
    ])
}

struct RolloutReasonBody: RequestBody {
    var reason: String

    static let schema = Schema.object([.init("reason", .string(1...500))])
}
