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
        try await InstanceCommand.ask(wish, Self.verb, [:], wait: wish.wait)
    }
}

extension InstanceCommand {
    /// Gives an instance a command that starts an operation, and waits for it where that is wanted.
    static func ask(_ wish: InstanceWish, _ verb: String, _ body: JSONValue, wait: Bool) async throws {
        guard Identifier<InstanceSubject>(wish.id) != nil else { throw Exit.usage("\(wish.id) is not an instance id") }
        let (url, key) = try wish.reach.api()
        let client = APIClient(url: url, key: key)
        // One key for all attempts: whoever asks twice because an answer was lost has asked once.
        let started = try await client.send(
            "POST",
            "/v1/instances/\(wish.id)/\(verb)",
            body: body,
            headers: ["Idempotency-Key": "\(IDSource.system.unique())"],
            patience: APIClient.patience
        )
        guard let operation = started.body["operation"]?["id"]?.string else {
            throw Exit.failed("the server's answer names no operation")
        }
        guard wait else {
            return Terminal.say(wish.reach.json ? try JSON.pretty(started.body) : "operation \(operation)")
        }
        let position = try await client.finish(operation, after: started.position)
        try await show(wish.id, at: position, by: client, asJSON: wish.reach.json)
    }

    /// Shows an instance as it is once an operation has ended: what is shown of the one may be behind the other.
    static func show(_ id: String, at position: Int64, by client: APIClient, asJSON: Bool) async throws {
        let path = "/v1/instances/\(id)?min-position=\(position)"
        let shown = try await client.send("GET", path, patience: APIClient.patience)
        Terminal.say(asJSON ? try JSON.pretty(shown.body) : try Show.text(shown.body))
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

    struct Terminate: InstanceTransitionCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an instance: its data is saved, its bill ended, its database dropped after a while."
        )
        static let verb = "terminate"
        @OptionGroup var wish: InstanceWish
    }

    struct Reap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Drop the database of a terminated instance before its time; only operators may."
        )

        @Argument(help: "The instance's id.")
        var id: String

        @Flag(help: "Do not wait for the end of the grace period.")
        var now = false

        @Option(help: "Why; it stands in the log.")
        var reason: String

        @OptionGroup var reach: Reach

        func run() async throws {
            guard Identifier<InstanceSubject>(id) != nil else { throw Exit.usage("\(id) is not an instance id") }
            guard now else { throw Exit.usage("without --now it is dropped when its time has come") }
            let (url, key) = try reach.api(asOperator: true)
            let client = APIClient(url: url, key: key)
            var path: String? = "/v1/operations?status=waiting&limit=200"
            while let next = path {
                let page = try await client.send("GET", next)
                for operation in page.body["data"]?.array ?? [] {
                    guard operation["kind"] == "reap-database", operation["subject"] == .string("instance-\(id)"),
                        let saga = operation["id"]?.string
                    else { continue }
                    // Its version is what is acted on: one that is at its end by now is not hurried.
                    let seen = try await client.send("GET", "/v1/admin/sagas/\(saga)").body["version"]
                    let version = seen?.string ?? seen?.integer.map { String($0) } ?? ""
                    let body: JSONValue = [
                        "reason": .string(reason), "step": "await-grace", "version": .string(version),
                    ]
                    let done = try await client.send("POST", "/v1/admin/sagas/\(saga)/skip", body: body)
                    return Terminal.say(reach.json ? try JSON.pretty(done.body) : "operation \(saga)")
                }
                path = page.body["next"]?.string.map { "/v1/operations?status=waiting&limit=200&after=\($0)" }
            }
            throw Exit.notFound("no database of instance \(id) waits to be dropped")
        }
    }
}
