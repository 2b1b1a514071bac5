internal import ArgumentParser
internal import Kernel

extension OrganizationCommand {
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an organization with its instances, its keys and what is personal in it.",
            discussion: "There is no way back; what instances stored is kept aside for a while, as backups say."
        )

        @Argument(help: "Its id.")
        var id: String

        @Flag(help: "Really do it.")
        var yes = false

        @Flag(inversion: .prefixedNo, help: "Wait until the operation has ended.")
        var wait = true

        @OptionGroup var reach: Reach

        func run() async throws {
            guard Identifier<OrganizationSubject>(id) != nil else {
                throw Exit.usage("\(id) is not an organization id")
            }
            guard yes else { throw Exit.usage("there is no way back; say --yes to delete organization \(id)") }
            let (url, key) = try reach.api()
            let client = APIClient(url: url, key: key)
            let started = try await client.send("DELETE", "/v1/organizations/" + id)
            guard let operation = started.body["operation"]?["id"]?.string else {
                throw Exit.failed("the server's answer names no operation")
            }
            if wait { _ = try await client.finish(operation, after: started.position) }
            let text = wait ? "organization \(id) is deleted" : "operation \(operation)"
            Terminal.say(reach.json ? try JSON.pretty(started.body) : text)
        }
    }
}
