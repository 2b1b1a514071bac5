internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// An HTTP server on 127.0.0.1 whose every request goes to one function.
struct LocalServer: Sendable {
    var port: Int
    var faults: Faults
    var logger: Logger
    /// Called with the port as soon as it listens.
    var onListening: @Sendable (Int) -> Void
    var answer: @Sendable (Call) async -> Answer

    /// Serves until it is cancelled or told to shut down.
    func run() async throws {
        let application = Application(
            responder: CallbackResponder<LocalContext> { try await respond(to: $0, in: $1) },
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: Port.isFree(port) ? port : 0),
                serverName: nil
            ),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger
        )
        try await application.run()
    }

    private func respond(to request: Request, in context: LocalContext) async throws -> Response {
        let isStream = request.method == .get
        // A GET has no body that matters; its stream is kept to notice that the client has gone.
        let body = isStream ? [] : Array(buffer: try await request.body.collect(upTo: 8 << 20))
        let call = Call(
            method: request.method.rawValue,
            target: request.head.path ?? "/",
            headers: request.headers,
            body: body
        )
        let fault = faults.take(method: call.method, path: call.path)
        switch fault {
        case .refuse(let status, let body, let headers):
            return response(.text(body, status: status, headers: headers), to: request)
        case .delay(let span):
            try await Task.sleep(for: span)
        case .dropAnswer, nil:
            break
        }
        let answer = await answer(call)
        if fault == .dropAnswer { try await context.channel.close() }
        return response(answer, to: request)
    }

    private func response(_ answer: Answer, to request: Request) -> Response {
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            guard let name = HTTPField.Name(name) else { continue }
            headers[name] = value
        }
        let status = HTTPResponse.Status(code: answer.status)
        switch answer.body {
        case .bytes(let bytes):
            guard !bytes.isEmpty else { return Response(status: status, headers: headers) }
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let pieces):
            return Response(
                status: status,
                headers: headers,
                body: ResponseBody { writer in
                    try await request.body.consumeWithCancellationOnInboundClose { _ in
                        for await piece in pieces { try await writer.write(ByteBuffer(string: piece)) }
                    }
                    try await writer.finish(nil)
                }
            )
        }
    }
}

/// The context of a request, with the connection it came over.
private struct LocalContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
