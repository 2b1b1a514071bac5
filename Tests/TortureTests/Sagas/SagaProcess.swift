import FoundationEssentials
import Glibc
import SignalboxTestKit
import Subprocess
import SystemPackage

/// A `SagaWorker` that runs.
struct SagaProcess: Sendable {
    let pid: pid_t
    private let output: String

    fileprivate init(pid: pid_t, output: String) {
        (self.pid, self.output) = (pid, output)
    }

    /// As it stands in leases.
    var owner: String { "worker-\(pid)" }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Whether it has printed this.
    func said(_ text: String) -> Bool {
        guard let data = try? Data(contentsOf: URL(filePath: output)) else { return false }
        return String(decoding: data, as: UTF8.self).contains(text)
    }

    /// As the kernel says it: `T` for stopped, `Z` for dead.
    var state: Character? {
        guard let data = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/stat")) else { return "Z" }
        // The name stands in brackets and may hold anything; the state comes after the last one.
        return String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ").first?.first
    }
}

/// Runs `body` beside a worker, and kills the worker however it ends.
///
/// - Parameters:
///   - stage: What it works on.
///   - place: Where it is struck; `nil` for nowhere.
///   - signal: With what.
///   - body: Gets the process.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, or why there is no process.
func withSagaWorker<Value: Sendable>(
    _ stage: SagaStage,
    struckAt place: String? = nil,
    by signal: Int32 = SIGKILL,
    _ body: @escaping @Sendable (SagaProcess) async throws -> Value
) async throws -> Value {
    let path = stage.folder + "/worker-\(UInt32.random(in: .min ... .max)).log"
    let output = try FileDescriptor.open(
        FilePath(path),
        .writeOnly,
        options: [.create, .append, .closeOnExec],
        permissions: .ownerReadWrite
    )
    defer { try? output.close() }
    let settings: [Environment.Key: String] = [
        "SAGA_WORKER_CONTROL": stage.database.application, "SAGA_WORKER_TENANTS": stage.tenants,
        "SAGA_WORKER_NOMAD": stage.nomad, "SAGA_WORKER_BILLING": stage.billing,
        "SAGA_WORKER_BILLING_KEY": SagaStage.billingKey, "SAGA_WORKER_FAIL": place ?? "",
        "SAGA_WORKER_SIGNAL": "\(signal)",
    ]
    let result = try await Subprocess.run(
        .path(FilePath(WorkerProcess.folder + "/SagaWorker")),
        environment: .inherit.updating(settings),
        input: .none,
        output: .fileDescriptor(output, closeAfterSpawningProcess: false),
        error: .fileDescriptor(output, closeAfterSpawningProcess: false)
    ) { execution -> Result<Value, any Error> in
        let process = SagaProcess(pid: execution.processIdentifier.value, output: path)
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(process)) } catch { outcome = .failure(error) }
        kill(process.pid, SIGKILL)
        return outcome
    }
    return try result.closureResult.get()
}
