import Adapters
import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore

/// What a test's own HTTP service was asked.
struct Asked: Sendable {
    var method: String
    /// With its query.
    var path: String
    var headers: [String: String]
    var body: String

    var json: JSONValue? { try? JSON.decode(JSONValue.self, from: body.utf8) }
}

/// What it says.
struct Answer: Sendable {
    var status: Int
    var headers: [String: String] = [:]
    var body: String = ""

    static func json(_ value: JSONValue, status: Int = 200, headers: [String: String] = [:]) -> Answer {
        let body = (try? JSON.encode(value)) ?? []
        return Answer(
            status: status,
            headers: headers.merging(["Content-Type": "application/json"]) { given, _ in given },
            body: String(decoding: body, as: UTF8.self)
        )
    }

    static func text(_ status: Int, _ body: String) -> Answer {
        Answer(status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: body)
    }
}

/// Runs an HTTP service of the test's own for as long as `body` runs.
///
/// - Parameters:
///   - answer: Throwing closes the connection without an answer.
///   - body: Gets the address, e.g. `http://127.0.0.1:40123`.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
func withService<Value: Sendable>(
    _ answer: @escaping @Sendable (Asked) async throws -> Answer,
    _ body: @escaping @Sendable (String) async throws -> Value
) async throws -> Value {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
        let sent = try await request.body.collect(upTo: 1 << 20)
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        let asked = Asked(
            method: request.method.rawValue,
            path: request.uri.string,
            headers: headers,
            body: String(buffer: sent)
        )
        let answer = try await answer(asked)
        var fields = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        return Response(
            status: .init(code: answer.status),
            headers: fields,
            body: .init(byteBuffer: ByteBuffer(string: answer.body))
        )
    }
    let application = Application(
        responder: responder,
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) },
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    )
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask {
            try await application.run()
            return nil
        }
        group.addTask {
            var iterator = ports.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            return try await body("http://127.0.0.1:\(port)")
        }
        defer { group.cancelAll() }
        // The service only ends when it is told to, so what comes first is the test's.
        guard let value = try await group.next() ?? nil else { throw CancellationError() }
        return value
    }
}

/// The client of the tests of this process; ends with it.
enum OutboundClient {
    static let shared = HTTPCaller.makeClient()
}
