internal import ArgumentParser
internal import EventStore
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// The command `signalbox serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the control plane, with everything it needs from its environment.",
        discussion: "docs/configuration.md lists the settings. Run `signalbox migrate` first."
    )

    @Option(help: "When an append is answered: commit, or pipelined behind a barrier.")
    var durability: Durability?

    func run() async throws {
        let logger = Logger(label: "signalbox")
        do {
            var settings = try Settings(environment: EnvironmentReader.process)
            settings.durability = durability ?? settings.durability
            let catalogue = try settings.catalogue.map(CatalogueText.read) ?? CatalogueText.embedded()
            let plane = try await ControlPlane(settings: settings, catalogue: catalogue, logger: logger)
            try await ServiceGroup(
                configuration: .init(
                    services: [.init(service: plane, successTerminationBehavior: .gracefullyShutdownGroup)],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: Logger(label: "signalbox.lifecycle") { _ in SwiftLogNoOpLogHandler() }
                )
            ).run()
        } catch {
            throw Exit.because(error)
        }
    }
}

extension Durability: ExpressibleByArgument {}
