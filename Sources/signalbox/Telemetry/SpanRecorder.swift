internal import Kernel
internal import Metrics
internal import Synchronization

/// Takes spans until somebody sends them away; never makes anybody wait, and lets go of what is too much.
final class SpanRecorder: Sendable {
    private let spans = Mutex<[TraceSpan]>([])
    private let limit: Int
    private let ids: IDSource
    private let redact: Redaction

    /// - Parameters:
    ///   - limit: How many are kept at most.
    ///   - ids: Time and chance.
    ///   - redact: Takes out of problems what nobody may read.
    init(limit: Int = 4096, ids: IDSource = .system, redact: Redaction = Redaction()) {
        self.limit = limit
        self.ids = ids
        self.redact = redact
    }

    /// Begins a part of the trace that a `traceparent` names.
    ///
    /// - Returns: `nil` when there is no such trace, or nobody wants to see it.
    func begin(_ name: String, _ kind: TraceSpan.Kind, partOf traceparent: String?) -> OpenSpan? {
        let fields = (traceparent ?? "").split(separator: "-").map(String.init)
        guard fields.count >= 4, let flags = UInt8(fields[3], radix: 16), flags & 1 == 1 else { return nil }
        return begin(name, kind, trace: fields[1], parent: fields[2])
    }

    private func begin(_ name: String, _ kind: TraceSpan.Kind, trace: String, parent: String) -> OpenSpan {
        let random = max(1, ids.random())
        let id = Hex.text((0..<8).map { UInt8(truncatingIfNeeded: random >> (56 - 8 * UInt64($0))) })
        return OpenSpan(trace: trace, id: id, parent: parent, name: name, kind: kind, start: ids.now())
    }

    /// Ends a span and keeps it.
    func end(_ span: OpenSpan, attributes: [String: JSONValue] = [:], problem: String? = nil) {
        keep(
            TraceSpan(
                trace: span.trace,
                id: span.id,
                parent: span.parent,
                name: span.name,
                kind: span.kind,
                start: span.start,
                end: ids.now(),
                attributes: attributes,
                problem: problem
            )
        )
    }

    /// Keeps a span that has ended, unless there are too many.
    func keep(_ span: TraceSpan) {
        var span = span
        span.problem = span.problem.map { redact($0) }
        let isKept = spans.withLock { spans in
            guard spans.count < limit else { return false }
            spans.append(span)
            return true
        }
        if !isKept { SpanMeters.lost.increment() }
    }

    /// The oldest spans, which are kept here no longer.
    func take(_ most: Int) -> [TraceSpan] {
        spans.withLock { spans in
            let taken = Array(spans.prefix(most))
            spans.removeFirst(taken.count)
            return taken
        }
    }
}

/// What becomes of spans.
enum SpanMeters {
    static let sent = counter("sent")
    /// There were too many of them.
    static let lost = counter("lost")
    /// The collector did not take them.
    static let refused = counter("refused")

    /// Has them told as zero before the first span.
    static func begin() { for meter in [sent, lost, refused] { meter.increment(by: 0) } }

    private static func counter(_ outcome: String) -> Counter {
        Counter(label: "signalbox_spans_total", dimensions: [("outcome", outcome)])
    }
}
