package import HTTPTypes
internal import Hummingbird
internal import Kernel

/// What a route answers.
package struct Answer: Sendable {
    /// What comes after the header fields.
    package enum Body: Sendable {
        case empty
        case bytes([UInt8], type: String)
        /// Server-sent events, written as they happen until the closure returns.
        case events(@concurrent @Sendable (inout EventSink) async throws -> Void)
        /// Bytes of any length, written as they are read until the closure returns; who throws cuts the answer off.
        case stream(type: String, @concurrent @Sendable (inout EventSink) async throws -> Void)
    }

    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var body: Body
    /// The same bytes packed, when that was done before.
    var packed: [UInt8]?

    package init(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON document, with the log position that it reflects and the version of the stream that it is about.
    package static func json(
        _ value: some Encodable,
        status: HTTPResponse.Status = .ok,
        position: Int64? = nil,
        version: Int64? = nil,
        headers: HTTPFields = [:]
    ) throws(Problem) -> Answer {
        let bytes: [UInt8]
        do {
            bytes = try JSON.encode(value)
        } catch {
            throw .internalError(error)
        }
        var answer = Answer(status, headers: headers, body: .bytes(bytes, type: "application/json"))
        if let position { answer.headers[.logPosition] = String(position) }
        if let version { answer.headers[.eTag] = "\"\(version)\"" }
        return answer
    }

    /// Text as it is.
    package static func text(_ text: String, type: String) -> Answer {
        Answer(body: .bytes(Array(text.utf8), type: type))
    }

    /// A problem document.
    package static func problem(_ problem: Problem, request: String) -> Answer {
        // A JSONValue of strings and integers always encodes.
        let bytes = (try? JSON.encode(problem.document(request: request))) ?? Array("{}".utf8)
        return Answer(problem.status, headers: problem.headers, body: .bytes(bytes, type: "application/problem+json"))
    }
}

extension Answer {
    /// As Hummingbird sends it; to HEAD without its content, but saying how long that would be.
    func response(headOnly: Bool) -> Response {
        var headers = headers
        switch body {
        case .empty:
            return Response(status: status, headers: headers)
        case .bytes(let bytes, let type):
            headers[.contentType] = type
            if headOnly {
                headers[.contentLength] = String(bytes.count)
                return Response(status: status, headers: headers)
            }
            return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .events(let write): return stream("text/event-stream", write, headOnly: headOnly)
        case .stream(let type, let write): return stream(type, write, headOnly: headOnly)
        }
    }

    private func stream(
        _ type: String,
        _ write: @escaping @concurrent @Sendable (inout EventSink) async throws -> Void,
        headOnly: Bool
    ) -> Response {
        var headers = headers
        headers[.contentType] = type
        if headOnly { return Response(status: status, headers: headers) }
        let body = ResponseBody { writer in
            var sink = EventSink(writer)
            try await write(&sink)
            try await sink.finish()
        }
        return Response(status: status, headers: headers, body: body)
    }
}
