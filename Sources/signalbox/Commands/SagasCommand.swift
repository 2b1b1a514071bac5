internal import ArgumentParser
internal import Kernel
internal import Sagas

/// The noun `signalbox sagas`.
struct SagasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sagas",
        abstract: "Long processes: what they did and what is next.",
        subcommands: [
            List.self, Show.self, Watch.self, Retry.self, Park.self, Resume.self, Skip.self, SetOutput.self,
            Cancel.self, Abandon.self, Migrate.self, RebuildWork.self,
        ]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The sagas that have something to do, newest first; --status for the others."
        )

        @Option(help: "Only those that are queued, running, waiting, compensating, completed, compensated, parked, …")
        var status: String?

        @Option(help: "Only those of this kind, such as provision-instance.")
        var kind: String?

        @Option(help: "Only those whose step talks to this, such as nomad.")
        var target: String?

        @Option(help: "Only those in this lane, such as instance-42.")
        var lane: String?

        @Flag(help: "Only those that wait for a person.")
        var parked = false

        @Flag(help: "Only those that are parked, or should have been through by now.")
        var stuck = false

        @OptionGroup var size: PageSize

        @OptionGroup var desk: SagaDesk

        func validate() throws {
            if let status, !Self.states.contains(status) { throw ValidationError("\(status) is not a status") }
            if parked, status != nil { throw ValidationError("say either --parked or --status") }
        }

        func run() async throws {
            let wish = SagaWish(
                statuses: parked ? ["parked"] : status.map { [$0] },
                kind: kind,
                target: target,
                lane: lane,
                stuck: stuck
            )
            let page = try await desk.list(wish, limit: size.limit)
            guard !desk.reach.json else { return Terminal.say(try JSON.pretty(page)) }
            Terminal.say(Self.table(page, at: IDSource.system.now()).text)
            if page.next != nil { Terminal.complain("(there are more than \(size.limit))") }
        }

        static let states = [
            "queued", "running", "waiting", "compensating", "parked", "completed", "compensated", "abandoned",
            "superseded",
        ]

        static func table(_ page: SagaPage, at now: Timestamp) -> Table {
            var table = Table("SAGA", "KIND", "LANE", "STATUS", "STEP", "TARGET", "NEXT")
            for one in page.data {
                let next =
                    one.owner.map { "held by \($0)" }
                    ?? one.wakeAt.map { $0 > now ? "in \(SagaPicture.text($0 - now))" : "due" } ?? ""
                table.add(one.id, one.kind, one.lane, one.status, one.step ?? "", one.target ?? "", next)
            }
            return table
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One saga: its steps in time, what was tried, and what is next and why."
        )

        @Argument(help: "Its id, as `sagas list` and the API's operations show it.")
        var id: String

        @OptionGroup var desk: SagaDesk

        func run() async throws {
            let view = try await desk.show(try SagaDesk.id(id))
            guard !desk.reach.json else { return Terminal.say(try JSON.pretty(view)) }
            Terminal.say(SagaPicture(view, at: IDSource.system.now()).lines.joined(separator: "\n"))
        }
    }
}
