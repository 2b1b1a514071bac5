internal import Commands
internal import HTTPTypes
internal import Kernel

/// What an instance can be asked to become, by its own id or by that of the subscription that pays for it.
extension API {
    var transitionRoutes: [Route] {
        [
            transition(
                "/v1/instances/{instance}/stop",
                "stopInstance",
                "Takes an instance out of service and pauses its subscription; its data stays.",
                handler: stopInstance
            ),
            transition(
                "/v1/instances/{instance}/start",
                "startInstance",
                "Puts a stopped instance into service again and resumes its subscription.",
                handler: startInstance
            ),
            transition(
                "/v1/instances/{instance}/terminate",
                "terminateInstance",
                "Ends an instance: saves its data, cancels its subscription, and drops its database after a while.",
                handler: terminateInstance
            ),
            transition(
                "/v1/subscriptions/{subscription}/pause",
                "pauseSubscription",
                "Pauses a subscription and takes its instance out of service.",
                handler: pauseSubscription
            ),
            transition(
                "/v1/subscriptions/{subscription}/resume",
                "resumeSubscription",
                "Resumes a subscription and puts its instance into service again.",
                handler: resumeSubscription
            ),
            Route(
                .post,
                "/v1/subscriptions/{subscription}/cancel",
                "cancelSubscription",
                "Cancels a subscription and terminates its instance, when what is paid for has ended or at once.",
                access: .scope(.write),
                body: CancellationBody.self,
                success: .init(.accepted, .named("Started")),
                handler: cancelSubscription
            ),
            Route(
                .delete,
                "/v1/organizations/{organization}",
                "deleteOrganization",
                "Ends an organization with its instances, its keys and what is personal in it; there is no way back.",
                access: .scope(.write),
                success: .init(.accepted, .named("Started")),
                handler: deleteOrganization
            ),
        ]
    }

    private func transition(
        _ path: String,
        _ name: String,
        _ summary: String,
        handler: @escaping @Sendable (Call, EmptyBody) async throws(Problem) -> Answer
    ) -> Route {
        Route(
            .post,
            path,
            name,
            summary,
            access: .scope(.write),
            body: EmptyBody.self,
            success: .init(.accepted, .named("Started")),
            handler: handler
        )
    }

    private func stopInstance(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let id: InstanceID = try call.id("instance")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.stopInstance(id, envelope)
        }
    }

    private func startInstance(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let id: InstanceID = try call.id("instance")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.startInstance(id, envelope)
        }
    }

    private func terminateInstance(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let id: InstanceID = try call.id("instance")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.terminateInstance(id, envelope)
        }
    }

    private func cancelSubscription(_ call: Call, _ body: CancellationBody) async throws(Problem) -> Answer {
        let id: SubscriptionID = try call.id("subscription")
        let envelope = try envelope(call)
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.cancelSubscription(id, body.immediately ?? false, envelope)
        }
    }

    private func deleteOrganization(_ call: Call) async throws(Problem) -> Answer {
        let id: OrganizationID = try call.id("organization")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.deleteOrganization(id, envelope)
        }
    }

    private func pauseSubscription(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let id: SubscriptionID = try call.id("subscription")
        let envelope = try envelope(call)
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.pauseSubscription(id, envelope)
        }
    }

    private func resumeSubscription(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let id: SubscriptionID = try call.id("subscription")
        let envelope = try envelope(call)
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.resumeSubscription(id, envelope)
        }
    }

    /// The answer to a command that started an operation and made nothing new.
    func started(
        _ call: Call,
        _ command: () async throws(CommandError) -> Receipt<OperationStarted>
    ) async throws(Problem) -> Answer {
        let receipt = try await give(command)
        let operation = receipt.answer.operation
        return try await accepted(call, operation: operation, receipt) { status in
            ["operation": ["id": .string(operation.description), "status": .string(status)]]
        }
    }
}

struct CancellationBody: RequestBody {
    /// Instead of when what is paid for has ended.
    var immediately: Bool?

    static let schema = Schema.object([.init("immediately", .boolean, required: false)])
}
