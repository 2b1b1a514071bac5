internal import ArgumentParser
internal import Domain
internal import Kernel

/// The noun `signalbox rollouts`.
struct RolloutsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollouts",
        abstract: "Giving a release to all instances, wave after wave.",
        subcommands: [Start.self, List.self, Show.self, Pause.self, Resume.self, Abort.self]
    )

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin to give a release to all instances.",
            discussion: """
                Each wave goes so far, counted from the beginning: --waves 1,10%,50%,100% begins with one instance. A wave
                is watched for the bake time before the next one; one failure more than is tolerated pauses it.
                """
        )

        @Option(help: "The version; GET /v1/admin/releases lists them.")
        var release: String

        @Option(help: "How far each wave goes, separated by commas.")
        var waves = "1,10%,50%,100%"

        @Option(help: "For so many seconds a wave is watched before the next one.")
        var bake: Int64 = 600

        @Option(help: "So many instances of a wave may fail.")
        var tolerate: Int64 = 0

        @Option(help: "zero-downtime or rolling.")
        var strategy = ReleaseStrategy.zeroDowntime

        @OptionGroup var reach: Reach

        func run() async throws {
            let (url, key) = try reach.api(asOperator: true)
            let body: JSONValue = [
                "version": .string(release), "strategy": .string(strategy.rawValue),
                "waves": .array(waves.split(separator: ",").map { .string(String($0)) }),
                "bakeSeconds": .integer(bake), "toleratedFailures": .integer(tolerate),
            ]
            let answer = try await APIClient(url: url, key: key).send("POST", "/v1/admin/rollouts", body: body)
            let id = answer.body["rollout"]?["id"]?.string ?? ""
            Terminal.say(reach.json ? try JSON.pretty(answer.body) : "rollout \(id)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The newest roll-outs.")

        @OptionGroup var reach: Reach

        func run() async throws {
            let (url, key) = try reach.api(asOperator: true)
            let answer = try await APIClient(url: url, key: key).send("GET", "/v1/admin/rollouts")
            if reach.json { return Terminal.say(try JSON.pretty(answer.body)) }
            for rollout in answer.body["data"]?.array ?? [] { Terminal.say(RolloutsCommand.line(rollout)) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One roll-out, with how far each of its waves is.")

        @Argument(help: "Its id.")
        var id: String

        @OptionGroup var reach: Reach

        func run() async throws {
            let (url, key) = try reach.api(asOperator: true)
            let answer = try await APIClient(url: url, key: key).send("GET", try RolloutsCommand.path(id))
            if reach.json { return Terminal.say(try JSON.pretty(answer.body)) }
            Terminal.say(RolloutsCommand.line(answer.body))
            for wave in answer.body["waves"]?.array ?? [] {
                let figures = ["asked", "changed"].map { "\(wave[$0]?.integer ?? 0) \($0)" }
                let lists = ["failed", "skipped"].map { "\(wave[$0]?.array?.count ?? 0) \($0)" }
                let text = (figures + lists).joined(separator: ", ")
                Terminal.say("  \(wave["target"]?.string ?? "") \(wave["status"]?.string ?? ""): \(text)")
                for id in wave["failed"]?.array ?? [] { Terminal.say("    failed: \(id.string ?? "")") }
                for found in wave["skipped"]?.array ?? [] {
                    Terminal.say("    skipped: \(found["instance"]?.string ?? ""), \(found["reason"]?.string ?? "")")
                }
            }
        }
    }

    struct Pause: RolloutSteering {
        static let configuration = CommandConfiguration(
            abstract: "Let no further wave begin; what is under way goes on."
        )
        static let verb = "pause"
        @OptionGroup var wish: RolloutReason
    }

    struct Resume: RolloutSteering {
        static let configuration = CommandConfiguration(abstract: "Go on with a roll-out that is paused.")
        static let verb = "resume"
        @OptionGroup var wish: RolloutReason
    }

    struct Abort: RolloutSteering {
        static let configuration = CommandConfiguration(
            abstract: "Begin no further wave; what is under way ends, and nothing is taken back."
        )
        static let verb = "abort"
        @OptionGroup var wish: RolloutReason
    }

    fileprivate static func path(_ id: String) throws -> String {
        guard RolloutID(id) != nil else { throw Exit.usage("\(id) is not a rollout id") }
        return "/v1/admin/rollouts/" + id
    }

    fileprivate static func line(_ rollout: JSONValue) -> String {
        let reason = rollout["reason"]?.string.map { " (\($0))" } ?? ""
        return [rollout["id"], rollout["version"], rollout["status"]].map { $0?.string ?? "" }.joined(separator: "  ")
            + reason
    }
}

/// A word to a roll-out that runs.
protocol RolloutSteering: AsyncParsableCommand {
    /// The last segment of the path.
    static var verb: String { get }
    var wish: RolloutReason { get }
}

/// What every such command asks for.
struct RolloutReason: ParsableArguments {
    @Argument(help: "The roll-out's id.")
    var id: String

    @Option(help: "Why; it stands in the log.")
    var reason: String

    @OptionGroup var reach: Reach
}

extension RolloutSteering {
    func run() async throws {
        let (url, key) = try wish.reach.api(asOperator: true)
        let path = try RolloutsCommand.path(wish.id)
        let body: JSONValue = ["reason": .string(wish.reason)]
        _ = try await APIClient(url: url, key: key).send("POST", path + "/" + Self.verb, body: body)
        if !wish.reach.json { Terminal.say("rollout \(wish.id): \(Self.verb)") }
    }
}
