internal import Glibc
internal import Postgres
internal import Synchronization

/// A throw-away Postgres cluster of this process.
///
/// It lives in a private folder under `/tmp`, is reached over a Unix socket there without a password and over
/// 127.0.0.1 with SCRAM, and is kept by a shell that ends it and removes its folder when this process ends, however it
/// ends. Started by root it runs as `postgres`, else as `nobody`.
package final class PostgresServer: Sendable {
    /// Why there is no server.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// How a server is told to stop.
    package enum Stop: String, Sendable {
        /// Sessions are ended, everything is written.
        case fast
        /// As in a power cut: the next start recovers from the log.
        case immediate
        /// `kill -9` for the postmaster and all its children: shared memory is lost, files are as they were.
        case crash
        /// `kill -9` for the postmaster alone; its children notice by themselves and end.
        case behead
    }

    /// The folder with the data, the socket and `log`.
    package let folder: String
    /// Its TCP port on 127.0.0.1, and the suffix of its socket.
    package let port: Int
    private let keeper: Keeper
    /// Which template databases exist, so that most clones need not look.
    let templates = Mutex<Set<String>>([])

    /// Starts one and waits until it answers.
    ///
    /// - Parameters:
    ///   - durable: Whether a commit reaches the disk before it is answered.
    ///   - settings: Settings for `postgresql.conf`, e.g. `["max_connections": "20"]`.
    ///   - disk: How many megabytes its data may take, on a disk of its own that ``fillDisk()`` fills; needs root.
    /// - Returns: A server that answers; ``remove()`` ends it, else the end of this process does.
    /// - Throws: ``Failure``, with the end of the server's log.
    package static func start(
        durable: Bool = false,
        settings: [String: String] = [:],
        disk: Int? = nil
    ) async throws -> PostgresServer {
        let server = try PostgresServer(durable: durable, settings: settings, disk: disk)
        try await server.ready()
        return server
    }

    /// The one that all tests of this process share; started by the first who asks.
    package static func shared() async throws -> PostgresServer {
        let server = try common.get()
        try await server.ready()
        return server
    }

    private static let common = Result { try PostgresServer(durable: false, settings: [:], disk: nil) }

    private init(durable: Bool, settings: [String: String], disk: Int?) throws {
        let user = try ServerUser.current()
        let folder = try Self.makeFolder(for: user)
        let port = try Self.freePort()
        var lines = [
            "listen_addresses": "127.0.0.1", "port": "\(port)", "unix_socket_directories": folder,
            "max_connections": "400", "shared_buffers": "64MB", "jit": "off", "wal_level": "minimal",
            "max_wal_senders": "0", "log_line_prefix": "%m %p %u@%d ", "password_encryption": "scram-sha-256",
        ]
        if !durable { lines.merge(["fsync": "off", "full_page_writes": "off"]) { $1 } }
        lines.merge(settings) { $1 }
        self.folder = folder
        self.port = port
        keeper = try Keeper(
            user: user,
            folder: folder,
            binaries: try Self.binaries(),
            settings: lines.map { "\($0.key) = '\($0.value)'" }.sorted().joined(separator: "\n"),
            disk: disk
        )
    }

    /// A connection string for this server.
    ///
    /// - Parameters:
    ///   - user: Who logs in; `postgres` is the superuser.
    ///   - database: Where to.
    ///   - role: A role to become at once, for those that cannot log in.
    /// - Returns: libpq's `key=value` form, for the socket.
    package func conninfo(user: String = "postgres", database: String = "postgres", role: String? = nil) -> String {
        "host=\(folder) port=\(port) user=\(user) dbname=\(database)"
            + (role.map { " options='-c role=\($0)'" } ?? "")
    }

    /// Waits until the server answers.
    ///
    /// - Throws: ``Failure`` after 60 seconds, or at once when it ended.
    package func ready() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                let connection = try await Connection.open(conninfo())
                await connection.close()
                return
            } catch {
                guard ContinuousClock.now < deadline, !keeper.hasFailed else {
                    throw Failure(description: "Postgres did not start: \(error.message)\n\(log)")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Stops the server and keeps its data; ``launch()`` starts it again.
    package func stop(_ how: Stop = .fast) async throws {
        try await keeper.tell(how.rawValue)
    }

    /// Starts a stopped server again, on the same data, socket and port.
    package func launch() async throws {
        try await keeper.tell("start")
        try await ready()
    }

    /// Takes all the room that its disk has left; only for servers with a disk of their own.
    package func fillDisk() async throws {
        try await keeper.tell("fill")
    }

    /// Gives back what ``fillDisk()`` took.
    package func freeDisk() async throws {
        try await keeper.tell("free")
    }

    /// Ends the server and removes its folder; only for servers that ``start(durable:settings:)`` made.
    package func remove() async throws {
        keeper.letGo()
        let deadline = ContinuousClock.now + .seconds(30)
        while access(folder, F_OK) == 0 {
            guard ContinuousClock.now < deadline else { throw Failure(description: "\(folder) is still there") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// The last lines of what the server wrote.
    package var log: String {
        guard let file = fopen(folder + "/log", "r") else { return "" }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        fseek(file, max(0, ftell(file) - 4000), SEEK_SET)
        var bytes = [UInt8](repeating: 0, count: 4000)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// Where `initdb` and `postgres` are.
    package static func binaries() throws -> String {
        guard let found = Installation.binaries() else {
            throw Failure(description: "no initdb and postgres in $PG_BIN, /usr/lib/postgresql/*/bin or $PATH")
        }
        return found
    }

    private static func makeFolder(for user: ServerUser?) throws -> String {
        // Not $TMPDIR: a socket's path must be shorter than 108 bytes, and another user must be able to get there.
        var template = Array("/tmp/sbx-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no folder under /tmp: errno \(errno)") }
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        if let user, chown(folder, user.id, user.group) != 0 {
            throw Failure(description: "chown \(folder): errno \(errno)")
        }
        // Others may reach the socket.
        guard chmod(folder, 0o711) == 0 else { throw Failure(description: "chmod \(folder): errno \(errno)") }
        return folder
    }

    /// A TCP port below the range that the kernel hands to outgoing connections, so that none takes it before Postgres.
    private static func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = UInt16.random(in: 10_000..<32_000)
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(handle) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if bound == 0 { return Int(port) }
        }
        throw Failure(description: "no free TCP port")
    }
}
