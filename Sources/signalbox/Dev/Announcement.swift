internal import FoundationEssentials
internal import Kernel

/// What `signalbox dev` tells others about itself, as `DIR/dev.json`; there only while it is ready.
struct Announcement: Codable, Equatable {
    var api: String
    /// Of the user `developer`, who may onboard organizations.
    var apiKey: String
    /// With the platform role operator.
    var operatorKey: String
    /// For `psql`, as the superuser of the embedded cluster.
    var databaseUrl: String
    /// Where tenants' host names are served; `nil` when the edge could not be installed.
    var edge: String?
    var nomad: String
    var billing: String

    /// Reads the announcement of a running `dev`; `nil` when none runs there.
    static func read(from directory: String) -> Announcement? {
        guard let data = try? Data(contentsOf: URL(filePath: directory + "/dev.json")) else { return nil }
        return try? JSON.decode(Announcement.self, from: data)
    }

    func write(to path: String) throws {
        try Workspace.write(try JSON.pretty(self) + "\n", to: path)
    }
}
