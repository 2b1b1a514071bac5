import AsyncHTTPClient
import Commands
import HTTPTypes
import Kernel
import Logging
import NIOCore
import NIOHTTP1
@testable import Server
import ServiceLifecycle
import Testing

/// A server on a port of its own, and a client for it.
struct Live: Sendable {
    let base: String
    let group: ServiceGroup

    /// The status of a request; connecting is tried for as long as the time given.
    func get(_ path: String, as key: IssuedKey, within time: TimeAmount = .seconds(20)) async throws -> UInt {
        var request = HTTPClientRequest(url: base + path)
        request.headers.add(name: "Authorization", value: "Bearer \(key.text)")
        return try await HTTPClient.shared.execute(request, timeout: time).status.code
    }

    /// Opens a stream of server-sent events and gives back its bytes as they come.
    func open(_ path: String, as key: IssuedKey, lastEventID: String?) async throws -> HTTPClientResponse.Body {
        var request = HTTPClientRequest(url: base + path)
        request.headers.add(name: "Authorization", value: "Bearer \(key.text)")
        if let lastEventID { request.headers.add(name: "Last-Event-ID", value: lastEventID) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        #expect(response.status == .ok)
        return response.body
    }
}

extension Stage {
    /// Serves for as long as `body` runs, then shuts down gracefully and waits for the end.
    func serving(ids: IDSource = .system, _ body: @escaping @Sendable (Live) async throws -> Void) async throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        var settings = settings
        settings.port = 0
        let (ports, opened) = AsyncStream.makeStream(of: Int.self)
        let server = APIServer(
            backend: backend,
            settings: settings,
            version: "test",
            edgeToken: Self.edgeToken,
            ids: ids,
            logger: quiet,
            onRunning: { opened.yield($0) }
        )
        let group = ServiceGroup(services: [server], gracefulShutdownSignals: [], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            let result = await Task { try await body(Live(base: "http://127.0.0.1:\(port)", group: group)) }.result
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }
}

/// The lines of a body as they come, without their ends.
func lines(_ body: HTTPClientResponse.Body) -> AsyncThrowingStream<String, any Error> {
    AsyncThrowingStream { lines in
        let reading = Task {
            var buffer: [UInt8] = []
            do {
                for try await chunk in body {
                    buffer += chunk.readableBytesView
                    while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                        lines.yield(String(decoding: buffer[..<end], as: UTF8.self))
                        buffer.removeSubrange(...end)
                    }
                }
                lines.finish()
            } catch {
                lines.finish(throwing: error)
            }
        }
        lines.onTermination = { _ in reading.cancel() }
    }
}

extension Call {
    /// A call that carries nothing.
    static func testing(_ method: HTTPRequest.Method, _ path: String) -> Call {
        Call(
            method: method,
            route: path,
            path: path,
            parameters: [:],
            query: Query(),
            headers: [:],
            body: [],
            principal: nil,
            requestID: "test",
            trace: TraceContext(continuing: nil, ids: .system),
            logger: Logger(label: "test")
        )
    }
}
