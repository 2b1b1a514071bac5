internal import ArgumentParser
internal import Domain
internal import Kernel

extension InstanceCommand {
    struct RotateCredentials: InstanceTransitionCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an instance another login to its database; the one before ends once the next is in use."
        )
        static let verb = "rotate-credentials"
        @OptionGroup var wish: InstanceWish
    }

    struct Deploy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an instance another release.",
            discussion: """
                Without interruption by default: the release starts in the other slot and takes over reads, writes and the
                scheduler. With --strategy rolling it takes the place of the one before.
                """
        )

        @Option(help: "The version; GET /v1/admin/releases lists them.")
        var release: String

        @Option(help: "zero-downtime or rolling.")
        var strategy = ReleaseStrategy.zeroDowntime

        @OptionGroup var wish: InstanceWish

        func run() async throws {
            let body: JSONValue = ["version": .string(release), "strategy": .string(strategy.rawValue)]
            try await InstanceCommand.ask(wish, "deploy", body, wait: wish.wait)
        }
    }

    struct Upgrade: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give an instance a larger plan, at once.")

        @Option(help: "What is bought; GET /v1/prices lists them.")
        var price: String

        @OptionGroup var wish: InstanceWish

        func run() async throws {
            try await InstanceCommand.ask(wish, "upgrade", ["priceId": .string(price)], wait: wish.wait)
        }
    }

    struct Downgrade: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an instance a smaller plan when the period that is paid for has ended.",
            discussion: "It says which operation waits for that, and does not wait itself."
        )

        @Option(help: "What is bought; GET /v1/prices lists them.")
        var price: String

        @OptionGroup var wish: InstanceWish

        func run() async throws {
            try await InstanceCommand.ask(wish, "downgrade", ["priceId": .string(price)], wait: false)
        }
    }

    struct KeepPlan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give up what was to happen when the period has ended: a smaller plan, or the end."
        )

        @Argument(help: "The instance's id.")
        var id: String

        @OptionGroup var reach: Reach

        func run() async throws {
            guard Identifier<InstanceSubject>(id) != nil else { throw Exit.usage("\(id) is not an instance id") }
            let (url, key) = try reach.api()
            _ = try await APIClient(url: url, key: key).send("DELETE", "/v1/instances/\(id)/scheduled-change")
            if !reach.json { Terminal.say("\(id) goes on as it is") }
        }
    }
}

extension ReleaseStrategy: ExpressibleByArgument {}
