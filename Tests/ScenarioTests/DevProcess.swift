import FoundationEssentials
import Glibc
import Kernel

/// A real `signalbox dev`, started as a person would, in a folder of its own under the system's temporary folder.
final class DevProcess: Sendable {
    /// Why it is of no use.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What `dev.json` says.
    struct Announcement: Decodable, Sendable {
        var api: String
        var apiKey: String
        var operatorKey: String
        var databaseUrl: String
        var edge: String?
        var nomad: String
        var billing: String
        /// Of the running process; not in the file.
        var pid: Int32 = 0

        private enum CodingKeys: CodingKey { case api, apiKey, operatorKey, databaseUrl, edge, nomad, billing }
    }

    let directory: String

    init() throws {
        directory = try temporaryFolder("signalbox-scenario")
        // Postgres and tenants run as other users when the tests run as root.
        chmod(directory, 0o711)
    }

    /// The program beside the test bundle.
    ///
    /// `SIGNALBOX_PROGRAM` names another one, such as the release build.
    static let program: String = {
        if let named = ProcessInfo.processInfo.environment["SIGNALBOX_PROGRAM"], !named.isEmpty { return named }
        let bundle =
            ProcessInfo.processInfo.arguments.first { $0.hasSuffix(".xctest") } ?? ProcessInfo.processInfo.arguments[0]
        let path = bundle.hasPrefix("/") ? bundle : FileManager.default.currentDirectoryPath + "/" + bundle
        var folder = path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
        while !FileManager.default.isExecutableFile(atPath: folder + "/signalbox"), folder.contains("/") {
            folder = folder.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
            if folder.isEmpty { break }
        }
        return folder + "/signalbox"
    }()

    /// Starts it, runs `body` once it is ready, and ends it with this signal; with 0 it must end by itself.
    ///
    /// - Returns: What `body` returned, and how the process ended (128 + signal when it was killed).
    @discardableResult
    func run<Value: Sendable>(
        ending signal: Int32 = SIGINT,
        environment: [String: String] = [:],
        _ body: @escaping @Sendable (Announcement) async throws -> Value
    ) async throws -> (value: Value, status: Int) {
        let announcement = directory + "/dev.json"
        unlink(announcement)
        let program = Program(
            arguments: ["dev", "--data", directory, "--port", "0"],
            environment: environment,
            log: directory + "/dev.log"
        )
        return try await program.run(ending: signal, failing: SIGTERM) { pid in
            try await body(try await Self.ready(announcement, pid: pid, log: program.printed))
        }
    }

    /// A key of the development plane, from its folder of keys.
    func key(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: directory + "/keys/" + name)), as: UTF8.self)
    }

    /// Processes whose command line or working folder names this folder.
    var survivors: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).compactMap { pid in
            guard let data = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline")), !data.isEmpty else {
                return nil
            }
            let command = String(decoding: data.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
            return command.contains(directory) ? command : nil
        }
    }

    /// Ends whatever a failed test left running, and removes the folder.
    func remove() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory + "/run")) ?? []
        for name in names where name.hasSuffix(".json") {
            guard let data = try? Data(contentsOf: URL(filePath: directory + "/run/" + name)),
                let entry = try? JSON.decode(JSONValue.self, from: data), let pid = entry["pid"]?.integer
            else { continue }
            kill(Int32(pid), SIGKILL)
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func ready(_ path: String, pid: Int32, log: @autoclosure () -> String) async throws -> Announcement {
        try await eventually(within: .seconds(120), { "dev is not ready: \(log())" }) {
            guard kill(pid, 0) == 0 else { throw Failure(description: "dev ended: \(log())") }
            guard let data = try? Data(contentsOf: URL(filePath: path)) else { return nil }
            var running = try? JSON.decode(Announcement.self, from: data)
            running?.pid = pid
            return running
        }
    }
}

/// Looks until there is something to see.
///
/// - Parameters:
///   - patience: How long, at most.
///   - complaint: What is said when it took longer.
///   - look: `nil` means not yet.
/// - Returns: What there was to see.
/// - Throws: ``DevProcess/Failure`` with the complaint, or what `look` throws.
func eventually<Value>(
    within patience: Duration,
    _ complaint: () -> String = { "not in time" },
    _ look: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + patience
    while true {
        if let value = try await look() { return value }
        guard ContinuousClock.now < deadline else { throw DevProcess.Failure(description: complaint()) }
        try await Task.sleep(for: .milliseconds(25))
    }
}
