internal import ArgumentParser
internal import Audit
internal import EventStore
internal import Kernel
internal import Server

/// The noun `signalbox events`.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "The log: list it, follow it, look back, take it away, archive it, make it forget.",
        subcommands: [
            List.self, Show.self, Tail.self, History.self, At.self, Diff.self, Export.self, Erase.self,
            ArchiveEvents.self, Purge.self, Segments.self,
        ]
    )

    /// Which events are wanted.
    struct Filter: ParsableArguments {
        @Option(help: "Only of one stream, e.g. instance-42.")
        var stream: String?

        @Option(help: "Only of streams of one category, e.g. instance; may be repeated.")
        var category: [String] = []

        @Option(help: "Only of one type, e.g. instance.running; may be repeated.")
        var type: [String] = []

        @Option(help: "Only of one organization.")
        var organization: String?

        @Option(help: "Only of one actor, e.g. user-42.")
        var actor: String?

        var filter: EventFilter {
            get throws {
                var filter = EventFilter(
                    categories: category.isEmpty ? nil : category,
                    types: type.isEmpty ? nil : type,
                    actor: actor
                )
                if let stream {
                    guard let name = StreamName(stream) else { throw Exit.usage("\(stream) is not a stream name") }
                    filter.stream = name
                }
                if let organization {
                    guard let id = OrganizationID(organization) else {
                        throw Exit.usage("\(organization) is not an id")
                    }
                    filter.organization = id
                }
                return filter
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Events in order.")

        @OptionGroup var wanted: Filter

        @Option(help: "Begin after this position, or with the resume token of an earlier answer.")
        var after = "0"

        @Option(help: "How many, at most.")
        var limit = 1000

        @OptionGroup var reach: Reach

        func run() async throws {
            guard limit > 0 else { throw Exit.usage("--limit is not positive") }
            let filter = try wanted.filter
            let token = try ResumeToken(option: after)
            let (events, resume) = try await reach.window { window in
                try await window.history.require(token)
                let page = try await window.history.list(filter, after: token.position, limit: limit)
                return (try await window.views(page.events), try await window.history.token(at: page.scannedTo))
            }
            if reach.json { return Terminal.say(try JSON.pretty(events)) }
            var table = Table("POSITION", "RECORDED", "STREAM", "VERSION", "TYPE", "ACTOR")
            for event in events {
                table.add(
                    "\(event.position)",
                    "\(event.recordedAt)",
                    event.stream,
                    "\(event.version)",
                    event.type,
                    event.actor
                )
            }
            Terminal.say(table.text)
            Terminal.say("go on with --after \(resume)")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One event, whole.")

        @Argument(help: "Its position.")
        var position: Int64

        @OptionGroup var reach: Reach

        func run() async throws {
            let event = try await reach.window { window -> EventView? in
                guard let event = try await window.history.event(at: position) else { return nil }
                return try await window.view(event)
            }
            guard let event else { throw Exit.notFound("there is no event at \(position)") }
            Terminal.say(try JSON.pretty(event))
        }
    }

    struct Tail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Events as they happen, from now on or from --after.",
            discussion: "With --json one line of JSON for each event."
        )

        @OptionGroup var wanted: Filter

        @Option(help: "Begin after this position, or with a resume token, instead of now.")
        var after: String?

        @OptionGroup var reach: Reach

        func run() async throws {
            let filter = try wanted.filter
            let token = try after.map { try ResumeToken(option: $0) }
            try await reach.window { window in
                var position: Int64
                if let token {
                    try await window.history.require(token)
                    position = token.position
                } else {
                    position = try await window.history.frontier()
                }
                while !Task.isCancelled {
                    let page = try await window.history.next(
                        filter,
                        after: position,
                        limit: 500,
                        within: .seconds(30)
                    )
                    for event in try await window.views(page.events) { Terminal.say(line(event)) }
                    position = page.scannedTo
                }
            }
        }

        private func line(_ event: EventView) -> String {
            guard reach.json else {
                return "\(event.position)  \(event.recordedAt)  \(event.stream)  \(event.type)  \(event.actor)"
            }
            // An event that was appended as JSON can be encoded as JSON.
            return (try? String(decoding: JSON.encode(event), as: UTF8.self)) ?? "{}"
        }
    }
}

extension ResumeToken {
    /// What was given on the command line.
    fileprivate init(option text: String) throws {
        guard let token = Self(text) else {
            throw Exit.usage("--after takes a position or a resume token, not \(text)")
        }
        self = token
    }
}

extension EventHistory {
    /// Refuses to go on from another history than the log has.
    fileprivate func require(_ token: ResumeToken) async throws {
        switch try await standing(of: token) {
        case .known: return
        case .forked:
            throw Exit.conflict(
                "the log has another history at \(token.position) than the one the token is from: "
                    + "it was restored to an earlier state meanwhile"
            )
        case .beyond(let end): throw Exit.notFound("the log has no position \(token.position): it ends at \(end)")
        }
    }
}
