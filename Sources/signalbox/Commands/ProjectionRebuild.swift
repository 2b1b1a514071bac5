internal import ArgumentParser
internal import Kernel
internal import Projections

extension ProjectionsCommand {
    /// Builds anew, and looks on.
    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Build a read model anew beside the one that is shown, and switch when the two are equal.",
            discussion: """
                It is readable all the while. A build that is not equal stays beside, kept fed, for you to look at: \
                `switch --accept-differences` shows it, `cancel` drops it. Stopping this command does not stop the \
                rebuild, unless it runs --directly: then it is gone on with when it is called up again.
                """
        )

        @Option(help: "Why; it stands in the log.")
        var reason: String

        @Option(help: "Fold no further than this; the build is to be looked at, and never shown.")
        var toPosition: Int64?

        @Option(help: "The same by a time (RFC 3339): everything that was recorded at or before it.")
        var asOf: Timestamp?

        @Option(help: "How many workers fold, 1 to 16.")
        var parallel = 2

        @Flag(help: "Compare, and drop what was built.")
        var dryRun = false

        @Flag(help: "Leave it to `switch` to show it.")
        var noSwitch = false

        @Flag(help: "Do not wait for its end.")
        var detach = false

        @OptionGroup var counter: ProjectionCounter

        func validate() throws {
            guard (1...16).contains(parallel) else { throw ValidationError("--parallel is 1 to 16") }
            guard toPosition.map({ $0 >= 0 }) ?? true else { throw ValidationError("--to-position is 0 or more") }
            guard toPosition == nil || asOf == nil else {
                throw ValidationError("--to-position and --as-of exclude each other")
            }
        }

        func run() async throws {
            let order = RebuildOrder(
                until: toPosition,
                asOf: asOf,
                parallel: parallel,
                isDry: dryRun,
                switches: !noSwitch
            )
            let receipt = try await counter.act(.rebuild(order), reason: reason)
            if detach {
                Terminal.say(
                    counter.reach.json ? try JSON.pretty(receipt) : "build \(receipt.build ?? 0) is under way"
                )
                return
            }
            let bar = Progress("events")
            let json = counter.reach.json
            try await counter.follow { state in
                if json {
                    Terminal.say(String(decoding: try JSON.encode(state), as: UTF8.self))
                } else {
                    bar.show(state.position, of: state.goal, note: Self.note(state))
                }
            }
            bar.end()
            let state = try await counter.rebuilds().first { $0.build == receipt.build }
            guard let state else { throw Exit.failed("the rebuild is gone") }
            if !json { Terminal.say(Self.verdict(state)) }
            switch state.phase {
            case .done, .ready, .held: break
            case .unequal: throw ExitCode(Exit.failed.rawValue)
            case .cancelled: throw Exit.failed("it was cancelled")
            default: throw Exit.failed(state.error ?? "it is \(state.phase.rawValue)")
            }
        }

        private static func note(_ state: RebuildState) -> String {
            var parts = [state.paused ? "paused" : state.phase.rawValue]
            if state.eventsPerSecond > 0 { parts.append("\(Int(state.eventsPerSecond)) events/s") }
            if let left = state.secondsLeft { parts.append("\(Int(left.rounded(.up))) s left") }
            return parts.joined(separator: ", ")
        }

        private static func verdict(_ state: RebuildState) -> String {
            let head = "build \(state.build) of \(state.name): \(state.phase.rawValue), \(state.events) events"
            guard let verdict = state.verdict else { return head }
            guard !verdict.isEqual else { return head + ", \(verdict.rows) rows as before" }
            return head + ", \(verdict.rows) rows where \(verdict.liveRows) are shown; not the same: "
                + verdict.differing.map(Table.printable).joined(separator: ", ")
        }
    }

    struct Rebuilds: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "builds",
            abstract: "The rebuilds of a read model, and what came of them."
        )

        @OptionGroup var counter: ProjectionCounter

        func run() async throws {
            let states = try await counter.rebuilds()
            guard !counter.reach.json else { return Terminal.say(try JSON.pretty(states)) }
            var table = Table("BUILD", "PHASE", "PERCENT", "EVENTS", "ROWS", "EQUAL", "STARTED", "ERROR")
            for state in states {
                table.add(
                    "\(state.build)",
                    state.paused ? "\(state.phase.rawValue) (paused)" : state.phase.rawValue,
                    "\(Int(state.percent))",
                    "\(state.events)",
                    state.verdict.map { "\($0.rows)" } ?? "",
                    state.verdict.map { $0.isEqual ? "yes" : "no" } ?? "",
                    "\(state.startedAt)",
                    state.error ?? ""
                )
            }
            Terminal.say(table.text)
        }
    }
}
