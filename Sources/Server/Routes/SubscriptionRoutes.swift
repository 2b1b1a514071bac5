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
                "One subscription.",
                access: .scope(.read),
                parameters: [.minimumPosition],
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
        return try .json(subscription, position: reading.position, version: subscription.version)
    }
}
