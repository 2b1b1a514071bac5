package import Kernel
internal import Platform

/// What a request asks for.
package enum HTTPVerb: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
}

/// A whole answer.
package struct HTTPAnswer: Sendable {
    package let status: Int
    private let headers: [(String, String)]
    package let body: [UInt8]

    package init(status: Int, headers: [(String, String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of this name, in any case.
    package subscript(header name: String) -> String? {
        headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }

    /// The body as text, for errors that are text.
    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON; `nil` when it is none.
    package var json: JSONValue? { try? JSON.decode(JSONValue.self, from: body) }

    /// `Retry-After` in seconds; its other form, a date, is not understood.
    package var retryAfter: Duration? {
        self[header: "retry-after"].flatMap { Int64($0) }.map { .seconds(max(0, $0)) }
    }
}

/// Why there is no answer.
package enum HTTPFailure: Error, Equatable, Sendable {
    /// The service never saw the request.
    case notSent(String)
    /// It may have seen it.
    case lost(String)
    /// It answered more than the caller reads.
    case tooLong

    /// What the saga engine is told.
    ///
    /// - Parameters:
    ///   - target: Whose failure it is; the first part of the code.
    ///   - changes: Whether the request was to change something, so that a lost answer leaves a question.
    /// - Returns: The failure, with a code that starts with the target.
    func portError(_ target: String, changes: Bool) -> PortError {
        switch self {
        case .notSent(let message):
            .transient(code: "\(target).unreachable", message: "\(target): \(message)")
        case .lost(let message) where changes:
            .unknown(code: "\(target).lost", message: "\(target): \(message)")
        case .lost(let message):
            .transient(code: "\(target).lost", message: "\(target): \(message)")
        case .tooLong where changes:
            .unknown(code: "\(target).too-long", message: "\(target): the answer is too long")
        case .tooLong:
            .permanent(code: "\(target).too-long", message: "\(target): the answer is too long")
        }
    }
}
