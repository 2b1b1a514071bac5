internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Sagas

/// What operators make sagas do; each deed is an event with identity and reason, for a version that was seen.
extension API {
    var deedRoutes: [Route] { SagaVerb.Name.allCases.map(deedRoute) }

    // One route for each shape of body.
    private func deedRoute(_ name: SagaVerb.Name) -> Route {
        switch name {
        case .skip:
            deed(name) { (call, body: SagaSkipBody) throws(Problem) in
                let verb = SagaVerb.skip(step: body.step, force: body.force ?? false)
                return try await self.act(verb, call, body.reason, body.version)
            }
        case .setOutput:
            deed(name) { (call, body: SagaOutputBody) throws(Problem) in
                let verb = SagaVerb.setOutput(step: body.step, body.output, evidence: body.evidence)
                return try await self.act(verb, call, body.reason, body.version)
            }
        case .migrate:
            deed(name) { (call, body: SagaMigrateBody) throws(Problem) in
                try await self.act(.migrate(force: body.force ?? false), call, body.reason, body.version)
            }
        case .retry: plain(.retry)
        case .park: plain(.park)
        case .resume: plain(.resume)
        case .cancel: plain(.cancel)
        case .abandon: plain(.abandon)
        }
    }

    private func plain(_ verb: SagaVerb) -> Route {
        deed(verb.name) { (call, body: SagaDeedBody) throws(Problem) in
            try await self.act(verb, call, body.reason, body.version)
        }
    }

    private func deed<Body: RequestBody>(
        _ name: SagaVerb.Name,
        handler: @escaping @Sendable (Call, Body) async throws(Problem) -> Answer
    ) -> Route {
        let path = "/v1/admin/sagas/{saga}/\(name.rawValue)"
        return .starting(path, name.operation, name.summary, access: .operators, handler: handler)
    }

    private func act(
        _ verb: SagaVerb,
        _ call: Call,
        _ reason: String,
        _ version: String?
    ) async throws(Problem) -> Answer {
        let saga = try call.unique("saga")
        let deed = try deed(of: call, reason, version)
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

    /// Who does it and why, for the version that the body says, or else If-Match.
    func deed(of call: Call, _ reason: String, _ version: String?) throws(Problem) -> SagaDeed {
        var seen = version.flatMap { Int64($0) }
        if seen == nil { seen = try call.optionalVersion() }
        guard let seen else { throw .preconditionRequired }
        return SagaDeed(try envelope(call, expecting: seen), reason: reason)
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
