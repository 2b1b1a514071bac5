internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// Instances: what the plane keeps in a desired state.
extension API {
    var instanceRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/organizations/{organization}/instances",
                "listInstances",
                "The instances of an organization, oldest first; for auditors also as they were.",
                access: .scope(.read),
                parameters: Route.Parameter.list + Route.Parameter.past,
                success: .init(.ok, .named("Instances")),
                handler: instances
            ),
            Route(
                .post,
                "/v1/organizations/{organization}/instances",
                "requestInstance",
                "Asks for a further instance, with a subscription of its own.",
                access: .scope(.write),
                body: NewInstanceBody.self,
                success: .init(.accepted, .named("NewInstance")),
                handler: requestInstance
            ),
            Route(
                .get,
                "/v1/instances/{instance}",
                "showInstance",
                "One instance, as it is or as it was.",
                access: .scope(.read),
                parameters: [.minimumPosition] + Route.Parameter.past,
                success: .init(.ok, .named("Instance")),
                handler: instance
            ),
            Route(
                .get,
                "/v1/instances/{instance}/history",
                "listInstanceHistory",
                "What happened to an instance, in order.",
                access: .scope(.read),
                parameters: Route.Parameter.list,
                success: .init(.ok, .named("History")),
                handler: history
            ),
            .starting(
                "/v1/instances/{instance}/retry",
                "retryInstance",
                "Tries again to provision an instance whose provisioning failed, as a new generation.",
                handler: retry
            ),
        ]
    }

    private func instances(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        try await catchUp(call)
        let role = try await role(of: call, in: id)
        let request = page(call)
        if let moment = try call.moment {
            // Folding a whole organization is not for everybody.
            guard role.map({ [.owner, .admin, .auditor].contains($0) }) ?? true else { throw .forbidden }
            let found = await backend.reads.instancesThen(id, moment, request)
            return try list(try await read { () throws(ReadError) in try found.get() }, for: call)
        }
        let reading = try await read { () throws(ReadError) in try await backend.reads.instances(id, request) }
        return try list(reading, for: call)
    }

    private func requestInstance(_ call: Call, _ body: NewInstanceBody) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call)
        let receipt = try await give { () throws(CommandError) in
            try await backend.commands.requestInstance(id, body.name, body.priceId, envelope)
        }
        let made = receipt.answer
        return try await accepted(call, operation: made.operation, receipt) { status in
            [
                "operation": ["id": .string(made.operation.description), "status": .string(status)],
                "subscription": ["id": .string(made.subscription.description)],
                "instance": ["id": .string(made.instance.description)],
            ]
        }
    }

    private func instance(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let (instance, position) = try await visibleInstance(call)
        guard let moment = try call.moment else {
            return try .json(instance, position: position, version: instance.version)
        }
        let past = try await read { () throws(ReadError) in try await backend.reads.instanceThen(instance.id, moment) }
        guard let then = past.value else { throw .notFound }
        return try .json(then, position: past.position, version: then.version)
    }

    private func history(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let (instance, _) = try await visibleInstance(call)
        let request = page(call)
        let reading = try await read { () throws(ReadError) in
            try await backend.reads.history(instance.id, request)
        }
        return try list(reading, for: call)
    }

    private func retry(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await startedOnInstance(call, backend.commands.retryInstance)
    }

    /// The instance that the path names, if the caller may see it.
    func visibleInstance(_ call: Call) async throws(Problem) -> (InstanceView, Int64) {
        let id: InstanceID = try call.id("instance")
        let reading = try await read { () throws(ReadError) in try await backend.reads.instance(id) }
        guard let instance = reading.value else { throw .notFound }
        try await role(of: call, in: instance.organizationID)
        return (instance, reading.position)
    }
}

struct NewInstanceBody: RequestBody {
    var name: String
    var priceId: String

    static let schema = Schema.object([
        .init("name", .string(1...16, pattern: "^[a-z][a-z0-9]{0,15}$")),
        .init("priceId", .string(1...100)),
    ])
}

/// A body with nothing in it: `{}`, or none at all.
struct EmptyBody: RequestBody {
    static let schema = Schema.nothing
}
