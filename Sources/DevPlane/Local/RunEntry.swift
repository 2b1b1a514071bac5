internal import FoundationEssentials
internal import Glibc
internal import Kernel

/// A child process as `run/<name>.json` remembers it, so that a later start can find it again.
package struct RunEntry: Sendable, Equatable, Codable {
    /// The file's name without its ending.
    package var name: String
    package var pid: Int32
    /// When the process started, in the kernel's words; tells it from a later process with the same pid.
    package var started: String
    /// Where it listens, when it does.
    package var port: Int?
    /// The executable and its arguments.
    package var command: [String]

    /// - Parameters:
    ///   - name: The file's name without its ending.
    ///   - pid: Of a process that lives now.
    ///   - started: Found out by the pid when it is not given.
    ///   - port: Where it listens, when it does.
    ///   - command: The executable and its arguments.
    package init(name: String, pid: Int32, started: String? = nil, port: Int?, command: [String]) {
        self.name = name
        self.pid = pid
        self.started = started ?? Self.startTime(of: pid) ?? ""
        self.port = port
        self.command = command
    }

    /// Whether this very process is still there.
    package var isAlive: Bool {
        !started.isEmpty && Self.startTime(of: pid) == started
    }

    /// Sends a signal to the process, or to nobody when it is gone.
    package func signal(_ number: Int32) {
        if isAlive { kill(pid, number) }
    }

    /// The clock tick at which a process started, with the boot it belongs to; `nil` when it is gone or dead.
    ///
    /// See proc_pid_stat(5), fields 3 and 22.
    package static func startTime(of pid: Int32) -> String? {
        // What has no such file is no process.
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return "\(fields[19])@\(boot)"
    }

    private static let boot: String = {
        // A machine that does not tell its boot id has the same one always: then the tick alone decides.
        let text = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        return String(text.prefix { !$0.isWhitespace })
    }()
}

/// The folder of run entries.
package struct RunDirectory: Sendable {
    package let path: String

    package init(_ path: String) {
        self.path = path
    }

    /// Every entry that can be read, alive or not, by name.
    package func entries() -> [RunEntry] {
        // A folder that cannot be listed holds nothing to adopt.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().filter { $0.hasSuffix(".json") }.compactMap { entry(String($0.dropLast(5))) }
    }

    /// One entry; `nil` when there is none, or it is damaged.
    package func entry(_ name: String) -> RunEntry? {
        // What cannot be read is as good as absent: the process is then started again.
        guard let bytes = try? Data(contentsOf: URL(filePath: file(name))) else { return nil }
        return try? JSON.decode(RunEntry.self, from: bytes)
    }

    /// Writes an entry whole or not at all.
    ///
    /// - Throws: What the file system says.
    package func write(_ entry: RunEntry) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(try JSON.encode(entry)).write(to: URL(filePath: file(entry.name)), options: .atomic)
    }

    /// Forgets an entry; fine when there is none.
    package func remove(_ name: String) {
        unlink(file(name))
    }

    private func file(_ name: String) -> String { "\(path)/\(name).json" }
}
