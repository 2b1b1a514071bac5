internal import ArgumentParser

/// `signalbox`: every way to run and to look at the system.
@main
struct Signalbox: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signalbox",
        abstract: "An event-sourced control plane: an API, a verifiable log, projections and sagas.",
        discussion: """
            `signalbox --version` says which one it is.

            Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 unavailable.
            """,
        subcommands: [
            Dev.self, Serve.self, Migrate.self, Provision.self, EventsCommand.self, ProjectionsCommand.self,
            SagasCommand.self, TargetsCommand.self, ResourcesCommand.self, AuditCommand.self, OrganizationCommand.self,
            InstanceCommand.self, RolloutsCommand.self, TenantCommand.self,
        ]
    )

    /// Usage errors end with 2, as the table of exit codes says; the parser's own choice is 64.
    static func main() async {
        // The parser's own flag of this name would answer for every command whose option `--version` means something else.
        if CommandLine.arguments.dropFirst() == ["--version"] { return Terminal.say(Version.text) }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            guard code.rawValue == ExitCode.validationFailure.rawValue else { exit(withError: error) }
            Terminal.complain(fullMessage(for: error))
            exit(withError: ExitCode(Exit.usage.rawValue))
        }
    }
}
