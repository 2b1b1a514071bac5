internal import Glibc
internal import Subprocess

/// How a process ended.
enum Exit: Sendable, Equatable {
    case code(Int32)
    case signal(Int32)
    /// It was not our child, so nobody told us.
    case unknown
    /// It never ran.
    case unstarted(String)
}

/// What to run, and how.
struct ChildProcess: Sendable {
    /// The executable, absolute, and its arguments.
    var command: [String]
    var environment: [String: String]
    /// Where it runs and its output is kept.
    var directory: String
    /// Relative to `directory`; added to.
    var log: String
    var account: Account?

    /// Runs it to its end, in a session of its own so that a terminal's Ctrl-C does not reach it; a cancelled task has
    /// it end first.
    ///
    /// The file descriptors come from a shell which then becomes the process itself; it leaves its pid in a file of that
    /// name, so that the process can be found even when we are killed before we know it.
    ///
    /// - Parameters:
    ///   - grace: How long it has to end by itself when the task is cancelled.
    ///   - started: Is called with its pid.
    /// - Returns: How it ended.
    func run(grace: Duration = .seconds(5), started: @Sendable (Int32) async -> Void) async -> Exit {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: grace)]
        let script = #"cd "$1" && log=$2 && shift 2 && echo $$ >pid && exec "$@" >>"$log" 2>&1"#
        var variables: [Subprocess.Environment.Key: String] = [:]
        for (name, value) in environment {
            guard let key = Subprocess.Environment.Key(rawValue: name) else { continue }
            variables[key] = value
        }
        do {
            let result = try await Subprocess.run(
                .name("env"),
                arguments: Arguments(account.running(["/bin/sh", "-c", script, "task", directory, log] + command)),
                environment: .custom(variables),
                platformOptions: options,
                input: .none,
                output: .discarded,
                error: .discarded
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
}

extension RunEntry {
    /// Asks the process to end, and makes it when it does not.
    func end(signal number: Int32 = SIGTERM, within grace: Duration) async {
        signal(number)
        let deadline = ContinuousClock.now + grace
        // Only a cancelled sleep throws: then there is no more time.
        while isAlive, ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(10))) != nil {}
        signal(SIGKILL)
    }

    /// Returns when the process is gone, or the task is cancelled.
    ///
    /// For those that are not our children.
    func gone() async {
        // Only a cancelled sleep throws, and then nobody waits any more.
        while isAlive, (try? await Task.sleep(for: .milliseconds(100))) != nil {}
    }
}
