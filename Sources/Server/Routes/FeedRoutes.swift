internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// What happens to one organization or one instance, as it happens.
extension API {
    var feedRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations/{organization}/stream",
                "followOrganization",
                "The events of an organization as they become durable, as server-sent events; for its owners, admins and "
                    + "auditors. Last-Event-ID goes on after a position.",
                access: .scope(.read),
                success: .init(.ok, .text, type: "text/event-stream"),
                handler: organizationStream
            ),
            Route(
                .get,
                "/v1/instances/{instance}/stream",
                "followInstance",
                "An instance whenever it changes, as server-sent events, until it is terminated.",
                access: .scope(.read),
                success: .init(.ok, .text, type: "text/event-stream"),
                handler: instanceStream
            ),
        ]
    }

    private func organizationStream(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        try await audit(call, id)
        return try await eventStream(call, EventDoor.Wish(organization: id))
    }

    private func instanceStream(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let frontier = try await ask { () throws(EventDoor.Failure) in try await backend.events.frontier() }
        let (first, position) = try await visibleInstance(call)
        let (id, reads, api) = (first.id, backend.reads, self)
        let instance = Followed<InstanceView>(
            name: "instance",
            topics: [
                .stream("\(InstanceEvent.category)-\(id)"),
                .stream("\(SubscriptionEvent.category)-\(first.subscription.id)"),
                .access(first.organizationID),
            ],
            organization: first.organizationID,
            isOver: { $0.status == .terminated },
            read: { position in
                await api.reading(
                    of: id.description,
                    reflecting: position,
                    from: api.instanceViews,
                    [Instances.self, Subscriptions.self]
                ) { () throws(ReadError) in try await reads.instance(id) }
            }
        )
        return Answer(
            body: .events { sink in
                try await follow(
                    instance,
                    for: call,
                    from: Reading(first, at: position),
                    frontier: frontier,
                    into: &sink
                )
            }
        )
    }
}
