internal import FoundationEssentials
internal import Glibc
internal import Postgres
package import SignalboxTestKit

/// Where the figures were measured, for figures without it say nothing.
package struct Machine: Sendable {
    private let server: PostgresServer
    private let settings: [String: String]

    /// Nothing that makes a commit less durable; room enough that no checkpoint falls into a short turn.
    package static let settings = [
        "shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "wal_level": "replica",
        "max_wal_senders": "2",
    ]

    package init(server: PostgresServer, settings: [String: String] = Self.settings) {
        self.server = server
        self.settings = settings
    }

    /// A list for the head of the report.
    package func facts() async throws -> String {
        let connection = try await Connection.open(server.conninfo())
        let version = try await connection.run("SHOW server_version").decode(0, String.self)
        await connection.close()
        let settings = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return """
            - machine: \(Self.field("/proc/cpuinfo", "model name")), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores, \
            \(Self.field("/proc/meminfo", "MemTotal")) of memory, \(Self.first("/proc/sys/kernel/osrelease"))
            - disk: one 8 KiB write and fdatasync takes \(Table.decimal(try flush(), 3)) ms (median of 500)
            - Postgres \(version), fsync=on, \(settings.joined(separator: ", "))
            - load average before the run: \(Self.first("/proc/loadavg"))
            """
    }

    /// Milliseconds that a commit must wait for the disk at least.
    private func flush() throws -> Double {
        let path = server.folder + "/flush"
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw BenchmarkError("\(path): errno \(errno)") }
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 1, count: 8192)
        let times = try (0..<500).map { index in
            let start = ContinuousClock.now
            // Over the same pages again, as a recycled segment of the write-ahead log is.
            guard pwrite(file, page, page.count, off_t(index % 100) * 8192) == page.count, fdatasync(file) == 0 else {
                throw BenchmarkError("\(path): errno \(errno)")
            }
            return (ContinuousClock.now - start).inSeconds * 1000
        }
        return times.median
    }

    private static func first(_ path: String) -> String {
        text(path).split(separator: "\n").first.map(String.init) ?? "?"
    }

    private static func field(_ path: String, _ name: String) -> String {
        let line = text(path).split(separator: "\n").first { $0.hasPrefix(name) }
        let value = line?.split(separator: ":", maxSplits: 1).last ?? "?"
        return String(value.drop { $0 == " " })
    }

    private static func text(_ path: String) -> String {
        (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
