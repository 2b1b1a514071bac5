internal import Commands
internal import HTTPTypes
package import Kernel
package import Sagas

/// What operators make sagas do; each deed is an event with identity and reason.
extension API {
    var sagaRoutes: [Route] {
        SagaDoor.Verb.allCases.map { verb in
            Route(
                .post,
                "/v1/admin/sagas/{saga}/\(verb.rawValue)",
                "\(verb.rawValue)Saga",
                verb.summary,
                access: .operators,
                body: SagaDeedBody.self,
                success: .init(.accepted, .named("Started")),
                handler: { call, body throws(Problem) in try await self.act(verb, call, body) }
            )
        }
    }

    private func act(_ verb: SagaDoor.Verb, _ call: Call, _ body: SagaDeedBody) async throws(Problem) -> Answer {
        let saga = try call.unique("saga")
        let deed = SagaDeed(
            actor: try call.caller.actor,
            reason: body.reason,
            expectedVersion: body.version.flatMap { Int64($0) }
        )
        do {
            try await backend.sagas.act(verb, saga, deed)
        } catch {
            throw error.problem
        }
        let reference: JSONValue = ["operation": ["id": .string(saga.description), "status": "running"]]
        var answer = try Answer.json(reference)
        answer.status = .accepted
        answer.headers[.location] = "/v1/operations/\(saga)"
        return answer
    }
}

/// Where operators' deeds go.
package struct SagaDoor: Sendable {
    /// What can be done to a saga.
    package enum Verb: String, Sendable, CaseIterable {
        case retry, park, resume, cancel

        var summary: String {
            switch self {
            case .retry: "Tries the present step of a saga again, now."
            case .park: "Stops work on a saga until somebody resumes it."
            case .resume: "Goes on with a parked saga."
            case .cancel: "Takes back everything a saga did, as far as it has not gone too far."
            }
        }
    }

    package var act: @Sendable (Verb, UniqueID, SagaDeed) async throws(SagaOperationError) -> Void =
        { _, _, _ throws(SagaOperationError) in throw .unavailable }

    package init() {}

    /// Deeds as the engine's operations take them.
    package init(_ operations: SagaOperations) {
        act = { verb, saga, deed throws(SagaOperationError) in
            switch verb {
            case .retry: try await operations.retry(saga, deed)
            case .park: try await operations.park(saga, deed)
            case .resume: try await operations.resume(saga, deed)
            case .cancel: try await operations.cancel(saga, deed)
            }
        }
    }
}

struct SagaDeedBody: RequestBody {
    var reason: String
    /// The version of the saga's stream that the operator has seen, as a decimal number.
    var version: String?

    static let schema = Schema.object([
        .init("reason", .string(1...500)),
        .init("version", .string(1...19, pattern: "^[1-9][0-9]{0,18}$"), required: false),
    ])
}

extension SagaOperationError: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .notFound: .notFound
        case .conflict(let actual): .preconditionFailed(version: actual)
        case .notPossible(let why):
            Problem(
                "saga-deed-impossible",
                status: .conflict,
                title: "The state of the saga does not allow it",
                detail: why
            )
        case .unavailable: .unavailable(cause: self)
        case .broken: .internalError(self)
        }
    }
}
