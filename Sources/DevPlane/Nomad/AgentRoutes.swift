internal import HTTPTypes
internal import Kernel
internal import Logging

/// Nomad's HTTP API, as far as it is spoken here: which request goes where, and what it waits for.
struct AgentRoutes: Sendable {
    let store: AgentStore
    let bell: Bell
    let token: String?
    let heartbeat: Duration
    let logger: Logger

    /// Answers one request; a read with `index` waits until there is something newer.
    func answer(_ call: Call) async -> Answer {
        if call.path == "/" || call.path.isEmpty { return .empty(307, headers: ["Location": "/ui/"]) }
        guard call.segments.first == "v1", call.segments.count > 1 else { return .empty(404) }
        if let refusal = refusal(of: call) { return refusal }
        do throws(Refusal) {
            if call.segments == ["v1", "event", "stream"] { return try stream(call) }
            guard call.method == "GET" else { return await once(call) }
            return try await blocking(call)
        } catch {
            return .text(error.text, status: error.status)
        }
    }

    private func refusal(of call: Call) -> Answer? {
        guard let token, call.segments[1] != "status" else { return nil }
        let bearer = call.header("Authorization").flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
        switch call.header("X-Nomad-Token") ?? bearer {
        case token: return nil
        case nil, "": return .text("Permission denied", status: 403)
        default: return .text("ACL token not found", status: 403)
        }
    }

    private func once(_ call: Call) async -> Answer {
        do {
            return try await store.answer(call)
        } catch let refusal as Refusal {
            return .text(refusal.text, status: refusal.status)
        } catch {
            logger.error("request failed", metadata: ["path": "\(call.path)", "error": "\(error)"])
            return .text("\(error)", status: 500)
        }
    }

    /// Waits for a newer index, as long as the request says and Nomad allows.
    private func blocking(_ call: Call) async throws(Refusal) -> Answer {
        var known: Int64 = 0
        if let text = call.parameter("index") {
            guard let index = Int64(text), index >= 0 else { throw Refusal("Invalid index", status: 400) }
            known = index
        }
        var wait = Duration.seconds(300)
        if let text = call.parameter("wait") {
            guard let span = Self.duration(text) else { throw Refusal("Invalid wait time", status: 400) }
            wait = min(span == .zero ? wait : span, .seconds(300))
        }
        if let stale = call.parameter("stale"), !["", "true", "false"].contains(stale) {
            throw Refusal("Expect `true` or `false` for `stale` query string parameter", status: 400)
        }
        let deadline = ContinuousClock.now + wait
        while true {
            let count = bell.count
            var answer = await once(call)
            answer.headers.merge(["X-Nomad-LastContact": "0", "X-Nomad-KnownLeader": "true"]) { own, _ in own }
            let index = answer.headers["X-Nomad-Index"].flatMap { Int64($0) }
            guard known > 0, let index, index <= known, ContinuousClock.now < deadline, !bell.isClosed,
                !Task.isCancelled
            else {
                return answer
            }
            await bell.wait(after: count, limit: deadline - ContinuousClock.now)
        }
    }

    /// A duration as Go writes it: `30s`, `1m30s`, `500ms`.
    static func duration(_ text: String) -> Duration? {
        let units: [(String, Duration)] = [
            ("ns", .nanoseconds(1)), ("us", .microseconds(1)), ("ms", .milliseconds(1)), ("s", .seconds(1)),
            ("m", .seconds(60)), ("h", .seconds(3600)),
        ]
        var rest = text[...]
        var total = Duration.zero
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            let name = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let number = Double(digits), let unit = units.first(where: { $0.0 == name })?.1 else { return nil }
            total += unit * number
            rest = rest.dropFirst(digits.count + name.count)
        }
        return text.isEmpty ? nil : total
    }

    // MARK: - Events

    /// `GET /v1/event/stream`: one JSON object a line, `{}` at once and while nothing happens.
    private func stream(_ call: Call) throws(Refusal) -> Answer {
        guard call.method == "GET" else { throw Refusal("Invalid method", status: 405) }
        let text = call.parameter("index") ?? "0"
        guard let index = Int64(text), index >= 0 else {
            throw Refusal(
                "Unable to parse index: strconv.ParseUint: parsing \"\(text)\": invalid syntax",
                status: 400
            )
        }
        var topics: [(topic: String, key: String)] = []
        for text in call.query["topic"] ?? ["*"] {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count < 3, !parts[0].isEmpty else {
                throw Refusal("Invalid topic query: Invalid key value pair for topic, topic: \(text)", status: 400)
            }
            topics.append((parts[0], parts.count > 1 ? parts[1] : "*"))
        }
        let reader = EventReader(events: store.events, bell: bell, index: index, topics: topics, heartbeat: heartbeat)
        return Answer(
            status: 200,
            headers: ["Content-Type": "application/json"],
            body: .stream(AsyncStream(unfolding: { await reader.next() }))
        )
    }
}

/// One reader's place in the event stream.
private actor EventReader {
    private let events: EventBuffer
    private let bell: Bell
    private let topics: [(topic: String, key: String)]
    private let heartbeat: Duration
    private var index: Int64
    private var hasBegun = false

    init(events: EventBuffer, bell: Bell, index: Int64, topics: [(topic: String, key: String)], heartbeat: Duration) {
        self.events = events
        self.bell = bell
        self.topics = topics
        self.heartbeat = heartbeat
        // An index that is newer than everything gets the last batch again, as Nomad does.
        self.index = min(index, events.last?.index ?? index)
    }

    func next() async -> String? {
        guard hasBegun else {
            hasBegun = true
            return "{}\n"
        }
        let deadline = ContinuousClock.now + heartbeat
        while !bell.isClosed, !Task.isCancelled {
            let count = bell.count
            for batch in events.batches(from: index) {
                index = batch.index + 1
                if let line = batch.line(for: topics) { return line }
            }
            let rest = deadline - ContinuousClock.now
            guard rest > .zero else { return "{}\n" }
            await bell.wait(after: count, limit: rest)
        }
        return nil
    }
}
