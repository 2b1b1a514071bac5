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
        let (first, position) = try await visibleInstance(call)
        return Answer(body: .events { sink in try await follow(call, first, at: position, into: &sink) })
    }

    /// Writes the instance whenever it changes, until it is terminated, the reader goes or the server stops.
    @concurrent
    private func follow(
        _ call: Call,
        _ first: InstanceView,
        at position: Int64,
        into sink: inout EventSink
    ) async throws {
        var (instance, position) = (first, position)
        var shown: InstanceView?
        try await sink.retry(milliseconds: 1000)
        switch call.resume {
        case .after(let seen) where seen == position: shown = first
        case .after(let seen) where seen > position: try await sink.send([.reset(to: position)])
        case .start, .after, .unknown: break
        }
        while true {
            if instance != shown {
                try await sink.send([.init(id: position, name: "instance", data: try JSON.encode(instance))])
                shown = instance
            }
            if instance.status == .terminated || stopping || Task.isCancelled { return }
            try await sink.heartbeat(after: settings.heartbeat)
            position = try await progress(
                after: position,
                within: min(settings.heartbeat, .seconds(1)),
                of: [Instances.self, Subscriptions.self]
            )
            // Who has been removed meanwhile is not told any more.
            let (now, reached) = try await visibleInstance(call)
            (instance, position) = (now, max(position, reached))
        }
    }
}
