package import Commands
internal import HTTPTypes
package import Kernel

/// One stream, for auditors: what happened in it, what it was, what changed.
extension API {
    var streamRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/streams/{stream}/history",
                "listStreamHistory",
                "The events of one stream in order, after a version.",
                access: .scope(.read),
                parameters: [
                    .limit,
                    .init(
                        Self.afterVersion,
                        .position,
                        "The version of the stream, not a position of the log, to begin after; the `next` of an answer, and "
                            + "0 when it is not said."
                    ),
                ],
                success: .init(.ok, .named("Events")),
                handler: streamHistory
            ),
            Route(
                .get,
                "/v1/streams/{stream}/state",
                "showStreamState",
                "What a stream's thing is, or was at a moment.",
                access: .scope(.read),
                parameters: [.init("version", .position, "The answer is what it was at this version.")]
                    + Route.Parameter.past,
                success: .init(.ok, .named("StreamState")),
                handler: streamState
            ),
            Route(
                .get,
                "/v1/streams/{stream}/diff",
                "compareStreamStates",
                "What changed in a stream's thing between two moments.",
                access: .scope(.read),
                parameters: [
                    .init("from", .string(1...50), "A version, `position:17` or a time; before it all if not said."),
                    .init("to", .string(1...50), "A version, `position:17` or a time; now if not said."),
                ],
                success: .init(.ok, .named("StreamDifference")),
                handler: streamDifference
            ),
        ]
    }

    private static let afterVersion = "after-version"

    private func streamHistory(_ call: Call) async throws(Problem) -> Answer {
        let stream = try await visibleStream(call)
        let after = call.query[Self.afterVersion].flatMap { Int64($0) } ?? 0
        let events = try await ask { () throws(EventDoor.Failure) in
            try await backend.events.history(stream, after, call.limit)
        }
        if events.isEmpty, after > 0 {
            let known = try await ask { () throws(EventDoor.Failure) in
                try await backend.events.history(stream, after - 1, 1)
            }
            guard !known.isEmpty else {
                throw .invalid([.init("is a version that the stream has not", parameter: Self.afterVersion)])
            }
        }
        let next = events.count >= call.limit ? events.last?.version : nil
        return try .json(EventList(data: events, next: next.map(String.init)), position: events.last?.position)
    }

    private func streamState(_ call: Call) async throws(Problem) -> Answer {
        let moment = try call.moment ?? .now
        let stream = try await visibleStream(call)
        guard let state = try await state(of: stream, at: moment) else { throw .notFound }
        return try .json(StreamState(state), position: state.position, version: state.version)
    }

    private func streamDifference(_ call: Call) async throws(Problem) -> Answer {
        let from = try moment(call, "from", default: .version(0))
        let to = try moment(call, "to", default: .now)
        let stream = try await visibleStream(call)
        let before = try await state(of: stream, at: from)
        let after = try await state(of: stream, at: to)
        return try .json(StreamDifference(stream, from: before, to: after), position: after?.position)
    }

    private func state(of stream: String, at moment: Moment) async throws(Problem) -> PastState? {
        try await ask { () throws(EventDoor.Failure) in try await backend.events.state(stream, moment) }
    }

    private func moment(_ call: Call, _ name: String, default usual: Moment) throws(Problem) -> Moment {
        guard let text = call.query[name] else { return usual }
        guard let moment = Moment(text) else {
            throw .invalid([.init("must be a version, `position:17` or a time of RFC 3339", parameter: name)])
        }
        return moment
    }

    /// The stream that the path names, if the caller may read all of it.
    private func visibleStream(_ call: Call) async throws(Problem) -> String {
        guard let stream = call.parameters["stream"] else { throw .notFound }
        let first = try await ask { () throws(EventDoor.Failure) in try await backend.events.history(stream, 0, 1) }
        guard let first = first.first else { throw .notFound }
        guard try !call.caller.isPlatform else { return stream }
        guard let organization = first.organization else { throw .notFound }
        try await audit(call, organization)
        return stream
    }
}

/// What a thing was, as the API and the command line show it.
package struct StreamState: Encodable, Sendable {
    private var stream: String
    private var version: Int64
    private var position: Int64
    private var recordedAt: Timestamp
    private var state: JSONValue

    /// Of a state whose sealed fields are closed already.
    package init(_ past: PastState) {
        stream = past.stream
        version = past.version
        position = past.position
        recordedAt = past.recordedAt
        state = past.state
    }
}

/// What changed between two states.
package struct StreamDifference: Encodable, Sendable {
    private var stream: String
    /// 0 before there was anything.
    private var from: Int64
    private var to: Int64
    package let changes: [JSONDifference]

    /// - Parameters:
    ///   - stream: Whose states they are.
    ///   - before: `nil` when there was none.
    ///   - after: `nil` when there was none.
    package init(_ stream: String, from before: PastState?, to after: PastState?) {
        self.stream = stream
        from = before?.version ?? 0
        to = after?.version ?? 0
        changes = (before?.state ?? .object([:])).differences(to: after?.state ?? .object([:]))
    }
}
