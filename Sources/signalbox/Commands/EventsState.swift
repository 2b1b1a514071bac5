internal import ArgumentParser
internal import Commands
internal import EventStore
internal import Kernel
internal import Server

extension EventsCommand {
    /// What a stream's thing was.
    struct At: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a stream's thing was at a moment, as JSON; now, when no moment is said."
        )

        @Argument(help: "The stream, e.g. instance-42.")
        var stream: StreamName

        @Option(help: "After so many events of the stream.")
        var version: Int64?

        @Option(help: "When the log had got so far.")
        var position: Int64?

        @Option(help: "After everything that was recorded at or before this time (RFC 3339).")
        var time: Timestamp?

        @OptionGroup var reach: Reach

        func validate() throws {
            guard [version != nil, position != nil, time != nil].count(where: \.self) < 2 else {
                throw ValidationError("--version, --position and --time exclude each other")
            }
            guard version ?? 0 >= 0, position ?? 0 >= 0 else {
                throw ValidationError("--version and --position are not negative")
            }
        }

        private var moment: Moment {
            if let version { return .version(version) }
            if let position { return .position(position) }
            return time.map(Moment.time) ?? .now
        }

        func run() async throws {
            let state = try await reach.state(of: stream, at: moment)
            guard let state else { throw Exit.notFound("\(stream) had no event then") }
            Terminal.say(try JSON.pretty(StreamState(state)))
        }
    }

    /// What changed.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What changed in a stream's thing between two moments.",
            discussion: "A moment is a version (3), position:17, an RFC 3339 time, or now."
        )

        @Argument(help: "The stream, e.g. instance-42.")
        var stream: StreamName

        @Option(help: "The earlier moment; before it all, when it is not said.")
        var from: Moment = .version(0)

        @Option(help: "The later moment.")
        var to: Moment = .now

        @OptionGroup var reach: Reach

        func run() async throws {
            let before = try await reach.state(of: stream, at: from)
            let after = try await reach.state(of: stream, at: to)
            guard before != nil || after != nil else { throw Exit.notFound("\(stream) had no event then") }
            let difference = StreamDifference(stream.text, from: before, to: after)
            guard !reach.json else { return Terminal.say(try JSON.pretty(difference)) }
            for change in difference.changes {
                Terminal.say("\(change.path): \(Self.text(change.before)) → \(Self.text(change.after))")
            }
        }

        private static func text(_ value: JSONValue?) -> String {
            guard let value, let bytes = try? JSON.encode(value) else { return "nothing" }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension Reach {
    fileprivate func state(of stream: StreamName, at moment: Moment) async throws -> PastState? {
        try await window { window in
            do throws(PastError) {
                return try await window.state(of: stream, at: moment)
            } catch {
                switch error {
                case .noState(let category): throw Exit.usage("nothing is folded from streams of category \(category)")
                case .notYet(let why): throw Exit.notFound(why)
                case .log(let error): throw error
                }
            }
        }
    }
}
