internal import HTTPTypes
internal import Kernel

/// Everything an auditor may see, to take away.
extension API {
    var exportRoutes: [Route] {
        [
            Route(
                .get,
                "/v1/events/export",
                "exportEvents",
                "All events that are wanted, one JSON document on each line, up to what is durable now.",
                access: .scope(.read),
                parameters: Self.eventParameters + [
                    .init("through", .position, "The last position; the durable frontier when it is not said."),
                    .init("format", .oneOf(EventExport.allCases.map(\.rawValue)), "`jsonl` when it is not said."),
                ],
                success: .init(.ok, .text, type: EventExport.mediaType),
                handler: export
            )
        ]
    }

    private func export(_ call: Call) async throws(Problem) -> Answer {
        let wish = try await wish(call)
        let format = call.query["format"].flatMap { EventExport(rawValue: $0) } ?? .jsonl
        let start = EventDoor.Place(after: try await beginning(call))
        let frontier = try await ask { () throws(EventDoor.Failure) in try await backend.events.frontier() }
        let end = min(frontier, call.query["through"].flatMap { Int64($0) } ?? .max)
        // The first page is read before anything is answered, so that what cannot be answered at all is a problem.
        let first = try await ask { () throws(EventDoor.Failure) in try await backend.events.export(wish, start, end) }
        return Answer(
            headers: [.logPosition: String(end)],
            body: .stream(type: EventExport.mediaType) { sink in
                var (events, place) = first
                while true {
                    let lines = try events.flatMap { try format.line($0) }
                    if !lines.isEmpty { try await sink.write(lines) }
                    guard let next = place else { return }
                    (events, place) = try await backend.events.export(wish, next, end)
                }
            }
        )
    }
}

/// What each line of an export is.
package enum EventExport: String, Sendable, CaseIterable {
    /// The event as the API shows it.
    case jsonl
    /// A CloudEvent in JSON, as CloudEvents 1.0 defines it.
    case cloudevents

    package static let mediaType = "application/x-ndjson"

    /// One event with the line break after it.
    ///
    /// - Throws: `EncodingError`, which no event of the log causes.
    package func line(_ event: EventView) throws -> [UInt8] {
        var bytes: [UInt8] =
            switch self {
            case .jsonl: try JSON.encode(event)
            case .cloudevents: try JSON.encode(event.cloudEvent)
            }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }
}
