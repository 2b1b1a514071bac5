internal import ArgumentParser
internal import Domain
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

    @Option(help: ArgumentHelp("A file with settings, NAME=value; the environment goes first.", valueName: "file"))
    var config: String?

    func run() async throws {
        do {
            var environment = EnvironmentReader.process
            environment[EnvironmentFile.name] = config ?? environment[EnvironmentFile.name]
            var (settings, catalogue) = try Self.checked(environment)
            settings.durability = durability ?? settings.durability
            // Before the first logger is made: one that is made earlier writes as it likes.
            LogLines.install(settings.logging, redacting: settings.secrets)
            let logger = Logger(label: "signalbox")
            for (name, why) in settings.unused {
                logger.notice("a setting does nothing", metadata: ["setting": "\(name)", "why": "\(why)"])
            }
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

    /// Settings and catalogue, or everything that is wrong with either.
    private static func checked(
        _ environment: [String: String]
    ) throws(ConfigurationError) -> (Settings, Catalogue) {
        do throws(ConfigurationError) {
            let settings = try Settings(environment: environment)
            guard let path = settings.catalogue else { return (settings, try CatalogueText.embedded()) }
            return (settings, try CatalogueText.read(path))
        } catch {
            // The catalogue was not looked at yet when the settings are not good.
            var problems = error.problems
            if let path = environment["SIGNALBOX_CATALOGUE"], !path.isEmpty {
                do throws(ConfigurationError) {
                    _ = try CatalogueText.read(path)
                } catch { problems += error.problems.filter { !problems.contains($0) } }
            }
            throw ConfigurationError(problems: problems)
        }
    }
}

extension Durability: ExpressibleByArgument {}
