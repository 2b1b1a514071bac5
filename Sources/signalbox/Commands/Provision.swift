internal import Adapters
internal import ArgumentParser
internal import Platform

/// The noun `signalbox provision`.
struct Provision: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Clusters that tenants live on.",
        subcommands: [Prepare.self]
    )

    struct Prepare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a Postgres cluster ready for tenants, once, as its superuser.",
            discussion: """
                Reads PREPARE_DATABASE_URL (a superuser, to the database postgres), PROVISION_DB_USER and \
                PROVISION_DB_PASSWORD. Makes the provisioner's login and takes from everybody the right to connect to \
                postgres and template1, which Postgres gives by default.
                """
        )

        @Option(help: "Another database to close to everybody, such as that of the log; may be repeated.")
        var protect: [String] = []

        @Option(help: "A role that may still connect to those; may be repeated.")
        var admit: [String] = ["signalbox", "signalbox_owner"]

        func run() async throws {
            var read = EnvironmentReader(EnvironmentReader.process)
            let url = read.required(
                "PREPARE_DATABASE_URL",
                meaning: "a superuser of the cluster, to the database postgres"
            )
            let user = read.optional("PROVISION_DB_USER") ?? "signalbox_provisioner"
            let password = read.required("PROVISION_DB_PASSWORD", meaning: "what the provisioner will log in with")
            guard read.problems.isEmpty else { throw Exit.because(ConfigurationError(problems: read.problems)) }
            do throws(PortError) {
                try await ClusterPreparation(
                    superuser: url,
                    provisioner: user,
                    password: Secret(password),
                    protecting: protect,
                    admitting: protect.isEmpty ? [] : admit
                ).run()
            } catch {
                throw Exit.failed(error.description)
            }
            Terminal.say("the cluster is ready for tenants; the provisioner is \(user)")
        }
    }
}
