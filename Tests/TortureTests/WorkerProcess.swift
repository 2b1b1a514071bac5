import EventStore
import FoundationEssentials
import SignalboxTestKit

/// A `LogWorker` that is started again whenever it has ended, and goes on where the last one stopped.
final class WorkerProcess: Sendable {
    /// Where the programs are: beside the test bundle.
    static let folder: String = {
        let arguments = ProcessInfo.processInfo.arguments
        let bundle = arguments.first { $0.hasSuffix(".xctest") } ?? arguments[0]
        let path = bundle.hasPrefix("/") ? bundle : FileManager.default.currentDirectoryPath + "/" + bundle
        return path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
    }()

    let name: String
    private let mode: String
    private let conninfo: String
    private let durability: Durability
    private let lanes: Int
    private let ledger: Ledger
    private let process = RestartedProcess("LogWorker")

    /// - Parameters:
    ///   - name: Tells its lanes from those of others.
    ///   - mode: `append` or `hold`.
    ///   - conninfo: Where the log is.
    ///   - durability: When an append counts as done.
    ///   - lanes: How many callers it has.
    ///   - ledger: Hears every line.
    init(
        _ name: String,
        mode: String = "append",
        conninfo: String,
        durability: Durability,
        lanes: Int,
        ledger: Ledger
    ) {
        self.name = name
        self.mode = mode
        self.conninfo = conninfo
        self.durability = durability
        self.lanes = lanes
        self.ledger = ledger
    }

    /// At which steps its processes may be told to die: barriers are rare where each flush waits for the disk itself.
    private var steps: [LogStep] {
        LogStep.allCases.filter { durability == .pipelined || ![.barrierBegun, .barrierEnded].contains($0) }
    }

    /// How many processes there have been.
    var starts: Int { process.starts }

    /// Sends a signal to the process, if there is one now.
    func signal(_ number: Int32) { process.signal(number) }

    /// Ends it for good, as `kill -9` does.
    func end() { process.end() }

    /// Runs process after process until ``end()``.
    func run() async throws {
        try await process.run { start in
            // Each process has a step of the protocol to die at, when it is told to.
            let step = steps[start % steps.count]
            let next = ledger.next(of: name, lanes: lanes).map { "\($0)" }.joined(separator: ",")
            return [
                mode, "--name", name, "--conninfo", conninfo, "--next", next, "--durability", durability.rawValue,
                "--die-at", step.rawValue,
            ]
        } hear: { line in
            ledger.hear(line)
        }
    }
}

/// Runs `body` beside workers, and ends them however it ends.
func withWorkers<Value: Sendable>(
    _ workers: [WorkerProcess],
    _ body: () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in workers { group.addTask { try await worker.run() } }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        for worker in workers { worker.end() }
        try await group.waitForAll()
        return try outcome.get()
    }
}
