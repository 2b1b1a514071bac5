internal import Commands
internal import Domain
internal import HTTPTypes
internal import Kernel

/// The log, for auditors.
extension API {
    var eventRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/events",
                "listEvents",
                "Events in the order of the log, after a position.",
                access: .scope(.read),
                parameters: Self.eventParameters + [.limit],
                success: .init(.ok, .named("Events")),
                handler: events
            ),
            Route(
                .get,
                "/v1/events/stream",
                "followEvents",
                "Events as they become durable, as server-sent events; Last-Event-ID goes on after a position.",
                access: .scope(.read),
                parameters: Self.eventParameters,
                success: .init(.ok, .text, type: "text/event-stream"),
                handler: eventStream
            ),
            Route(
                .get,
                "/v1/events/{position}",
                "showEvent",
                "One event.",
                access: .scope(.read),
                success: .init(.ok, .named("Event")),
                handler: event
            ),
        ]
    }

    static let eventParameters: [Route.Parameter] = [
        .init(
            "after",
            .string(1...60, pattern: "^[0-9]+(\\.[0-9a-f]{32})?$"),
            "The position to begin after, 0 when it is not said; or the `resume` of an answer, which is refused when the "
                + "log has another history than the one that it is from. A position beyond the end is refused too."
        ),
        .init("organization", .identifier, "Only those of this organization."),
        .init("stream", .string(1...200), "Only those of this stream, e.g. `instance-42`."),
        .init("category", .string(1...200), "Only those of streams of this category, e.g. `instance`."),
        .init("type", .string(1...200), "Only those of this type, e.g. `instance.running`."),
        .init("actor", .string(1...200), "Only those that this principal caused."),
        .init("from", .time, "Only those recorded at or after this time."),
        .init("to", .time, "Only those recorded before this time."),
    ]

    private func events(_ call: Call) async throws(Problem) -> Answer {
        let wish = try await wish(call)
        let begin = try await beginning(call)
        let slice = try await ask { () throws(EventDoor.Failure) in
            try await backend.events.list(wish, begin, call.limit)
        }
        let full = slice.events.count >= call.limit
        let next = full ? slice.events.last?.position : nil
        let end = next ?? slice.scannedTo
        let token = try await ask { () throws(EventDoor.Failure) in try await backend.events.token(end) }
        var answer = try Answer.json(
            EventList(data: slice.events, next: next.map(String.init), resume: token),
            position: end
        )
        if let next {
            let others = call.query.names.filter { $0 != "after" }
            let query = others.compactMap { name in call.query[name].map { "\(name)=\(PercentEncoding.encode($0))" } }
            answer.headers[.link] = "<\(call.path)?\((query + ["after=\(next)"]).joined(separator: "&"))>; rel=\"next\""
        }
        return answer
    }

    /// The position that the caller has, 0 when it says none.
    func beginning(_ call: Call) async throws(Problem) -> Int64 {
        guard let text = call.query["after"] else { return 0 }
        switch try await ask({ () throws(EventDoor.Failure) in try await backend.events.beginning(text) }) {
        case .after(let position): return position
        case .forked: throw .historyForked
        case .beyond(let end):
            throw .invalid([.init("is beyond the end of the log, which is at \(end)", parameter: "after")])
        case .unknown: throw .invalid([.init("must be a position or a resume token", parameter: "after")])
        }
    }

    private func event(_ call: Call) async throws(Problem) -> Answer {
        guard let position = call.parameters["position"].flatMap({ Int64($0) }), position > 0 else { throw .notFound }
        let found = try await ask { () throws(EventDoor.Failure) in try await backend.events.one(position) }
        guard let event = found else { throw .notFound }
        guard try !call.caller.isPlatform else { return try .json(event, position: position) }
        guard let organization = event.organization else { throw .notFound }
        try await audit(call, organization)
        return try .json(event, position: position)
    }

    private func eventStream(_ call: Call) async throws(Problem) -> Answer {
        try await eventStream(call, try await wish(call))
    }

    /// Events as they become durable, for as long as the caller may read them.
    func eventStream(_ call: Call, _ wish: EventDoor.Wish) async throws(Problem) -> Answer {
        let frontier = try await ask { () throws(EventDoor.Failure) in try await backend.events.frontier() }
        var place: EventDoor.Beginning?
        let text = call.headers[.lastEventID]?.trimmed ?? ""
        if let text = text.isEmpty ? call.query["after"] : text {
            place = try await ask { () throws(EventDoor.Failure) in try await backend.events.beginning(text) }
        }
        let begin = place
        return Answer(
            body: .events { sink in
                try await follow(wish, for: call, from: begin, frontier: frontier, into: &sink)
            }
        )
    }

    /// Writes events until the reader goes or the server stops.
    ///
    /// A reader that names no position gets what happens from now on.
    @concurrent
    private func follow(
        _ wish: EventDoor.Wish,
        for call: Call,
        from place: EventDoor.Beginning?,
        frontier: Int64,
        into sink: inout EventSink
    ) async throws {
        var position: Int64
        try await sink.retry(milliseconds: 1000)
        switch place {
        case .after(let known) where known <= frontier: position = known
        case .after, .forked, .beyond, .unknown:
            position = frontier
            try await sink.send([.reset(to: frontier)])
        case nil: position = frontier
        }
        feeds.join(at: frontier)
        defer { feeds.leave() }
        let end = ContinuousClock.now + settings.feedLife
        var (isLive, checked) = (false, ids.now())
        while !stopping, !Task.isCancelled, ContinuousClock.now < end {
            try await confirm(call, since: &checked)
            switch feeds.take(after: position, wish, most: 200, bytes: 256 << 10) {
            case .gone where isLive:
                // Too slow to be kept up with; who comes back with this position misses nothing.
                ServerMetrics.feedsDropped()
                return try await sink.send([.reset(to: position)])
            case .gone:
                let slice = try await backend.events.list(wish, position, 200)
                guard slice.scannedTo >= position else { throw Problem.historyForked }
                // The history ends where the newest events have not begun yet, for a moment.
                if slice.scannedTo == position { try await Task.sleep(for: .milliseconds(10)) }
                position = slice.scannedTo
                if let organization = wish.organization, !slice.events.isEmpty { try await audit(call, organization) }
                try await sink.send(
                    try slice.events.map { .init(id: $0.position, name: "event", data: try JSON.encode($0)) }
                )
            case .items(let items, let through, let revoking):
                isLive = true
                if let organization = wish.organization, revoking {
                    // Who has been removed meanwhile is not told any more.
                    try await members(at: through)
                    try await audit(call, organization)
                }
                try await sink.send(items.map { .init(id: $0.event.position, name: "event", data: $0.json) })
                let deadline = sink.silentUntil(settings.heartbeat)
                switch await feeds.wait(after: through, on: wish.topics, until: deadline) {
                case .over: return
                case .some(let since, _, _): position = max(through, since)
                case .silence(let head):
                    position = max(through, head)
                    try await sink.heartbeat(after: settings.heartbeat)
                }
            }
        }
    }
}

/// Which events the caller wants and may see.
extension API {
    func wish(_ call: Call) async throws(Problem) -> EventDoor.Wish {
        var wish = EventDoor.Wish(
            stream: call.query["stream"],
            category: call.query["category"],
            type: call.query["type"],
            actor: call.query["actor"],
            from: try moment(call, "from"),
            to: try moment(call, "to")
        )
        if let stream = wish.stream, !backend.events.isStreamName(stream) {
            throw .invalid([.init("is not the name of a stream, such as `instance-42`", parameter: "stream")])
        }
        if let text = call.query["organization"] {
            guard let organization = OrganizationID(text) else { throw .notFound }
            wish.organization = organization
        }
        switch try call.caller.kind {
        case .operator, .platformAuditor, .system, .saga: return wish
        case .organizationKey(_, let own, _): wish.organization = wish.organization ?? own
        case .user: break
        }
        guard let organization = wish.organization else {
            throw .invalid([.init("is required for a caller who is not of the platform", parameter: "organization")])
        }
        try await audit(call, organization)
        return wish
    }

    /// Lets only those through who may read everything of an organization.
    func audit(_ call: Call, _ organization: OrganizationID) async throws(Problem) {
        switch try await role(of: call, in: organization) {
        case nil, .owner, .admin, .auditor: return
        case .developer, .viewer: throw .forbidden
        }
    }

    private func moment(_ call: Call, _ name: String) throws(Problem) -> Timestamp? {
        guard let text = call.query[name] else { return nil }
        guard let moment = Timestamp(text) else {
            throw .invalid([.init("must be a time as RFC 3339 writes it", parameter: name)])
        }
        return moment
    }

    func ask<Value>(_ ask: () async throws(EventDoor.Failure) -> Value) async throws(Problem) -> Value {
        do {
            return try await ask()
        } catch {
            switch error {
            case .unavailable: throw .unavailable(cause: error)
            case .stateless: throw .notFound
            case .notYet(let detail): throw .notYet(detail)
            case .broken: throw .internalError(error)
            }
        }
    }
}

struct EventList: Encodable {
    var data: [EventView]
    var next: String?
    /// With what to come back for what follows; absent where a version is what to come back with.
    var resume: String?

    private enum CodingKeys: CodingKey {
        case data, next, resume
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(data, forKey: .data)
        try container.encode(next, forKey: .next)
        try container.encodeIfPresent(resume, forKey: .resume)
    }
}
