internal import ArgumentParser
internal import DevPlane

/// The hidden command `signalbox tenant`: what stands in for a tenant's application on a development machine.
struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant",
        abstract: "Stand in for a tenant's application.",
        shouldDisplay: false
    )

    func run() async throws {
        do {
            try await Tenant(environment: EnvironmentReader.process).run()
        } catch {
            throw Exit.because(error)
        }
    }
}
