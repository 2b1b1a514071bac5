internal import ArgumentParser
internal import Kernel

/// What an instance is asked to become; each is one command to the API and starts one operation.
protocol InstanceTransitionCommand: AsyncParsableCommand {
    /// The last segment of the path.
    static var verb: String { get }
    var wish: InstanceWish { get }
}

/// What every such command asks for.
struct InstanceWish: ParsableArguments {
    @Argument(help: "The instance's id.")
    var id: String

    @Flag(inversion: .prefixedNo, help: "Wait until the operation has ended.")
    var wait = true

    @OptionGroup var reach: Reach
}

extension InstanceTransitionCommand {
    func run() async throws {
        guard Identifier<InstanceSubject>(wish.id) != nil else { throw Exit.usage("\(wish.id) is not an instance id") }
        let (url, key) = try wish.reach.api()
        let client = APIClient(url: url, key: key)
        let started = try await client.send("POST", "/v1/instances/\(wish.id)/\(Self.verb)", body: [:])
        guard let operation = started.body["operation"]?["id"]?.string else {
            throw Exit.failed("the server's answer names no operation")
        }
        guard wish.wait else {
            return Terminal.say(wish.reach.json ? try JSON.pretty(started.body) : "operation \(operation)")
        }
        try await client.finish(operation, after: started.position)
        let shown = try await client.send("GET", "/v1/instances/" + wish.id)
        Terminal.say(wish.reach.json ? try JSON.pretty(shown.body) : try InstanceCommand.Show.text(shown.body))
    }
}

extension InstanceCommand {
    struct Stop: InstanceTransitionCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an instance out of service and pause its bill; its data stays."
        )
        static let verb = "stop"
        @OptionGroup var wish: InstanceWish
    }

    struct Start: InstanceTransitionCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a stopped instance into service again and go on with its bill."
        )
        static let verb = "start"
        @OptionGroup var wish: InstanceWish
    }
}
