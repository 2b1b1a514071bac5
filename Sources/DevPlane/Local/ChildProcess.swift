internal import Glibc
internal import Subprocess
internal import SystemPackage

/// How a process ended.
package enum Exit: Sendable, Equatable {
    case code(Int32)
    case signal(Int32)
    /// It was not our child, so nobody told us.
    case unknown
    /// It never ran.
    case unstarted(String)
}

/// A process of ours that goes on when we are killed, and is found again by its entry in a run directory.
package struct ChildProcess: Sendable {
    /// The executable, absolute, and its arguments.
    package var command: [String]
    /// All of its environment; nothing of ours is passed on.
    package var environment: [String: String]
    /// Where it runs; the folder must exist.
    package var directory: String
    /// What it prints is added to this file; absolute.
    package var log: String
    /// Whom it drops to; only root can.
    package var account: Account?

    package init(
        command: [String],
        environment: [String: String],
        directory: String,
        log: String,
        account: Account? = nil
    ) {
        self.command = command
        self.environment = environment
        self.directory = directory
        self.log = log
        self.account = account
    }

    /// Runs it to its end, in a session of its own so that a terminal's Ctrl-C does not reach it.
    ///
    /// A shell, which then becomes the process itself, leaves its pid in a file `pid` in the folder where it runs, so that
    /// the process can be found even when we are killed before we know it.
    ///
    /// - Parameters:
    ///   - grace: How long it has, after SIGTERM, to end by itself when the task is cancelled.
    ///   - started: Is called with its pid.
    /// - Returns: How it ended.
    package func run(grace: Duration = .seconds(5), started: @Sendable (Int32) async -> Void) async -> Exit {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: grace)]
        let words = account.running(["/bin/sh", "-c", #"echo $$ >pid && exec "$@""#, "child"] + command)
        do {
            guard let executable = words.first else { return .unstarted("no command") }
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
                environment: .custom(variables),
                workingDirectory: FilePath(directory),
                platformOptions: options,
                input: .none,
                output: .fileDescriptor(output, closeAfterSpawningProcess: false),
                error: .fileDescriptor(output, closeAfterSpawningProcess: false)
            ) { execution in
                await started(execution.processIdentifier.value)
            }
            switch result.terminationStatus {
            case .exited(let code): return .code(code)
            case .signaled(let number): return .signal(number)
            }
        } catch {
            return .unstarted("\(error)")
        }
    }

    /// Runs it to its end, written down under a name for as long as it runs.
    ///
    /// - Parameters:
    ///   - name: What it is called in the run directory.
    ///   - port: Where it listens, when it does.
    ///   - run: Where it is written down.
    /// - Returns: How it ended.
    package func run(as name: String, port: Int?, in run: RunDirectory) async -> Exit {
        let exit = await self.run { pid in
            // One that is not written down is not found after a kill; but it runs, and that is what was asked for.
            try? run.write(RunEntry(name: name, pid: pid, port: port, command: command))
        }
        run.remove(name)
        return exit
    }

    private var variables: [Subprocess.Environment.Key: String] {
        var variables: [Subprocess.Environment.Key: String] = [:]
        for (name, value) in environment {
            guard let key = Subprocess.Environment.Key(rawValue: name) else { continue }
            variables[key] = value
        }
        return variables
    }
}

extension RunEntry {
    /// Asks the process to end, and makes it when it does not.
    ///
    /// - Parameters:
    ///   - number: The first signal.
    ///   - grace: How long until SIGKILL; a cancelled task does not wait.
    package func end(signal number: Int32 = SIGTERM, within grace: Duration) async {
        signal(number)
        let deadline = ContinuousClock.now + grace
        // Only a cancelled sleep throws: then there is no more time.
        while isAlive, ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(10))) != nil {}
        signal(SIGKILL)
    }

    /// Returns when the process is gone, or the task is cancelled.
    ///
    /// For those that are not our children.
    package func gone() async {
        // Only a cancelled sleep throws, and then nobody waits any more.
        while isAlive, (try? await Task.sleep(for: .milliseconds(100))) != nil {}
    }
}
