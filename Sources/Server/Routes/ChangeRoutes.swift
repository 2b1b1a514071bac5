internal import Commands
internal import HTTPTypes
internal import Kernel

/// Changes of an instance that runs.
extension API {
    var changeRoutes: [Route] {
        [
            Route(
                .post,
                "/v1/instances/{instance}/rotate-credentials",
                "rotateCredentials",
                "Gives an instance another login to its database, without a moment in which none works.",
                access: .scope(.write),
                body: EmptyBody.self,
                success: .init(.accepted, .named("Started")),
                handler: rotateCredentials
            )
        ]
    }

    private func rotateCredentials(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        let id: InstanceID = try call.id("instance")
        let envelope = try envelope(call, expecting: try call.optionalVersion())
        return try await started(call) { () throws(CommandError) in
            try await backend.commands.rotateCredentials(id, envelope)
        }
    }
}
