internal import EventStore
internal import Kernel

/// A log that leaves a span for each append that belongs to a trace.
struct TracedLog: EventLogWrapper {
    let log: any EventLog
    let recorder: SpanRecorder

    func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        guard let span = recorder.begin("append", .internal, partOf: request.causation.traceparent) else {
            return try await log.append(request)
        }
        let outcome = await attempt(request)
        var attributes: [String: JSONValue] = [
            "signalbox.actor": .string(request.causation.actor),
            "signalbox.stream": .string(request.writes.first.map { "\($0.stream)" } ?? ""),
            "signalbox.events": .integer(Int64(request.writes.reduce(0) { $0 + $1.events.count })),
        ]
        switch outcome {
        case .success(let appended):
            attributes["signalbox.position"] = .integer(appended.lastPosition)
            recorder.end(span, attributes: attributes)
        case .failure(let error):
            recorder.end(span, attributes: attributes, problem: "\(error)")
        }
        return try outcome.get()
    }

    private func attempt(_ request: AppendRequest) async -> Result<Appended, AppendError> {
        do throws(AppendError) { return .success(try await log.append(request)) } catch { return .failure(error) }
    }
}
