internal import ArgumentParser
internal import Glibc

/// How a command finds the system it talks about.
struct Reach: ParsableArguments {
    @Option(help: ArgumentHelp("The folder of a running `signalbox dev`.", valueName: "dir"))
    var data: String?

    @Flag(help: "Print JSON instead of tables.")
    var json = false

    /// A connection string for the log's database.
    var database: String {
        get throws {
            if let running = try running { return running.databaseUrl }
            if let url = Self.environment("DATABASE_URL") { return url }
            if let running = Announcement.read(from: ".signalbox") { return running.databaseUrl }
            throw Exit.usage("set DATABASE_URL, or name the folder of a running `signalbox dev` with --data")
        }
    }

    /// A connection string for a login that may become the owner of the log.
    var owner: String {
        get throws {
            if data == nil, let url = Self.environment("MIGRATION_DATABASE_URL") { return url }
            return try database
        }
    }

    /// The folder of the log's archive; `nil` when nobody says where it is.
    var archive: String? {
        if data == nil, let folder = Self.environment("SIGNALBOX_ARCHIVE") { return folder }
        let root = data ?? ".signalbox"
        return Announcement.read(from: root) == nil ? nil : root + "/archive"
    }

    /// Base address and key of the API.
    ///
    /// - Parameter asOperator: Whether a platform key is wanted where there is a choice.
    /// - Returns: Where the API is, and what to present there.
    /// - Throws: An exit, when nothing says where it is.
    func api(asOperator: Bool = false) throws -> (url: String, key: String) {
        func of(_ running: Announcement) -> (String, String) {
            (running.api, asOperator ? running.operatorKey : running.apiKey)
        }
        if let running = try running { return of(running) }
        if let url = Self.environment("SIGNALBOX_URL") { return (url, Self.environment("SIGNALBOX_TOKEN") ?? "") }
        if let running = Announcement.read(from: ".signalbox") { return of(running) }
        throw Exit.usage(
            "set SIGNALBOX_URL and SIGNALBOX_TOKEN, or name the folder of a running `signalbox dev` with --data"
        )
    }

    private var running: Announcement? {
        get throws {
            guard let data else { return nil }
            guard let running = Announcement.read(from: data) else {
                throw Exit.unavailable("no `signalbox dev` is ready in \(data)")
            }
            return running
        }
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
