internal import ArgumentParser
internal import Kernel

/// The noun `signalbox org`.
struct OrganizationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org",
        abstract: "Organizations.",
        subcommands: [Create.self, Delete.self, Export.self, CheckExport.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Onboard an organization with its subscription and first instance.",
            discussion: "With --wait it returns when the instance can be reached, or why it cannot."
        )

        @Argument(help: "What people call it.")
        var name: String

        @Option(help: "The first label of its host name, e.g. acme.")
        var slug: String

        @Option(help: "What is bought; `signalbox` lists them at GET /v1/prices.")
        var price = "starter-monthly"

        @Flag(inversion: .prefixedNo, help: "Wait until the operation has ended.")
        var wait = true

        @OptionGroup var reach: Reach

        func run() async throws {
            let (url, key) = try reach.api()
            let client = APIClient(url: url, key: key)
            // With one key however often it is sent, so that it is done once.
            let onboarded = try await client.send(
                "POST",
                "/v1/onboarding",
                body: ["organization": ["name": .string(name), "slug": .string(slug)], "priceId": .string(price)],
                headers: ["Idempotency-Key": "\(IDSource.system.unique())"],
                patience: APIClient.patience
            )
            guard let operation = onboarded.body["operation"]?["id"]?.string,
                let instance = onboarded.body["instance"]?["id"]?.string
            else { throw Exit.failed("the server's answer names no operation") }
            guard wait else { return try show(onboarded.body, operation: operation, instance: instance) }
            let position = try await client.finish(operation, after: onboarded.position)
            try await InstanceCommand.show(instance, at: position, by: client, asJSON: reach.json)
        }

        private func show(_ body: JSONValue, operation: String, instance: String) throws {
            if reach.json { return Terminal.say(try JSON.pretty(body)) }
            Terminal.say("organization \(body["organization"]?["id"]?.string ?? "?")")
            Terminal.say("instance     \(instance)")
            Terminal.say("operation    \(operation)")
        }
    }
}
