internal import Commands
internal import HTTPTypes
internal import Kernel

/// What an instance can be asked to become, by its own id or by that of the subscription that pays for it.
extension API {
    var transitionRoutes: [Route] {
        [
            .starting(
                "/v1/instances/{instance}/stop",
                "stopInstance",
                "Takes an instance out of service and pauses its subscription; its data stays.",
                handler: stopInstance
            ),
            .starting(
                "/v1/instances/{instance}/start",
                "startInstance",
                "Puts a stopped instance into service again and resumes its subscription.",
                handler: startInstance
            ),
            .starting(
                "/v1/instances/{instance}/terminate",
                "terminateInstance",
                "Ends an instance: saves its data, cancels its subscription, and drops its database after a while.",
                handler: terminateInstance
            ),
            .starting(
                "/v1/subscriptions/{subscription}/pause",
                "pauseSubscription",
                "Pauses a subscription and takes its instance out of service.",
                handler: pauseSubscription
            ),
            .starting(
                "/v1/subscriptions/{subscription}/resume",
                "resumeSubscription",
                "Resumes a subscription and puts its instance into service again.",
                handler: resumeSubscription
            ),
            .starting(
                "/v1/subscriptions/{subscription}/cancel",
                "cancelSubscription",
                "Cancels a subscription and terminates its instance, when what is paid for has ended or at once.",
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

    private func stopInstance(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await startedOnInstance(call, backend.commands.stopInstance)
    }

    private func startInstance(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await startedOnInstance(call, backend.commands.startInstance)
    }

    private func terminateInstance(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await startedOnInstance(call, backend.commands.terminateInstance)
    }

    private func cancelSubscription(_ call: Call, _ body: CancellationBody) async throws(Problem) -> Answer {
        try await startedOnSubscription(call) { (id, envelope) throws(CommandError) in
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
        try await startedOnSubscription(call, backend.commands.pauseSubscription)
    }

    private func resumeSubscription(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await startedOnSubscription(call, backend.commands.resumeSubscription)
    }

    /// The answer to a command to the instance that the path names, as the caller has seen it.
    func startedOnInstance(
        _ call: Call,
        _ command: (InstanceID, CommandEnvelope) async throws(CommandError) -> Receipt<OperationStarted>
    ) async throws(Problem) -> Answer {
        let id: InstanceID = try call.id("instance")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await started(call) { () throws(CommandError) in try await command(id, envelope) }
    }

    /// The answer to a command to the instance of the subscription that the path names.
    func startedOnSubscription(
        _ call: Call,
        _ command: (SubscriptionID, CommandEnvelope) async throws(CommandError) -> Receipt<OperationStarted>
    ) async throws(Problem) -> Answer {
        let id: SubscriptionID = try call.id("subscription")
        let envelope = try envelope(call)
        return try await started(call) { () throws(CommandError) in try await command(id, envelope) }
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

extension Route {
    /// A command that starts an operation, which the answer names.
    static func starting<Body: RequestBody>(
        _ path: String,
        _ name: String,
        _ summary: String,
        access: Access = .scope(.write),
        handler: @escaping @Sendable (Call, Body) async throws(Problem) -> Answer
    ) -> Route {
        Route(
            .post,
            path,
            name,
            summary,
            access: access,
            body: Body.self,
            success: .init(.accepted, .named("Started")),
            handler: handler
        )
    }
}

struct CancellationBody: RequestBody {
    /// Instead of when what is paid for has ended.
    var immediately: Bool?

    static let schema = Schema.object([.init("immediately", .boolean, required: false)])
}
