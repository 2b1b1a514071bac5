import AsyncHTTPClient
import FoundationEssentials
import Kernel
import NIOCore
import NIOHTTP1

/// HTTP as a stranger speaks it.
struct Client: Sendable {
    var base: String
    var key: String?

    /// One answer.
    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var bytes: [UInt8]

        var json: JSONValue { (try? JSON.decode(JSONValue.self, from: bytes)) ?? .null }
        var text: String { String(decoding: bytes, as: UTF8.self) }
        subscript(header: String) -> String? { headers[header.lowercased()] }
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send("GET", path, headers: headers)
    }

    func post(_ path: String, _ body: JSONValue = [:], headers: [String: String] = [:]) async throws -> Answer {
        try await send("POST", path, body: JSON.encode(body), headers: headers)
    }

    func send(
        _ method: String,
        _ path: String,
        body: [UInt8]? = nil,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = .init(rawValue: method)
        if let key { request.headers.add(name: "Authorization", value: "Bearer " + key) }
        if body != nil, headers["Content-Type"] == nil {
            request.headers.add(name: "Content-Type", value: "application/json")
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        if let body { request.body = .bytes(body) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(40))
        let buffer = try await response.body.collect(upTo: 8 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { $0 + ", " + $1 },
            bytes: Array(buffer.readableBytesView)
        )
    }
}
