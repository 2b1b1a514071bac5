internal import ArgumentParser
internal import Audit
internal import EventStore
internal import Kernel
internal import Server

extension EventExport: ExpressibleByArgument {}

extension EventsCommand {
    /// What happened in one stream.
    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What happened in one stream, event by event.",
            discussion: "With --json one line of JSON for each event."
        )

        @Argument(help: "The stream, e.g. instance-42.")
        var stream: StreamName

        @Option(help: "Only of one type, e.g. instance.running; may be repeated.")
        var type: [String] = []

        @Option(help: "Only of one actor, e.g. user-42.")
        var actor: String?

        @OptionGroup var stretch: Stretch

        @OptionGroup var reach: Reach

        func run() async throws {
            var filter = EventFilter(types: type.isEmpty ? nil : type, stream: stream, actor: actor)
            stretch.limit(&filter)
            let exists = try await reach.window { window in
                let exists = try await !window.history.stream(stream, after: 0, limit: 1).isEmpty
                try await stretch.walk(window, filter) { event in
                    if reach.json { return try Terminal.write(EventExport.jsonl.line(event)) }
                    let data = String(decoding: try JSON.encode(event.data), as: UTF8.self)
                    Terminal.say("\(event.version)  \(event.recordedAt)  \(event.type)  \(event.actor)  \(data)")
                }
                return exists
            }
            guard exists else { throw Exit.notFound("there is no stream \(stream)") }
        }
    }

    /// Everything that is wanted, to take away.
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every event that is wanted, one JSON document on each line.",
            discussion: "It ends at what is durable when it begins, and holds a page of it at a time."
        )

        @Option(help: "jsonl: the event as the API shows it; cloudevents: CloudEvents 1.0.")
        var format = EventExport.jsonl

        @OptionGroup var wanted: Filter

        @OptionGroup var stretch: Stretch

        @OptionGroup var reach: Reach

        func run() async throws {
            var filter = try wanted.filter
            stretch.limit(&filter)
            try await reach.window { window in
                try await stretch.walk(window, filter) { event in try Terminal.write(format.line(event)) }
            }
        }
    }

    /// A stretch of the log, by position and by time.
    struct Stretch: ParsableArguments {
        @Option(help: "Begin after this position of the log (not a version of a stream).")
        var after: Int64 = 0

        @Option(help: "End at this position of the log.")
        var through: Int64?

        @Option(help: "Only what was recorded at or after this time (RFC 3339).")
        var from: Timestamp?

        @Option(help: "Only what was recorded before this time (RFC 3339).")
        var to: Timestamp?

        func validate() throws {
            guard after >= 0, through.map({ $0 >= 0 }) ?? true else {
                throw ValidationError("--after and --through are not negative")
            }
        }

        func limit(_ filter: inout EventFilter) {
            filter.from = from
            filter.to = to
        }

        /// Gives everything in it to `take`, page after page.
        func walk(_ window: LogWindow, _ filter: EventFilter, _ take: (EventView) throws -> Void) async throws {
            let frontier = try await window.history.frontier()
            guard after <= frontier else {
                throw Exit.notFound("the log has no position \(after): it ends at \(frontier)")
            }
            let end = min(frontier, through ?? .max)
            var place = EventHistory.Place(after: after)
            while let events = try await window.history.page(filter, from: &place, through: end) {
                for view in try await window.views(events) { try take(view) }
            }
        }
    }
}
