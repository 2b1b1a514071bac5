internal import HTTPTypes
internal import Kernel
internal import Projections

/// Subscriptions: what is paid for.
extension API {
    var subscriptionRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/subscriptions/{subscription}",
                "showSubscription",
                "One subscription, as it is or as it was.",
                access: .scope(.read),
                parameters: [.minimumPosition] + Route.Parameter.past,
                success: .init(.ok, .named("Subscription")),
                handler: subscription
            )
        ]
    }

    private func subscription(_ call: Call) async throws(Problem) -> Answer {
        let id: SubscriptionID = try call.id("subscription")
        try await catchUp(call)
        let reading = try await read { () throws(ReadError) in try await backend.reads.subscription(id) }
        guard let subscription = reading.value else { throw .notFound }
        try await role(of: call, in: subscription.organizationID)
        guard let moment = try call.moment else {
            return try .json(subscription, position: reading.position, version: subscription.version)
        }
        let past = try await read { () throws(ReadError) in try await backend.reads.subscriptionThen(id, moment) }
        guard let then = past.value else { throw .notFound }
        return try .json(then, position: past.position, version: then.version)
    }
}
