import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage

/// The program as a process of its own, which goes on until it is told to end.
struct Program: Sendable {
    var arguments: [String]
    /// In addition to that of the tests.
    var environment: [String: String] = [:]
    /// The file that takes what it prints.
    var log: String

    /// Starts it and ends it with a signal once `body` has returned, or with another one when `body` has failed.
    ///
    /// - Parameters:
    ///   - signal: With 0 it must end by itself.
    ///   - failure: What ends it when `body` throws.
    ///   - body: Is told the process.
    /// - Returns: What `body` returned, and how the process ended (128 + signal when it was killed).
    /// - Throws: What `body` throws, or what keeps the program from being started.
    func run<Value: Sendable>(
        ending signal: Int32,
        failing failure: Int32,
        _ body: @escaping @Sendable (_ pid: Int32) async throws -> Value
    ) async throws -> (value: Value, status: Int) {
        let output = try FileDescriptor.open(
            FilePath(log),
            .writeOnly,
            options: [.create, .append, .closeOnExec],
            permissions: .ownerReadWrite
        )
        defer { try? output.close() }
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(20))]
        let result = try await Subprocess.run(
            .path(FilePath(DevProcess.program)),
            arguments: Arguments(arguments),
            environment: .inheriting(environment),
            platformOptions: options,
            input: .none,
            output: .fileDescriptor(output, closeAfterSpawningProcess: false),
            error: .fileDescriptor(output, closeAfterSpawningProcess: false)
        ) { execution -> Result<Value, any Error> in
            let pid = execution.processIdentifier.value
            do {
                let value = try await body(pid)
                kill(pid, signal)
                return .success(value)
            } catch {
                kill(pid, failure)
                return .failure(error)
            }
        }
        let status: Int
        switch result.terminationStatus {
        case .exited(let code): status = Int(code)
        case .signaled(let number): status = 128 + Int(number)
        }
        return (try result.closureResult.get(), status)
    }

    /// The end of what it printed.
    var printed: String {
        guard let data = try? Data(contentsOf: URL(filePath: log)) else { return "" }
        return String(decoding: data.suffix(6000), as: UTF8.self)
    }
}

extension Environment {
    /// That of the tests, with some values of its own.
    static func inheriting(_ values: [String: String]) -> Environment {
        .inherit.updating(
            Dictionary(uniqueKeysWithValues: values.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
        )
    }
}

/// Makes an empty folder under the system's temporary one, which whoever asked removes.
func temporaryFolder(_ name: String) throws -> String {
    var template = Array("/tmp/\(name)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
        throw DevProcess.Failure(description: "no temporary folder: errno \(errno)")
    }
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}
