internal import HTTPTypes
internal import Kernel

/// One request to an embedded service, wholly read.
struct Call: Sendable {
    var method: String
    /// As it was sent, without the query.
    var path: String
    /// The path's parts, each decoded; an encoded slash stays inside its part.
    var segments: [String]
    var query: [String: [String]]
    var headers: HTTPFields
    var body: [UInt8]

    init(method: String, target: String, headers: HTTPFields, body: [UInt8]) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts.first ?? "")
        segments = path.split(separator: "/").map { Self.decode($0, plusIsSpace: false) }
        var query: [String: [String]] = [:]
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.decode(halves[0], plusIsSpace: true)
            query[name, default: []].append(halves.count > 1 ? Self.decode(halves[1], plusIsSpace: true) : "")
        }
        self.query = query
        self.method = method
        self.headers = headers
        self.body = body
    }

    /// The first value of a query parameter.
    func parameter(_ name: String) -> String? { query[name]?.first }

    /// A header's value; `nil` when it was not sent.
    func header(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { headers[$0] }
    }

    /// The body as JSON; `nil` when it is none.
    var json: JSONValue? {
        // What cannot be read is none: the caller says which words that deserves.
        try? JSON.decode(JSONValue.self, from: body)
    }

    private static func decode(_ text: Substring, plusIsSpace: Bool) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let decoded = Hex.bytes(String(decoding: rest.prefix(2), as: UTF8.self)),
                decoded.count == 1
            {
                bytes.append(decoded[0])
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What an embedded service answers.
struct Answer: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Written piece by piece, until it ends or the client is gone.
        case stream(AsyncStream<String>)
    }

    var status: Int
    var headers: [String: String]
    var body: Body

    /// JSON, with whatever headers the service adds.
    static func json(_ value: JSONValue, status: Int = 200, headers: [String: String] = [:]) -> Answer {
        // A JSONValue holds nothing that JSON cannot say, except infinities, which nobody puts in here.
        let bytes = (try? JSON.encode(value)) ?? []
        return Answer(
            status: status,
            headers: headers.merging(["Content-Type": "application/json"]) { given, _ in given },
            body: .bytes(bytes)
        )
    }

    /// Plain text without a line's end.
    static func text(_ text: String, status: Int, headers: [String: String] = [:]) -> Answer {
        Answer(
            status: status,
            headers: headers.merging(["Content-Type": "text/plain; charset=utf-8"]) { given, _ in given },
            body: .bytes(Array(text.utf8))
        )
    }

    /// Nothing but a status.
    static func empty(_ status: Int, headers: [String: String] = [:]) -> Answer {
        Answer(status: status, headers: headers, body: .bytes([]))
    }
}
