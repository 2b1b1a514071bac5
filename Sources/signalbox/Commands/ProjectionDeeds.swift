internal import ArgumentParser
internal import Kernel
internal import Projections

/// What an operator does to the builds of a read model; each deed is an event with who and why.
protocol ProjectionDeedCommand: AsyncParsableCommand {
    var given: ProjectionOrder { get }
    var verb: ProjectionVerb { get }
}

/// What every such command asks for.
struct ProjectionOrder: ParsableArguments {
    @Option(help: "Why; it stands in the log.")
    var reason: String

    @OptionGroup var counter: ProjectionCounter
}

extension ProjectionDeedCommand {
    func run() async throws {
        let receipt = try await given.counter.act(verb, reason: given.reason)
        guard !given.counter.reach.json else { return Terminal.say(try JSON.pretty(receipt)) }
        if let position = receipt.blockedAt {
            throw Exit.failed("it is blocked by the event at \(position) now")
        }
        let build = receipt.build.map { ", build \($0)" } ?? ""
        Terminal.say("\(receipt.name)\(build): \(verb.name.rawValue) is done")
    }
}

extension ProjectionsCommand {
    struct Switch: ProjectionDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show another build; no read fails, and none sees two builds."
        )
        @Option(help: "Which; the newest that was rebuilt and not shown yet.")
        var build: Int?
        @Flag(help: "Although it is not equal to what is shown.")
        var acceptDifferences = false
        @OptionGroup var given: ProjectionOrder
        var verb: ProjectionVerb { .show(build: build, acceptingDifferences: acceptDifferences) }
    }

    struct Rollback: ProjectionDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the build again that was shown before; it was kept fed, so it is there at once."
        )
        @OptionGroup var given: ProjectionOrder
        var verb: ProjectionVerb { .rollBack }
    }

    struct Pause: ProjectionDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Have a rebuild stop where it is.")
        @OptionGroup var given: ProjectionOrder
        var verb: ProjectionVerb { .pause }
    }

    struct Resume: ProjectionDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Have a paused rebuild go on.")
        @OptionGroup var given: ProjectionOrder
        var verb: ProjectionVerb { .resume }
    }

    struct Cancel: ProjectionDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Drop a rebuild under way, or a build that is not shown."
        )
        @Option(help: "Which build; that of the rebuild under way when it is not said.")
        var build: Int?
        @OptionGroup var given: ProjectionOrder
        var verb: ProjectionVerb { .cancel(build: build) }
    }

    struct Retry: ProjectionDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fold what a blocked organization missed, and have it fed like any other again."
        )
        @OptionGroup var whose: BlockedOrganization
        @OptionGroup var given: ProjectionOrder
        var verb: ProjectionVerb { .retry(whose.id) }
    }

    struct Skip: ProjectionDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "The same without the event that blocks it, now and in every rebuild."
        )
        @OptionGroup var whose: BlockedOrganization
        @OptionGroup var given: ProjectionOrder
        var verb: ProjectionVerb { .skip(whose.id) }
    }
}

/// Whose events are blocked.
struct BlockedOrganization: ParsableArguments {
    @Option(help: "The id of the organization; without it, what belongs to none.")
    var organization: String?

    var id: OrganizationID? { organization.flatMap { OrganizationID($0) } }

    func validate() throws {
        guard organization == nil || id != nil else { throw ValidationError("--organization is not an id") }
    }
}
