internal import ArgumentParser
internal import Kernel
internal import Sagas

/// What an operator makes a saga do; each deed is an event with identity and reason, for a version that was seen.
protocol SagaDeedCommand: AsyncParsableCommand {
    var given: SagaOrder { get }
    func verb() throws -> SagaVerb
}

/// What every such command asks for.
struct SagaOrder: ParsableArguments {
    @Argument(help: "The saga's id.")
    var id: String

    @Option(help: "Why; it stands in the log.")
    var reason: String

    @Option(help: "The version of the saga that `sagas show` told; refused when it has moved on.")
    var version: Int64

    @Option(help: "A key of your own: the same command with the same key again is the same deed.")
    var key: String?

    @OptionGroup var desk: SagaDesk
}

extension SagaDeedCommand {
    func run() async throws {
        let verb = try verb()
        let status = try await given.desk.act(verb, on: try SagaDesk.id(given.id), given)
        if given.desk.reach.json {
            Terminal.say(try JSON.pretty(["id": .string(given.id), "status": .string(status)] as JSONValue))
        } else {
            Terminal.say("\(given.id): \(verb.name.rawValue) is in the log; the saga is \(status)")
        }
    }
}

extension SagasCommand {
    struct Retry: SagaDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Try the present step again, now.")
        @OptionGroup var given: SagaOrder
        func verb() -> SagaVerb { .retry }
    }

    struct Park: SagaDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Stop working on it until somebody resumes it.")
        @OptionGroup var given: SagaOrder
        func verb() -> SagaVerb { .park }
    }

    struct Resume: SagaDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Go on with a parked saga.")
        @OptionGroup var given: SagaOrder
        func verb() -> SagaVerb { .resume }
    }

    struct Skip: SagaDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pass over the present step, or on the way back the undo of a step.",
            discussion: """
                What a step that was begun may have made is still taken back later. What an undo that is passed over should \
                have taken back stays there, and the resource ledger names it.
                """
        )
        @Option(help: "Which; the present one when it is not said.")
        var step: String?
        @Flag(help: "Although later steps are built on it, or something stays behind.")
        var force = false
        @OptionGroup var given: SagaOrder
        func verb() -> SagaVerb { .skip(step: step, force: force) }
    }

    struct SetOutput: SagaDeedCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-output",
            abstract: "Say what a step left, as if it had succeeded; or say it anew.",
            discussion: """
                `sagas show --json` tells the names that a step leaves; later steps look for them. Never a secret.
                """
        )
        @Argument(help: "The step.")
        var step: String
        @Option(help: "A JSON object, by the names that later steps look for.")
        var output: String
        @Option(help: "How you know: a JSON object, or text.")
        var evidence: String
        @OptionGroup var given: SagaOrder

        func verb() throws -> SagaVerb {
            guard let output = Self.json(output), output.object != nil else {
                throw Exit.usage("--output is not a JSON object")
            }
            let known = Self.json(evidence).flatMap { $0.object == nil ? nil : $0 } ?? ["text": .string(evidence)]
            return .setOutput(step: step, output, evidence: known)
        }

        private static func json(_ text: String) -> JSONValue? {
            try? JSON.decode(JSONValue.self, from: Array(text.utf8))
        }
    }

    struct Cancel: SagaDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Take everything back, if it has not gone too far.")
        @OptionGroup var given: SagaOrder
        func verb() -> SagaVerb { .cancel }
    }

    struct Abandon: SagaDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "End it as it stands; what it made stays, and the resource ledger names it."
        )
        @OptionGroup var given: SagaOrder
        func verb() -> SagaVerb { .abandon }
    }

    struct Migrate: SagaDeedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let it go on by the definition of this build.",
            discussion: "Where no server of this build can start because of it, use --directly."
        )
        @Flag(help: "Although steps would be lost or come out of their order.")
        var force = false
        @OptionGroup var given: SagaOrder
        func verb() -> SagaVerb { .migrate(force: force) }
    }
}
