internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Sagas

/// Long processes as operators look at them.
extension API {
    var sagaRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/admin/sagas",
                "listSagas",
                "The sagas that have something to do, or those asked for, newest first.",
                access: .platform,
                parameters: Route.Parameter.list + [
                    .init("status", .oneOf(Self.operationStates), "Only those with this status."),
                    .init("kind", .string(1...100), "Only those of this kind, such as `provision-instance`."),
                    .init("target", .string(1...100), "Only those whose step talks to this, such as `nomad`."),
                    .init("lane", .string(1...200), "Only those in this lane, such as `instance-42`."),
                    .init(
                        "stuck",
                        .oneOf(["true", "false"]),
                        "Only those that are parked, or should have been through by now."
                    ),
                ],
                success: .init(.ok, .named("Sagas")),
                handler: sagas
            ),
            Route(
                .get,
                "/v1/admin/sagas/{saga}",
                "showSaga",
                "One saga: steps, attempts, everything that happened, and what is next and why.",
                access: .platform,
                success: .init(.ok, .named("Saga")),
                handler: saga
            ),
            Route(
                .get,
                "/v1/admin/sagas/{saga}/stream",
                "followSaga",
                "The saga whenever it changes, as server-sent events, until it ends.",
                access: .platform,
                success: .init(.ok, .text, type: "text/event-stream"),
                handler: sagaStream
            ),
        ] + deedRoutes
    }

    private func sagas(_ call: Call) async throws(Problem) -> Answer {
        let wish = SagaWish(
            statuses: call.query["status"].map { [$0] },
            kind: call.query["kind"],
            target: call.query["target"],
            lane: call.query["lane"],
            stuck: call.query["stuck"] == "true"
        )
        let page = try await asked { () throws(SagaOperationError) in
            try await backend.sagas.list(wish, call.query["after"], call.limit)
        }
        return try .json(page)
    }

    private func saga(_ call: Call) async throws(Problem) -> Answer {
        let view = try await show(try call.unique("saga"))
        return try .json(view, position: view.timeline.last?.position, version: view.version)
    }

    private func sagaStream(_ call: Call) async throws(Problem) -> Answer {
        let id = try call.unique("saga")
        let first = try await show(id)
        return Answer(body: .events { sink in try await follow(id, for: call, from: first, into: &sink) })
    }

    private func show(_ id: UniqueID) async throws(Problem) -> SagaView {
        try await asked { () throws(SagaOperationError) in try await backend.sagas.show(id) }
    }

    /// Writes the saga whenever it changes, until it ends, the reader goes or the server stops.
    @concurrent
    private func follow(
        _ id: UniqueID,
        for call: Call,
        from first: SagaView,
        into sink: inout EventSink
    ) async throws {
        var (view, checked) = (first, ids.now())
        var shown: SagaView?
        try await sink.retry(milliseconds: 1000)
        while true {
            if view != shown {
                let position = view.timeline.last?.position
                try await sink.send([.init(id: position, name: "saga", data: try JSON.encode(view))])
                shown = view
            }
            if view.next.action == .nothing || stopping || Task.isCancelled { return }
            try await sink.heartbeat(after: settings.heartbeat)
            await backend.sagas.news(min(settings.heartbeat, .seconds(1)))
            // A pace for a busy log, where every look would find something new; cut short, nothing is lost.
            try? await Task.sleep(for: .milliseconds(50))
            try await confirm(call, since: &checked)
            view = try await show(id)
        }
    }

    func asked<Value: Sendable>(
        _ ask: () async throws(SagaOperationError) -> Value
    ) async throws(Problem) -> Value {
        do {
            return try await ask()
        } catch { throw error.problem }
    }
}

extension SagaOperationError: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .notFound: .notFound
        case .badCursor: .badCursor
        case .unknownKind(let known):
            .invalid([.init("must be one of " + known.joined(separator: ", "), parameter: "kind")])
        case .conflict(let actual): .preconditionFailed(version: actual)
        case .notPossible(let why):
            Problem(
                "saga-deed-impossible",
                status: .conflict,
                title: "The state of the saga does not allow it",
                detail: why
            )
        case .commandReused: CommandError.commandReused.problem
        case .unavailable: .unavailable(cause: self)
        case .broken: .internalError(self)
        }
    }
}
