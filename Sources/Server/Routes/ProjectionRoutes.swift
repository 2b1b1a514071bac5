internal import Commands
internal import HTTPTypes
internal import Kernel
internal import Projections

/// The builds of read models: what operators see of them, and what they may do to them.
extension API {
    var projectionRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/admin/projections/{projection}/rebuilds",
                "listRebuilds",
                "The rebuilds of a read model, oldest first: how far each is, and what comparing it came to.",
                access: .platform,
                success: .init(.ok, .named("Rebuilds")),
                handler: rebuilds
            ),
            Route(
                .get,
                "/v1/admin/projections/{projection}/rebuilds/stream",
                "followRebuild",
                "The newest rebuild of a read model whenever it is further, as server-sent events, until it ends.",
                access: .platform,
                success: .init(.ok, .text, type: "text/event-stream"),
                handler: rebuildStream
            ),
        ] + ProjectionVerb.Name.allCases.map(verbRoute)
    }

    // One route for each shape of body.
    private func verbRoute(_ name: ProjectionVerb.Name) -> Route {
        let path = "/v1/admin/projections/{projection}/\(name.rawValue)"
        let operation = "\(name.rawValue)Projection"
        let success = Route.Success(.accepted, .named("ProjectionReceipt"))
        func route<Body: RequestBody>(
            _ body: Body.Type,
            _ deed: @escaping @Sendable (Body) -> (ProjectionVerb, String)
        ) -> Route {
            Route(
                .post,
                path,
                operation,
                name.summary,
                access: .operators,
                body: body,
                success: success,
                handler: { call, body throws(Problem) in
                    let (verb, reason) = deed(body)
                    return try await self.act(verb, call, reason)
                }
            )
        }
        switch name {
        case .rebuild:
            return route(RebuildBody.self) { body in
                let order = RebuildOrder(
                    until: body.toPosition,
                    asOf: body.asOf,
                    parallel: body.parallel ?? 2,
                    isDry: body.dryRun ?? false,
                    switches: body.switch ?? true
                )
                return (.rebuild(order), body.reason)
            }
        case .pause: return route(ProjectionDeedBody.self) { (.pause, $0.reason) }
        case .resume: return route(ProjectionDeedBody.self) { (.resume, $0.reason) }
        case .rollBack: return route(ProjectionDeedBody.self) { (.rollBack, $0.reason) }
        case .retry: return route(BlockBody.self) { (.retry($0.organizationId), $0.reason) }
        case .skip: return route(BlockBody.self) { (.skip($0.organizationId), $0.reason) }
        case .cancel: return route(BuildBody.self) { (.cancel(build: $0.build), $0.reason) }
        case .show:
            return route(SwitchBody.self) { body in
                let accepting = body.acceptDifferences ?? false
                return (.show(build: body.build, acceptingDifferences: accepting), body.reason)
            }
        }
    }

    private func act(_ verb: ProjectionVerb, _ call: Call, _ reason: String) async throws(Problem) -> Answer {
        let name = call.parameters["projection"] ?? ""
        let envelope = try envelope(call)
        let deed = ProjectionDeed(
            actor: envelope.principal.actor,
            reason: reason,
            command: envelope.id,
            requestHash: envelope.repeatable ? envelope.requestHash : nil,
            traceparent: envelope.traceparent
        )
        switch await backend.projections.act(verb, name, deed) {
        case .success(var receipt):
            let position = receipt.position
            receipt.position = nil
            return try .json(
                receipt,
                status: .accepted,
                position: position,
                headers: [.location: "/v1/admin/projections/\(name)/rebuilds"]
            )
        case .failure(let error): throw error.problem
        }
    }

    private func rebuilds(_ call: Call) async throws(Problem) -> Answer {
        try .json(Whole(data: try await rebuilds(of: call.parameters["projection"] ?? "")))
    }

    private func rebuilds(of name: String) async throws(Problem) -> [RebuildState] {
        switch await backend.projections.rebuilds(name) {
        case .success(let states): return states
        case .failure(let error): throw error.problem
        }
    }

    private func rebuildStream(_ call: Call) async throws(Problem) -> Answer {
        let name = call.parameters["projection"] ?? ""
        guard let first = try await rebuilds(of: name).last else { throw .notFound }
        return Answer(body: .events { sink in try await follow(name, for: call, from: first, into: &sink) })
    }

    /// Writes the rebuild whenever it is further, until it ends, the reader goes or the server stops.
    @concurrent
    private func follow(
        _ name: String,
        for call: Call,
        from first: RebuildState,
        into sink: inout EventSink
    ) async throws {
        var (state, checked) = (first, ids.now())
        var shown: RebuildState?
        try await sink.retry(milliseconds: 1000)
        while true {
            if state != shown {
                try await sink.send([.init(name: "rebuild", data: try JSON.encode(state))])
                shown = state
            }
            if state.endedAt != nil || stopping || Task.isCancelled { return }
            try await sink.heartbeat(after: settings.heartbeat)
            // Progress is told four times a second; cut short, nothing is lost.
            try? await Task.sleep(for: .milliseconds(250))
            try await confirm(call, since: &checked)
            guard let next = try await rebuilds(of: name).first(where: { $0.build == first.build }) else { return }
            state = next
        }
    }
}

extension Problem {
    static func rebuildImpossible(_ why: String) -> Problem {
        Problem(
            "rebuild-impossible",
            status: .conflict,
            title: "The builds of the read model do not allow it",
            detail: why
        )
    }
}

extension RebuildError: ProblemConvertible {
    package var problem: Problem {
        switch self {
        case .unknownProjection, .unknownBuild: .notFound
        case .notPossible(let why): .rebuildImpossible(why)
        case .beyond(let frontier):
            .invalid([.init("is beyond the log, which ends at \(frontier)", pointer: "#/toPosition")])
        case .twoEnds: .invalid([.init("excludes toPosition", pointer: "#/asOf")])
        case .future: .invalid([.init("is still to come", pointer: "#/asOf")])
        case .commandReused: .keyReused
        case .unavailable: .unavailable(cause: self)
        }
    }
}

extension ProjectionVerb.Name {
    fileprivate var summary: String {
        switch self {
        case .rebuild: "Builds a read model anew beside the one that is shown, compares the two, and shows the new one."
        case .pause: "Has a rebuild stop where it is."
        case .resume: "Has a paused rebuild go on."
        case .cancel: "Drops a rebuild under way, or a build that is not shown."
        case .show: "Shows another build of a read model, at the position at which the present one stops being shown."
        case .rollBack: "Shows the build again that was shown before."
        case .retry: "Folds what a blocked organization missed."
        case .skip:
            "Folds what a blocked organization missed, without the event that blocks it, now and in every rebuild."
        }
    }
}

/// Every deed says it.
private let why = Schema.Member("reason", .string(1...500))

struct ProjectionDeedBody: RequestBody {
    var reason: String
    static let schema = Schema.object([why])
}

struct BuildBody: RequestBody {
    var reason: String
    var build: Int?
    static let schema = Schema.object([why, .init("build", .integer(1...1_000_000), required: false)])
}

struct BlockBody: RequestBody {
    var reason: String
    /// Absent for what belongs to no organization.
    var organizationId: OrganizationID?
    static let schema = Schema.object([why, .init("organizationId", .identifier, required: false)])
}

struct SwitchBody: RequestBody {
    var reason: String
    var build: Int?
    /// Shows a build although it is not equal to what is shown.
    var acceptDifferences: Bool?
    static let schema = Schema.object([
        why, .init("build", .integer(1...1_000_000), required: false),
        .init("acceptDifferences", .boolean, required: false),
    ])
}

struct RebuildBody: RequestBody {
    var reason: String
    /// Fold no further than this; the build is kept to be looked at.
    var toPosition: Int64?
    /// The same by a time; not both.
    var asOf: Timestamp?
    var parallel: Int?
    /// Compare, and drop what was built.
    var dryRun: Bool?
    /// Show it when it is equal; so unless it is said otherwise.
    var `switch`: Bool?
    static let schema = Schema.object([
        why, .init("toPosition", .integer(0...Int64.max), required: false),
        .init("asOf", .time, required: false),
        .init("parallel", .integer(1...16), required: false), .init("dryRun", .boolean, required: false),
        .init("switch", .boolean, required: false),
    ])
}
