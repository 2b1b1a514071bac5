import AsyncHTTPClient
import DevPlane
import FoundationEssentials
import Glibc
import Kernel
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// A folder that is gone when its scope ends.
func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder =
        FileManager.default.temporaryDirectory.path(percentEncoded: false) + "plane-\(IDSource.system.unique())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let outcome: Result<Value, any Error>
    do { outcome = .success(try await body(folder)) } catch { outcome = .failure(error) }
    // A folder that cannot be removed is no reason to fail a test that passed.
    try? FileManager.default.removeItem(atPath: folder)
    return try outcome.get()
}

/// Runs a service as `signalbox dev` does, until `body` has returned; then shuts it down in order.
func serving<Value: Sendable>(
    _ service: any Service,
    _ body: @Sendable @escaping () async throws -> Value
) async throws -> Value {
    let group = ServiceGroup(configuration: .init(services: [.init(service: service)], logger: quiet))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try outcome.get()
    }
}

/// Says nothing below an error.
let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
}()

/// One answer, read whole.
struct Reply: Sendable {
    var status: Int
    var headers: [String: String]
    var text: String

    var json: JSONValue { (try? JSON.decode(JSONValue.self, from: text.utf8)) ?? .null }
    var index: Int64 { headers["x-nomad-index"].flatMap { Int64($0) } ?? 0 }
}

/// Speaks HTTP to a service on 127.0.0.1.
struct Client: Sendable {
    var port: Int
    var headers: [String: String] = [:]

    func send(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        headers extra: [String: String] = [:],
        timeout: Int64 = 20
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .RAW(value: method)
        for (name, value) in headers.merging(extra, uniquingKeysWith: { $1 }) {
            request.headers.add(name: name, value: value)
        }
        if let body { request.body = .bytes(ByteBuffer(bytes: try JSON.encode(body))) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(timeout))
        let bytes = try await response.body.collect(upTo: 8 << 20)
        var headers: [String: String] = [:]
        for (name, value) in response.headers { headers[name.lowercased()] = value }
        return Reply(status: Int(response.status.code), headers: headers, text: String(buffer: bytes))
    }

    func get(_ path: String) async throws -> Reply { try await send("GET", path) }
}

extension Client {
    /// Whether somebody takes a connection there; the HTTP client would go on trying until its time is over.
    static func isListening(_ port: Int) -> Bool {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(handle) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
