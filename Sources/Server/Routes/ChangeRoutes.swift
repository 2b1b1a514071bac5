internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel

/// Changes of an instance that runs.
extension API {
    var changeRoutes: [Route] {
        [
            .starting(
                "/v1/instances/{instance}/rotate-credentials",
                "rotateCredentials",
                "Gives an instance another login to its database, without a moment in which none works.",
                handler: rotateCredentials
            ),
            .starting(
                "/v1/instances/{instance}/deploy",
                "deployInstance",
                "Gives an instance another release, without interruption or in place.",
                handler: deploy
            ),
        ]
    }

    private func deploy(_ call: Call, _ body: DeployBody) async throws(Problem) -> Answer {
        try await startedOnInstance(call) { (id, envelope) throws(CommandError) in
            try await backend.commands.changeRelease(id, body.version, body.strategy ?? .zeroDowntime, envelope)
        }
    }

    private func rotateCredentials(_ call: Call, _ body: EmptyBody) async throws(Problem) -> Answer {
        try await startedOnInstance(call, backend.commands.rotateCredentials)
    }
}

struct DeployBody: RequestBody {
    var version: String
    var strategy: ReleaseStrategy?

    static let schema = Schema.object([
        .init("version", .string(1...128)),
        .init("strategy", .oneOf(ReleaseStrategy.allCases.map(\.rawValue)), required: false),
    ])
}
