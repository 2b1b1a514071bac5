internal import ArgumentParser

/// `signalbox dev`
struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run everything on this machine.")
}
