internal import ArgumentParser
internal import DevPlane

/// The hidden command `signalbox tenant`: what stands in for a tenant's application on a development machine.
struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant",
        abstract: "Stand in for a tenant's application.",
        shouldDisplay: false
    )

    /// What an image can be given to do.
    enum Task: String, ExpressibleByArgument {
        case serve, migrate
    }

    @Argument(help: "Whether to serve, or to bring the database to where the image wants it and end.")
    var task = Task.serve

    func run() async throws {
        do {
            let tenant = Tenant(environment: EnvironmentReader.process)
            switch task {
            case .serve: try await tenant.run()
            case .migrate: try await tenant.migrate()
            }
        } catch {
            throw Exit.because(error)
        }
    }
}
