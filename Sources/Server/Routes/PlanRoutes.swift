internal import Commands
internal import HTTPTypes
internal import Kernel

/// Other plans for an instance, by its own id or by that of the subscription that pays for it.
extension API {
    var planRoutes: [Route] {
        [
            planChange(
                "/v1/instances/{instance}/upgrade",
                "upgradeInstance",
                "Gives an instance a larger plan, at once.",
                handler: upgrade
            ),
            planChange(
                "/v1/instances/{instance}/downgrade",
                "downgradeInstance",
                "Gives an instance a smaller plan when the period that is paid for has ended.",
                handler: downgrade
            ),
            planChange(
                "/v1/subscriptions/{subscription}/change-plan",
                "changePlan",
                "Gives a subscription a larger plan at once, or a smaller one when the period has ended.",
                handler: changePlan
            ),
            Route(
                .delete,
                "/v1/instances/{instance}/scheduled-change",
                "cancelScheduledChange",
                "Gives up what was to happen when the period has ended: a smaller plan, or the end.",
                access: .scope(.write),
                success: .init(.noContent),
                handler: cancelScheduledChange
            ),
        ]
    }

    private func planChange(
        _ path: String,
        _ name: String,
        _ summary: String,
        handler: @escaping @Sendable (Call, PlanBody) async throws(Problem) -> Answer
    ) -> Route {
        Route(
            .post,
            path,
            name,
            summary,
            access: .scope(.write),
            body: PlanBody.self,
            success: .init(.accepted, .named("Started")),
            handler: handler
        )
    }

    private func upgrade(_ call: Call, _ body: PlanBody) async throws(Problem) -> Answer {
        try await change(call, body, .up)
    }

    private func downgrade(_ call: Call, _ body: PlanBody) async throws(Problem) -> Answer {
        try await change(call, body, .down)
    }

    private func change(
        _ call: Call,
        _ body: PlanBody,
        _ direction: CommandDesk.Direction
    ) async throws(Problem) -> Answer {
        let id: InstanceID = try call.id("instance")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.changePlan(id, body.priceId, direction, envelope)
        }
    }

    private func changePlan(_ call: Call, _ body: PlanBody) async throws(Problem) -> Answer {
        let id: SubscriptionID = try call.id("subscription")
        let envelope = try envelope(call)
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.changeSubscriptionPlan(id, body.priceId, envelope)
        }
    }

    private func cancelScheduledChange(_ call: Call) async throws(Problem) -> Answer {
        let id: InstanceID = try call.id("instance")
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.cancelScheduledChange(id, envelope)
        }
        return Answer(.noContent, headers: [.logPosition: String(receipt.position)])
    }
}

struct PlanBody: RequestBody {
    var priceId: String

    static let schema = Schema.object([.init("priceId", .string(1...100))])
}
