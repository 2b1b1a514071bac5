internal import Adapters
internal import AsyncHTTPClient
internal import Kernel
internal import NIOCore
internal import NIOHTTP1

/// The HTTP API as the command line uses it.
struct APIClient {
    let url: String
    let key: String

    /// What the server answered.
    struct Answer {
        var status: Int
        var location: String?
        /// What the answer reflects, or what it wrote; 0 when it does not say.
        var position: Int64
        var body: JSONValue
    }

    /// Sends a request; a problem document becomes an exit with its words.
    ///
    /// - Parameters:
    ///   - method: Of HTTP.
    ///   - path: With its query.
    ///   - body: Sent as JSON.
    ///   - headers: Beside those of every request.
    ///   - patience: For how long the same request is sent again while nobody answers, or the server says that it cannot
    ///     answer now; only for what may be sent twice.
    /// - Returns: What the server answered.
    /// - Throws: An exit.
    func send(
        _ method: String,
        _ path: String,
        body: JSONValue? = nil,
        headers: [String: String] = [:],
        patience: Duration = .zero
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = .init(rawValue: method)
        request.headers.add(name: "Authorization", value: "Bearer " + key)
        request.headers.add(name: "Accept", value: "application/json")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(try JSON.encode(body))
        }
        let end = ContinuousClock.now + patience
        var isTold = false
        while true {
            let answer = await exchange(request)
            if let answer, answer.status != 503 {
                guard answer.status < 400 else { throw refusal(answer) }
                return answer
            }
            guard ContinuousClock.now < end else {
                throw answer.map { refusal($0) } ?? Exit.unavailable("no answer from \(url)")
            }
            if !isTold {
                let what = answer.map { "answers \($0.status)" } ?? "does not answer"
                Terminal.complain("\(url) \(what); trying again for \(patience.components.seconds) s")
                isTold = true
            }
            try await Task.sleep(for: .milliseconds(.random(in: 200...400)))
        }
    }

    /// The data of the server-sent events of a route, until the server ends them.
    func events(_ path: String) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        var request = HTTPClientRequest(url: url + path)
        request.headers.add(name: "Authorization", value: "Bearer " + key)
        request.headers.add(name: "Accept", value: "text/event-stream")
        let response: HTTPClientResponse
        do {
            response = try await Self.http.execute(request, deadline: .distantFuture)
        } catch { throw Exit.unavailable("no answer from \(url)") }
        guard response.status == .ok else { throw await refusal(response) }
        // What comes next tells everything that what came before told.
        return AsyncThrowingStream(bufferingPolicy: .bufferingNewest(4)) { continuation in
            let reading = Task {
                var text: [UInt8] = []
                do {
                    for try await chunk in response.body {
                        text += chunk.readableBytesView
                        while let end = text.firstIndex(of: UInt8(ascii: "\n")) {
                            let line = text[..<end]
                            if line.starts(with: Array("data: ".utf8)) { continuation.yield(Array(line.dropFirst(6))) }
                            text.removeFirst(line.count + 1)
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: Exit.unavailable("the server has gone"))
                }
            }
            continuation.onTermination = { _ in reading.cancel() }
        }
    }

    /// What a route answers, a piece at a time, until its end.
    ///
    /// - Parameters:
    ///   - path: With its query.
    ///   - take: Given each piece.
    /// - Throws: An exit; also when the server cuts the answer off.
    func download(_ path: String, _ take: ([UInt8]) throws -> Void) async throws {
        var request = HTTPClientRequest(url: url + path)
        request.headers.add(name: "Authorization", value: "Bearer " + key)
        let response: HTTPClientResponse
        do {
            response = try await Self.http.execute(request, deadline: .distantFuture)
        } catch { throw Exit.unavailable("no answer from \(url)") }
        guard response.status == .ok else { throw await refusal(response) }
        var pieces = response.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do { piece = try await pieces.next() } catch { throw Exit.unavailable("the server has cut its answer off") }
            guard let piece else { return }
            try take(Array(piece.readableBytesView))
        }
    }

    private func refusal(_ response: HTTPClientResponse) async -> any Error {
        let body = try? await response.body.collect(upTo: 1 << 20)
        let document = body.flatMap { try? JSON.decode(JSONValue.self, from: Array($0.readableBytesView)) }
        return refusal(Answer(status: Int(response.status.code), position: 0, body: document ?? .null))
    }

    /// Says at once that nobody listens, instead of trying for a minute.
    static let http = HTTPCaller.makeClient()

    /// One attempt; `nil` when there is no answer.
    private func exchange(_ request: HTTPClientRequest) async -> Answer? {
        do {
            let response = try await Self.http.execute(request, timeout: .seconds(60))
            let buffer = try await response.body.collect(upTo: 16 << 20)
            return Answer(
                status: Int(response.status.code),
                location: response.headers.first(name: "Location"),
                position: response.headers.first(name: "X-Log-Position").flatMap { Int64($0) } ?? 0,
                body: (try? JSON.decode(JSONValue.self, from: Array(buffer.readableBytesView))) ?? .null
            )
        } catch {
            return nil
        }
    }

    private func refusal(_ answer: Answer) -> any Error {
        var message = answer.body["title"]?.string ?? "the server answered \(answer.status)"
        if let detail = answer.body["detail"]?.string { message += ": " + detail }
        for error in answer.body["errors"]?.array ?? [] {
            let place = error["pointer"]?.string ?? error["parameter"]?.string ?? ""
            message += "\n  \(place) \(error["detail"]?.string ?? "")"
        }
        switch answer.status {
        case 400, 422: return Exit.usage(message)
        case 404: return Exit.notFound(message)
        case 409, 412: return Exit.conflict(message)
        case 429, 503: return Exit.unavailable(message)
        default: return Exit.failed(message)
        }
    }
}
