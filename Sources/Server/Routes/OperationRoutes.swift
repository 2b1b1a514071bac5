internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel
internal import Projections

/// The long work, as a person sees it.
extension API {
    var operationRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/operations",
                "listOperations",
                "The operations that the caller may see, newest first.",
                access: .scope(.read),
                parameters: Route.Parameter.list + [
                    .init("organization", .identifier, "Only those of this organization."),
                    .init("status", .oneOf(Self.operationStates), "Only those with this status."),
                ],
                success: .init(.ok, .named("Operations")),
                handler: operations
            ),
            Route(
                .get,
                "/v1/operations/{operation}",
                "showOperation",
                "One operation with its steps; `Prefer: wait=20` holds the answer until it ends.",
                access: .scope(.read),
                parameters: [.minimumPosition],
                success: .init(.ok, .named("Operation")),
                handler: operation
            ),
            Route(
                .get,
                "/v1/operations/{operation}/stream",
                "followOperation",
                "The operation whenever it changes, as server-sent events, until it ends.",
                access: .scope(.read),
                parameters: [.minimumPosition],
                success: .init(.ok, .text, type: "text/event-stream"),
                handler: operationStream
            ),
        ]
    }

    static let operationStates = [
        "queued", "running", "waiting", "compensating", "completed", "compensated", "parked", "abandoned", "superseded",
    ]

    private func operations(_ call: Call) async throws(Problem) -> Answer {
        try await catchUp(call)
        let status = call.query["status"].flatMap { OperationView.Status(rawValue: $0) }
        let organizations = try await visibleOrganizations(call)
        let reading = try await read { () throws(ReadError) in
            try await backend.reads.operations(organizations, status, page(call))
        }
        return try list(reading, for: call)
    }

    /// - Returns: `nil` for all.
    private func visibleOrganizations(_ call: Call) async throws(Problem) -> [OrganizationID]? {
        if let text = call.query["organization"] {
            guard let organization = OrganizationID(text) else { throw .notFound }
            try await role(of: call, in: organization)
            return [organization]
        }
        switch try call.caller.kind {
        case .operator, .platformAuditor, .system, .saga: return nil
        case .organizationKey(_, let organization, _): return [organization]
        case .user(let user):
            var all: [OrganizationID] = []
            var after: String?
            repeat {
                let request = PageRequest(limit: 200, after: after)
                let page = try await read { () throws(ReadError) in
                    try await backend.reads.organizations(user, request)
                }
                all += page.value.data.map(\.id)
                after = page.value.next
            } while after != nil
            return all
        }
    }

    private func operation(_ call: Call) async throws(Problem) -> Answer {
        let id = try call.unique("operation")
        try await catchUp(call)
        var (operation, position) = try await visible(id, for: call)
        var headers: HTTPFields = [:]
        if let patience = call.patience {
            (operation, position) = try await end(of: operation, at: position, within: patience)
            headers[.preferenceApplied] = "wait=\(patience.components.seconds)"
        }
        return try .json(operation, position: position, headers: headers)
    }

    private func operationStream(_ call: Call) async throws(Problem) -> Answer {
        let id = try call.unique("operation")
        try await catchUp(call)
        let frontier = try await ask { () throws(EventDoor.Failure) in try await backend.events.frontier() }
        let (first, position) = try await visible(id, for: call)
        let (reads, api) = (backend.reads, self)
        var topics: [FeedTopic] = [.stream(SagaCause.stream(kind: first.kind, cause: id))]
        if let organization = first.organizationID { topics.append(.access(organization)) }
        let operation = Followed<OperationView>(
            name: "operation",
            topics: topics,
            organization: first.organizationID,
            isOver: { $0.status.isEnd },
            read: { position in
                await api.reading(
                    of: id.description,
                    reflecting: position,
                    from: api.operationViews,
                    [Operations.self]
                ) { () throws(ReadError) in try await reads.operation(id) }
            }
        )
        return Answer(
            body: .events { sink in
                try await follow(
                    operation,
                    for: call,
                    from: Reading(first, at: position),
                    frontier: frontier,
                    into: &sink
                )
            }
        )
    }

    private func visible(_ id: UniqueID, for call: Call) async throws(Problem) -> (OperationView, Int64) {
        let reading = try await read { () throws(ReadError) in try await backend.reads.operation(id) }
        guard let operation = reading.value else { throw .notFound }
        if let organization = operation.organizationID {
            try await role(of: call, in: organization)
        } else if try !call.caller.isPlatform {
            throw .notFound
        }
        return (operation, reading.position)
    }
}

/// Waiting for operations.
extension API {
    /// The answer to a command that started an operation, held for as long as the caller prefers.
    ///
    /// `document` makes the body, given the status of the operation.
    func accepted<Value>(
        _ call: Call,
        operation: UniqueID,
        _ receipt: Receipt<Value>,
        _ document: (String) -> JSONValue
    ) async throws(Problem) -> Answer {
        var headers: HTTPFields = [.location: "/v1/operations/\(operation)"]
        var status = OperationView.Status.queued
        var position = receipt.position
        if let patience = call.patience {
            headers[.preferenceApplied] = "wait=\(patience.components.seconds)"
            // The command is accepted whatever becomes of the waiting, so its answer must not be lost to a read.
            if let (operation, seen) = try? await end(of: operation, after: position, within: patience) {
                status = operation.status
                position = max(position, seen)
            }
        }
        return try .json(
            document(status.rawValue),
            status: .accepted,
            position: position,
            version: receipt.version,
            headers: headers
        )
    }

    private func end(
        of id: UniqueID,
        after position: Int64,
        within patience: Duration
    ) async throws(Problem) -> (OperationView, Int64) {
        let deadline = ContinuousClock.now + patience
        try await read { () throws(ReadError) in try await backend.reads.wait(position, patience, [Operations.self]) }
        let reading = try await read { () throws(ReadError) in try await backend.reads.operation(id) }
        guard let operation = reading.value else { throw .notFound }
        return try await end(of: operation, at: reading.position, within: deadline - ContinuousClock.now)
    }

    /// The operation at its end, or as it is when the time is over or the server stops.
    private func end(
        of operation: OperationView,
        at position: Int64,
        within patience: Duration
    ) async throws(Problem) -> (OperationView, Int64) {
        var (operation, position) = (operation, position)
        let deadline = ContinuousClock.now + patience
        while !operation.status.isEnd, operation.status != .parked, ContinuousClock.now < deadline, !stopping {
            position = try await progress(after: position, within: min(deadline - ContinuousClock.now, .seconds(1)))
            let id = operation.id
            let reading = try await read { () throws(ReadError) in try await backend.reads.operation(id) }
            operation = reading.value ?? operation
            position = max(position, reading.position)
        }
        return (operation, position)
    }

    /// Waits until the read models have moved on.
    func progress(
        after position: Int64,
        within patience: Duration,
        of models: [any Projection.Type] = [Operations.self]
    ) async throws(Problem) -> Int64 {
        do {
            try await backend.reads.wait(position + 1, patience, models)
            // A pace for a busy log, where every look would find the read models moved; cut short, nothing is lost.
            try? await Task.sleep(for: .milliseconds(20))
            return position + 1
        } catch {
            guard case .behind(let position) = error else { throw .unavailable(cause: error) }
            return position
        }
    }
}

extension ServerSentEvent {
    /// Tells a reader that the position it knows is none of ours, and where it goes on.
    static func reset(to position: Int64) -> ServerSentEvent {
        ServerSentEvent(id: position, name: "reset", data: Array("{\"position\":\(position)}".utf8))
    }
}
