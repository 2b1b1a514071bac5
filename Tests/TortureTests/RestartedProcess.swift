import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A program beside the test bundle that is started again whenever it has ended.
final class RestartedProcess: Sendable {
    private struct State {
        var pid: pid_t?
        var starts = 0
        var isEnding = false
    }

    private let program: String
    private let state = Mutex(State())

    init(_ program: String) {
        self.program = WorkerProcess.folder + "/" + program
    }

    /// How many processes there have been.
    var starts: Int { state.withLock { $0.starts } }

    /// Sends a signal to the process, if there is one now.
    func signal(_ number: Int32) {
        state.withLock { state in
            if let pid = state.pid { _ = kill(pid, number) }
        }
    }

    /// Ends it for good, as `kill -9` does.
    func end() {
        state.withLock { state in
            state.isEnding = true
            if let pid = state.pid { _ = kill(pid, SIGKILL) }
        }
    }

    /// Runs process after process until ``end()``, or until the task is cancelled.
    ///
    /// - Parameters:
    ///   - arguments: What the next one is told, by how many there were before.
    ///   - hear: Gets every line that is printed as a whole.
    /// - Throws: Why there is no process.
    func run(_ arguments: (Int) -> [String], hear: @Sendable (String) -> Void = { _ in }) async throws {
        while !state.withLock({ $0.isEnding }) {
            _ = try await Subprocess.run(
                .path(FilePath(program)),
                arguments: Arguments(arguments(starts)),
                input: .none,
                output: .sequence,
                error: .discarded
            ) { execution in
                let pid = execution.processIdentifier.value
                let isEnding = state.withLock { state in
                    state.pid = pid
                    state.starts += 1
                    return state.isEnding
                }
                if isEnding { kill(pid, SIGKILL) }
                var rest: [UInt8] = []
                for try await buffer in execution.standardOutput {
                    buffer.withUnsafeBytes { rest.append(contentsOf: $0) }
                    // A line that the kill has cut short was never said.
                    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                        hear(String(decoding: rest[..<end], as: UTF8.self))
                        rest.removeFirst(end + 1)
                    }
                }
                // Not reaped before this returns, so nobody else has the number yet.
                state.withLock { $0.pid = nil }
            }
        }
    }
}
