internal import Kernel

extension AppendRequest {
    /// How many bytes of events, answers and the like a request may carry.
    static let mostBytes = 1 << 20

    /// Everything that can be known to be wrong without asking the log; `nil` when nothing is.
    package var flaw: String? {
        if !Self.isDistinct(writes.map(\.stream)) { return "a stream is written twice" }
        if !Self.isDistinct(work.map(\.stream)) { return "work is changed twice" }
        if !Self.isDistinct(claims.map(\.step)) { return "a claim is changed twice" }
        if writes.contains(where: { if case .version(..<0) = $0.expected { true } else { false } }) {
            return "a negative version is expected"
        }
        if causation.actor.isEmpty || causation.actor.utf8.count > 200 { return "the actor is not a principal" }
        if weight > Self.mostBytes { return "the request is larger than 1 MiB" }
        let events = writes.flatMap(\.events)
        if !Self.isDistinct(events.map(\.id)) { return "two events have one id" }
        if let event = events.first(where: { !Self.isType($0.type) }) { return "\(event.type) is not an event type" }
        return nil
    }

    /// Roughly how many bytes it takes to send.
    var weight: Int {
        writes.reduce(command.map { $0.answer.count + 256 } ?? 256) { sum, write in
            write.events.reduce(sum + 128) { $0 + $1.payload.count + 96 }
        } + 128 * (claims.count + work.count)
    }

    /// What is written of the causation beside its columns, as JSON.
    package var metadata: String {
        guard let traceparent = causation.traceparent else { return "{}" }
        // W3C: lower-case hexadecimal and dashes; whatever else came in is not a trace.
        let isTrace =
            traceparent.utf8.count <= 128
            && traceparent.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
                default: byte == UInt8(ascii: "-")
                }
            }
        return isTrace ? #"{"traceparent":"\#(traceparent)"}"# : "{}"
    }

    private static func isDistinct(_ values: [some Hashable]) -> Bool {
        values.count < 2 || Set(values).count == values.count
    }

    /// `category.kebab-case`.
    private static func isType(_ text: String) -> Bool {
        (3...100).contains(text.utf8.count)
            && text.utf8.contains(UInt8(ascii: "."))
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
                }
            }
    }
}

extension ClaimChange {
    /// One direction of one claim; a request may release a name and take it for another stream.
    struct Step: Hashable {
        let claim: Claim
        let takes: Bool
    }

    var step: Step {
        switch self {
        case .take(let claim, for: _): Step(claim: claim, takes: true)
        case .release(let claim, by: _): Step(claim: claim, takes: false)
        }
    }

    var stream: StreamName {
        switch self {
        case .take(_, for: let stream), .release(_, by: let stream): stream
        }
    }
}

extension ExpectedVersion {
    /// As `log.append` takes it.
    var wire: Int64 {
        switch self {
        case .any: -1
        case .exists: -2
        case .none: 0
        case .version(let version): version
        }
    }
}
