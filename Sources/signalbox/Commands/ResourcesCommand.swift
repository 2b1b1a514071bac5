internal import ArgumentParser
internal import Domain
internal import Kernel
internal import Sagas

/// The noun `signalbox resources`.
struct ResourcesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resources",
        abstract: "What sagas meant to make outside, and what became of it.",
        subcommands: [List.self, Orphans.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Everything that was ever intended and is not known to be gone."
        )

        @Option(help: "Only those of this kind: database, role, job, variable, route, subscription, customer, …")
        var kind: String?

        @Option(help: "Only those that are intended, present, deleting or gone.")
        var state: String?

        @Option(help: "Only those of this instance: its id.")
        var instance: String?

        @Option(help: "Only those that this saga last meant to do something to: its id.")
        var saga: String?

        @Flag(help: "What is gone, too.")
        var all = false

        @OptionGroup var size: PageSize

        @OptionGroup var reach: Reach

        func run() async throws {
            try await ResourcesCommand.show(
                ["kind": kind, "state": state, "instance": instance, "saga": saga, "all": all ? "true" : nil],
                size.limit,
                reach
            )
        }
    }

    struct Orphans: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What is, or may be, there and nobody looks after.",
            discussion: """
                What was intended by a saga that was taken back or given up, and what is neither there nor gone although \
                nobody works on it. Something that was put aside is no orphan before its time.
                """
        )

        @OptionGroup var size: PageSize

        @OptionGroup var reach: Reach

        func run() async throws {
            try await ResourcesCommand.show(["orphans": "true"], size.limit, reach)
        }
    }

    private static func show(_ wish: [String: String?], _ limit: Int, _ reach: Reach) async throws {
        let (url, key) = try reach.api(asOperator: true)
        let page: ResourcePage = try await APIClient(url: url, key: key)
            .page("/v1/admin/resources", wish, limit: limit)
        guard !reach.json else { return Terminal.say(try JSON.pretty(page)) }
        var table = Table("KIND", "NAME", "STATE", "INSTANCE", "GENERATION", "SAGA", "STEP", "SEEN")
        for row in page.data {
            table.add(
                row.kind.rawValue,
                row.name,
                row.until.map { "\(row.state.rawValue) after \($0)" } ?? row.state.rawValue,
                row.instance ?? "",
                row.generation.map(String.init) ?? "",
                row.saga,
                row.step,
                row.observedAt.map { "\($0)" } ?? ""
            )
        }
        Terminal.say(table.text)
        if page.next != nil { Terminal.complain("(there are more than \(limit))") }
    }
}
