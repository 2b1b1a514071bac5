internal import Commands
internal import HTTPTypes
internal import Kernel

/// Other plans for an instance, by its own id or by that of the subscription that pays for it.
extension API {
    var planRoutes: [Route] {
        [
            .starting(
                "/v1/instances/{instance}/upgrade",
                "upgradeInstance",
                "Gives an instance a larger plan, at once.",
                handler: upgrade
            ),
            .starting(
                "/v1/instances/{instance}/downgrade",
                "downgradeInstance",
                "Gives an instance a smaller plan when the period that is paid for has ended.",
                handler: downgrade
            ),
            .starting(
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
        try await startedOnInstance(call) { (id, envelope) throws(CommandError) in
            try await backend.commands.changePlan(id, body.priceId, direction, envelope)
        }
    }

    private func changePlan(_ call: Call, _ body: PlanBody) async throws(Problem) -> Answer {
        try await startedOnSubscription(call) { (id, envelope) throws(CommandError) in
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
