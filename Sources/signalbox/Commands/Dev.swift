internal import ArgumentParser
internal import EventStore
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// The command `signalbox dev`.
struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run everything on this machine: Postgres, scheduler, billing, API and edge."
    )

    @Option(help: ArgumentHelp("Where everything is kept.", valueName: "dir"))
    var data = ".signalbox"

    @Option(help: "The port of the API; 0 takes any free one. Other ports are chosen freely and kept.")
    var port: Int?

    @Option(help: "When an append is answered: commit, or pipelined behind a barrier; else SIGNALBOX_DURABILITY.")
    var durability: Durability?

    @Flag(help: "Limit what one principal may send, as in production; else SIGNALBOX_RATE_LIMIT, else not at all.")
    var rateLimit = false

    func run() async throws {
        if let port, !(0...65535).contains(port) { throw Exit.usage("--port is 0 to 65535") }
        do {
            LogLines.install(try LogSettings(environment: EnvironmentReader.process))
            let logger = Logger(label: "signalbox.dev")
            let durability = try durability ?? Settings.durability(of: EnvironmentReader.process)
            let machine = DevMachine(
                workspace: try Workspace(data),
                wantedPort: port,
                durability: durability,
                limits: rateLimit ? nil : EnvironmentReader.process["SIGNALBOX_RATE_LIMIT"] ?? "off",
                logger: logger
            )
            try await ServiceGroup(
                configuration: .init(
                    services: [.init(service: machine, successTerminationBehavior: .gracefullyShutdownGroup)],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: Logger(label: "signalbox.lifecycle") { _ in SwiftLogNoOpLogHandler() }
                )
            ).run()
        } catch {
            throw Exit.because(error)
        }
    }
}
