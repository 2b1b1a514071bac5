internal import DevPlane
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import Postgres
internal import Subprocess
internal import SystemPackage

/// The Postgres cluster of a development machine: made on the first start, adopted after a crash.
struct EmbeddedPostgres {
    let workspace: Workspace
    let port: Int
    let password: String
    let socket: String
    private let adopted: RunEntry?
    private let logger: Logger

    private static let name = "postgres"

    init(workspace: Workspace, logger: Logger) throws {
        self.workspace = workspace
        self.logger = logger
        let entry = RunDirectory(workspace.run).entry(Self.name)
        adopted = entry.flatMap { $0.isAlive ? $0 : nil } ?? Self.stray(in: workspace)
        port = try adopted?.port ?? workspace.port(Self.name)
        password = try workspace.key("postgres") { RandomText.make(32) }
        // A socket's path must be shorter than 108 bytes, so it cannot live in the workspace.
        let mark = workspace.root.utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        socket = "/tmp/signalbox-" + String(mark, radix: 36)
    }

    /// A connection string for the superuser, over the socket.
    func superuser(database: String = "postgres") -> String {
        Settings.conninfo(host: socket, port: port, name: database, user: "postgres", password: password)
    }

    /// A URL for the superuser, over TCP, as people and their tools like it.
    func url(database: String) -> String {
        "postgresql://postgres:\(password)@127.0.0.1:\(port)/\(database)"
    }

    /// Keeps the server running until the task is cancelled, then stops it.
    func run() async throws {
        defer { rmdir(socket) }
        if let adopted {
            logger.info("adopted the running Postgres", metadata: ["pid": "\(adopted.pid)"])
            await adopted.gone()
            if Task.isCancelled {
                await Unstructured.run { await adopted.end(signal: SIGINT, within: .seconds(10)) }
                RunDirectory(workspace.run).remove(Self.name)
                throw CancellationError()
            }
        } else {
            try await initialize()
        }
        while true {
            try prepareSocket()
            let child = ChildProcess(
                command: [try binaries() + "/postgres", "-D", data],
                environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
                directory: workspace.postgres,
                log: workspace.root + "/postgres.log",
                account: workspace.postgresAccount
            )
            let run = RunDirectory(workspace.run)
            let port = port
            let exit = await withTaskCancellationHandler {
                // The child is ended by `onCancel`, gently: SIGTERM, as a cancelled child gets, would wait for sessions.
                await Unstructured.run { await child.run(as: Self.name, port: port, in: run) }
            } onCancel: {
                run.entry(Self.name)?.signal(SIGINT)
            }
            try Task.checkCancellation()
            logger.error("Postgres ended and is started again", metadata: ["exit": "\(exit)"])
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Waits until it answers.
    func ready() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                let connection = try await Connection.open(superuser())
                await connection.close()
                return
            } catch {
                guard ContinuousClock.now < deadline else {
                    throw DevFailure("Postgres does not answer; see \(workspace.root)/postgres.log")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private var data: String { workspace.postgres + "/data" }

    /// A server that was started just before we were killed and never written down: its own pid file names its pid in
    /// the first line and its port in the fourth.
    private static func stray(in workspace: Workspace) -> RunEntry? {
        guard let file = try? Data(contentsOf: URL(filePath: workspace.postgres + "/data/postmaster.pid")) else {
            return nil
        }
        let lines = String(decoding: file, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 3, let pid = Int32(lines[0]), let port = Int(lines[3]),
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd"),
            program == workspace.postgres + "/data"
        else { return nil }
        let entry = RunEntry(name: name, pid: pid, port: port, command: ["postgres"])
        return entry.isAlive ? entry : nil
    }

    private func initialize() async throws {
        guard !FileManager.default.fileExists(atPath: data + "/PG_VERSION") else { return try configure() }
        // A first start that was cut short left half a cluster.
        try? FileManager.default.removeItem(atPath: data)
        let secret = workspace.postgres + "/password"
        try Workspace.write(password, to: secret)
        defer { unlink(secret) }
        if let account = workspace.postgresAccount { chown(secret, account.user, account.group) }
        let command = workspace.postgresAccount.running([
            try binaries() + "/initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", secret, "-E",
            "UTF8", "--no-locale", "--no-sync",
        ])
        let result = try await Subprocess.run(
            .path("/usr/bin/env"),
            arguments: Arguments(command),
            environment: .custom(["PATH": "/usr/bin:/bin", "LC_ALL": "C"]),
            workingDirectory: FilePath(workspace.postgres),
            output: .discarded,
            error: .string(limit: 16_384)
        )
        guard result.terminationStatus.isSuccess else {
            throw DevFailure("initdb failed: \(result.standardError)")
        }
        try configure()
    }

    private func configure() throws {
        let settings = """
            listen_addresses = '127.0.0.1'
            port = \(port)
            unix_socket_directories = '\(socket)'
            max_connections = 300
            password_encryption = 'scram-sha-256'
            lc_messages = 'C'
            log_min_error_statement = panic

            """
        try Workspace.write(settings, to: data + "/postgresql.auto.conf")
        if let account = workspace.postgresAccount {
            chown(data + "/postgresql.auto.conf", account.user, account.group)
        }
    }

    private func prepareSocket() throws {
        var status = stat()
        let owner = workspace.postgresAccount?.user ?? geteuid()
        if lstat(socket, &status) == 0, status.st_uid != owner || status.st_mode & S_IFMT != S_IFDIR {
            throw DevFailure("\(socket) belongs to somebody else")
        }
        try Workspace.folder(socket, mode: 0o700, owner: workspace.postgresAccount)
    }

    private func binaries() throws -> String {
        guard let found = Installation.binaries() else {
            throw DevFailure(
                "no Postgres server is installed (Debian: apt-get install postgresql); $PG_BIN may name its folder"
            )
        }
        return found
    }
}
