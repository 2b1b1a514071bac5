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
    func send(
        _ method: String,
        _ path: String,
        body: JSONValue? = nil,
        headers: [String: String] = [:]
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
        let answer = try await exchange(request)
        guard answer.status < 400 else { throw refusal(answer) }
        return answer
    }

    /// Says at once that nobody listens, instead of trying for a minute.
    private static let http = HTTPCaller.makeClient()

    private func exchange(_ request: HTTPClientRequest) async throws -> Answer {
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
            throw Exit.unavailable("no answer from \(url)")
        }
    }

    private func refusal(_ answer: Answer) -> any Error {
        var message = answer.body["title"]?.string ?? "the server answered \(answer.status)"
        if let detail = answer.body["detail"]?.string { message += ": " + detail }
        for error in answer.body["errors"]?.array ?? [] {
            message += "\n  \(error["pointer"]?.string ?? "") \(error["detail"]?.string ?? "")"
        }
        switch answer.status {
        case 404: return Exit.notFound(message)
        case 409, 412: return Exit.conflict(message)
        case 429, 503: return Exit.unavailable(message)
        default: return Exit.failed(message)
        }
    }
}
