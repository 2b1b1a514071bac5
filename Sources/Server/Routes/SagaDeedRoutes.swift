internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Sagas

/// What operators make sagas do; each deed is an event with identity and reason, for a version that was seen.
extension API {
    var deedRoutes: [Route] { SagaVerb.Name.allCases.map(deedRoute) }

    // One route for each shape of body.
    private func deedRoute(_ name: SagaVerb.Name) -> Route {
        let (path, success) = ("/v1/admin/sagas/{saga}/\(name.rawValue)", Route.Success(.accepted, .named("Started")))
        switch name {
        case .skip:
            return Route(
                .post,
                path,
                name.operation,
                name.summary,
                access: .operators,
                body: SagaSkipBody.self,
                success: success,
                handler: { call, body throws(Problem) in
                    let verb = SagaVerb.skip(step: body.step, force: body.force ?? false)
                    return try await self.act(verb, call, body.reason, body.version)
                }
            )
        case .setOutput:
            return Route(
                .post,
                path,
                name.operation,
                name.summary,
                access: .operators,
                body: SagaOutputBody.self,
                success: success,
                handler: { call, body throws(Problem) in
                    let verb = SagaVerb.setOutput(step: body.step, body.output, evidence: body.evidence)
                    return try await self.act(verb, call, body.reason, body.version)
                }
            )
        case .migrate:
            return Route(
                .post,
                path,
                name.operation,
                name.summary,
                access: .operators,
                body: SagaMigrateBody.self,
                success: success,
                handler: { call, body throws(Problem) in
                    try await self.act(.migrate(force: body.force ?? false), call, body.reason, body.version)
                }
            )
        case .retry: return plain(.retry, path, success)
        case .park: return plain(.park, path, success)
        case .resume: return plain(.resume, path, success)
        case .cancel: return plain(.cancel, path, success)
        case .abandon: return plain(.abandon, path, success)
        }
    }

    private func plain(_ verb: SagaVerb, _ path: String, _ success: Route.Success) -> Route {
        Route(
            .post,
            path,
            verb.name.operation,
            verb.name.summary,
            access: .operators,
            body: SagaDeedBody.self,
            success: success,
            handler: { call, body throws(Problem) in try await self.act(verb, call, body.reason, body.version) }
        )
    }

    private func act(
        _ verb: SagaVerb,
        _ call: Call,
        _ reason: String,
        _ version: String?
    ) async throws(Problem) -> Answer {
        let saga = try call.unique("saga")
        var seen = version.flatMap { Int64($0) }
        if seen == nil { seen = try call.optionalVersion() }
        guard let seen else { throw .preconditionRequired }
        let envelope = try envelope(call, expecting: seen)
        let deed = SagaDeed(envelope, reason: reason)
        let receipt: SagaReceipt
        switch await backend.sagas.act(verb, saga, deed) {
        case .success(let done): receipt = done
        case .failure(let error): throw error.problem
        }
        let reference: JSONValue = [
            "operation": ["id": .string(saga.description), "status": .string(receipt.status)]
        ]
        return try .json(
            reference,
            status: .accepted,
            position: receipt.position,
            version: receipt.version,
            headers: [.location: "/v1/operations/\(saga)"]
        )
    }
}

extension SagaDeed {
    init(_ envelope: CommandEnvelope, reason: String) {
        self.init(
            actor: envelope.principal.actor,
            reason: reason,
            expectedVersion: envelope.expectedVersion,
            command: envelope.id,
            requestHash: envelope.repeatable ? envelope.requestHash : nil,
            traceparent: envelope.traceparent
        )
    }
}

extension SagaVerb.Name {
    fileprivate var operation: String {
        switch self {
        case .setOutput: "setSagaOutput"
        case .retry, .park, .resume, .skip, .cancel, .abandon, .migrate: "\(rawValue)Saga"
        }
    }

    fileprivate var summary: String {
        switch self {
        case .retry: "Tries the present step of a saga again, now."
        case .park: "Stops work on a saga until somebody resumes it."
        case .resume: "Goes on with a parked saga."
        case .skip: "Passes over the present step of a saga, or the undo of a step."
        case .setOutput: "Says what a step left, as if it had succeeded, with evidence."
        case .cancel: "Takes back everything a saga did, as far as it has not gone too far."
        case .abandon: "Ends a saga as it stands; what it made stays, and the ledger names it."
        case .migrate: "Lets a saga go on by the definition of this build."
        }
    }
}

/// What every deed says, and more: why, and the version of the saga's stream that the operator has seen, as a decimal
/// number; else If-Match says it.
private func shape(_ others: [Schema.Member] = []) -> Schema {
    .object(
        [
            .init("reason", .string(1...500)),
            .init("version", .string(1...19, pattern: "^[1-9][0-9]{0,18}$"), required: false),
        ] + others
    )
}

struct SagaDeedBody: RequestBody {
    var reason: String
    var version: String?
    static let schema = shape()
}

struct SagaSkipBody: RequestBody {
    var reason: String
    var version: String?
    /// The present one, when it is not said.
    var step: String?
    var force: Bool?
    static let schema = shape([
        .init("step", .string(1...100), required: false), .init("force", .boolean, required: false),
    ])
}

struct SagaOutputBody: RequestBody {
    var reason: String
    var version: String?
    var step: String
    /// By the names that later steps look for; never a secret.
    var output: JSONValue
    /// How the operator knows.
    var evidence: JSONValue
    static let schema = shape([
        .init("step", .string(1...100)), .init("output", .anything), .init("evidence", .anything),
    ])
}

struct SagaMigrateBody: RequestBody {
    var reason: String
    var version: String?
    var force: Bool?
    static let schema = shape([.init("force", .boolean, required: false)])
}
