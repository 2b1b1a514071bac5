internal import ArgumentParser

/// The command `signalbox dev`.
struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run everything on this machine.")
}
