internal import FoundationEssentials
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// A process of ours that goes on when we are killed, and is found again by its entry in the run directory.
package struct Child: Sendable {
    /// What it is called in the run directory.
    package var name: String
    /// The executable, by its path, and its arguments.
    package var command: [String]
    /// All of its environment; nothing of ours is passed on.
    package var environment: [String: String]
    /// Where it starts; the folder must exist.
    package var directory: String
    /// What it prints is added to this file.
    package var log: String
    /// Whom it drops to; only root can.
    package var account: Account?
    package var port: Int?

    package init(
        name: String,
        command: [String],
        environment: [String: String],
        directory: String,
        log: String,
        account: Account? = nil,
        port: Int? = nil
    ) {
        self.name = name
        self.command = command
        self.environment = environment
        self.directory = directory
        self.log = log
        self.account = account
        self.port = port
    }

    /// Starts it, writes it down, and returns when it has ended.
    ///
    /// A session of its own keeps the terminal's Ctrl-C from it: it ends when we say so. A task that is cancelled
    /// ends it by SIGTERM, and by SIGKILL after 5 seconds.
    ///
    /// - Parameters:
    ///   - run: Where it is written down; the entry is gone when it has ended.
    ///   - started: Called with its entry as soon as it runs.
    /// - Returns: Its exit status, or 128 + the signal that ended it.
    /// - Throws: What the system says when it cannot be started.
    package func run(in run: RunDirectory, started: @Sendable (RunEntry) async -> Void = { _ in }) async throws -> Int {
        let words = account.running(command)
        guard let executable = words.first else { return 127 }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let output = try FileDescriptor.open(
            FilePath(log),
            .writeOnly,
            options: [.create, .append, .closeOnExec],
            permissions: [.ownerReadWrite]
        )
        defer { try? output.close() }
        let result = try await Subprocess.run(
            .path(FilePath(executable)),
            arguments: Arguments(Array(words.dropFirst())),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
            ),
            workingDirectory: FilePath(directory),
            platformOptions: options,
            input: .none,
            output: .fileDescriptor(output, closeAfterSpawningProcess: false),
            error: .fileDescriptor(output, closeAfterSpawningProcess: false)
        ) { execution in
            let entry = RunEntry(name: name, pid: execution.processIdentifier.value, port: port, command: command)
            try run.write(entry)
            await started(entry)
        }
        run.remove(name)
        switch result.terminationStatus {
        case .exited(let code): return Int(code)
        case .signaled(let signal): return 128 + Int(signal)
        }
    }
}

extension RunEntry {
    /// Returns when the process is gone; for one that is not our child.
    package func ended() async throws {
        while isAlive { try await Task.sleep(for: .milliseconds(100)) }
    }

    /// Asks the process to end, and makes it after a while.
    ///
    /// - Parameters:
    ///   - number: The first signal.
    ///   - patience: How long until SIGKILL.
    package func stop(_ number: Int32 = SIGTERM, patience: Duration = .seconds(10)) async {
        let deadline = ContinuousClock.now + patience
        signal(number)
        while isAlive {
            if ContinuousClock.now > deadline { signal(SIGKILL) }
            // A cancelled task must still end the process: then it looks without pausing.
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
