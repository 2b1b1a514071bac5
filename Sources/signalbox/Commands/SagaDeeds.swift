internal import ArgumentParser
internal import Kernel
internal import Server

/// What an operator makes a saga do, through the API; each deed is an event with identity and reason.
protocol SagaDeedCommand: AsyncParsableCommand {
    static var verb: SagaDoor.Verb { get }
    var wish: SagaWish { get }
}

/// What every such command asks for.
struct SagaWish: ParsableArguments {
    @Argument(help: "The saga's id.")
    var id: String

    @Option(help: "Why; it stands in the log.")
    var reason: String

    @Option(help: "The version of the saga's stream you have seen; refused when it has moved on.")
    var version: Int64?

    @OptionGroup var reach: Reach
}

extension SagaDeedCommand {
    func run() async throws {
        guard let id = UniqueID(wish.id) else { throw Exit.usage("\(wish.id) is not a saga id") }
        let (url, key) = try wish.reach.api(asOperator: true)
        var body: [String: JSONValue] = ["reason": .string(wish.reason)]
        if let version = wish.version { body["version"] = .string(String(version)) }
        let path = "/v1/admin/sagas/\(id)/\(Self.verb.rawValue)"
        let answer = try await APIClient(url: url, key: key).send("POST", path, body: .object(body))
        Terminal.say(wish.reach.json ? try JSON.pretty(answer.body) : "\(id): \(Self.verb.rawValue) is in the log")
    }
}

extension SagasCommand {
    struct Retry: SagaDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Try the present step again, now.")
        static let verb = SagaDoor.Verb.retry
        @OptionGroup var wish: SagaWish
    }

    struct Park: SagaDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Stop working on it until somebody resumes it.")
        static let verb = SagaDoor.Verb.park
        @OptionGroup var wish: SagaWish
    }

    struct Resume: SagaDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Go on with a parked saga.")
        static let verb = SagaDoor.Verb.resume
        @OptionGroup var wish: SagaWish
    }

    struct Cancel: SagaDeedCommand {
        static let configuration = CommandConfiguration(abstract: "Take everything back, if it has not gone too far.")
        static let verb = SagaDoor.Verb.cancel
        @OptionGroup var wish: SagaWish
    }
}
