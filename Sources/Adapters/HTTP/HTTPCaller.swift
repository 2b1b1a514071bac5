package import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Calls one HTTP service, with a bound on time and size, and says what is known when no answer comes.
package struct HTTPCaller: Sendable {
    private let client: HTTPClient
    private let base: String
    private let headers: [(String, String)]
    private let timeout: Duration
    private let bodyLimit: Int

    /// A way to one service.
    ///
    /// - Parameters:
    ///   - client: Shared by all callers; see ``HTTPCaller/makeClient(connectionsPerHost:)``.
    ///   - base: Scheme, host and port, perhaps a path; a trailing slash does not matter.
    ///   - headers: Sent with every request, e.g. a token.
    ///   - timeout: For the whole exchange, unless a call says otherwise.
    ///   - bodyLimit: Bytes; a longer answer is a failure.
    package init(
        client: HTTPClient,
        base: String,
        headers: [(String, String)] = [],
        timeout: Duration = .seconds(30),
        bodyLimit: Int = 16 << 20
    ) {
        self.client = client
        var base = base
        while base.hasSuffix("/") { base.removeLast() }
        self.base = base
        self.headers = headers
        self.timeout = timeout
        self.bodyLimit = bodyLimit
    }

    /// A client that suits every adapter; whoever makes it shuts it down.
    ///
    /// Redirects are answers, a refused connection is told at once, and the limit of connections per host leaves room
    /// for blocking queries, each of which holds one (the library's default of 8 would not).
    package static func makeClient(connectionsPerHost: Int = 64) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(3))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsPerHost
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends one request and reads its whole answer, whatever its status.
    ///
    /// - Parameters:
    ///   - method: What is asked for.
    ///   - path: Starts with `/`; variable parts go through ``HTTPCaller/segment(_:)``.
    ///   - query: Names and values, not yet encoded.
    ///   - headers: Besides those of every request.
    ///   - body: Bytes to send.
    ///   - timeout: Instead of the caller's own.
    /// - Returns: The answer, also when it says no.
    /// - Throws: ``HTTPFailure`` when there is no answer.
    package func send(
        _ method: HTTPVerb,
        _ path: String,
        query: [(String, String)] = [],
        headers: [(String, String)] = [],
        body: [UInt8]? = nil,
        timeout: Duration? = nil
    ) async throws(HTTPFailure) -> HTTPAnswer {
        var request = HTTPClientRequest(url: base + path + Self.query(query))
        request.method = HTTPMethod(rawValue: method.rawValue)
        for (name, value) in self.headers + headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(body) }
        let observed = OutsideCalls.observer?.began(method, base + path)
        if let observed { request.headers.replaceOrAdd(name: "traceparent", value: observed.traceparent) }
        let outcome = await within(timeout ?? self.timeout, request)
        observed?.ended(outcome.map(\.status))
        return try outcome.get()
    }

    /// The library's own deadline ends with the head of the answer; this one covers the body too.
    private func within(_ limit: Duration, _ request: HTTPClientRequest) async -> Result<HTTPAnswer, HTTPFailure> {
        await withTaskGroup(of: Result<HTTPAnswer, HTTPFailure>?.self) { group in
            group.addTask { await exchange(request, limit) }
            group.addTask {
                // Cancelled means that nobody waits for this clock any more.
                try? await Task.sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .failure(.lost("no answer in time"))
        }
    }

    private func exchange(_ request: HTTPClientRequest, _ limit: Duration) async -> Result<HTTPAnswer, HTTPFailure> {
        do {
            let response = try await client.execute(request, deadline: .now() + TimeAmount(limit))
            let body = try await response.body.collect(upTo: bodyLimit)
            return .success(
                HTTPAnswer(
                    status: Int(response.status.code),
                    headers: response.headers.map { ($0.name, $0.value) },
                    body: Array(body.readableBytesView)
                )
            )
        } catch {
            return .failure(HTTPFailure(error))
        }
    }
}

extension HTTPCaller {
    /// One part of a path, encoded so that it stays one part.
    package static func segment(_ text: String) -> String {
        encode(text)
    }

    /// A form, as `application/x-www-form-urlencoded`.
    package static func form(_ fields: [(String, String)]) -> [UInt8] {
        Array(fields.map { encode($0) + "=" + encode($1) }.joined(separator: "&").utf8)
    }

    private static func query(_ items: [(String, String)]) -> String {
        items.isEmpty ? "" : "?" + items.map { encode($0) + "=" + encode($1) }.joined(separator: "&")
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    private static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}

extension HTTPFailure {
    /// Sorts what the library throws by whether the request can have reached the service.
    fileprivate init(_ error: any Error) {
        switch error {
        // All addresses of a name were tried; or the one address, which only an attempt to connect can refuse.
        case is NIOConnectionError: self = .notSent("cannot connect")
        case let error as IOError where error.errnoCode == ECONNREFUSED: self = .notSent("cannot connect")
        case is NIOTooManyBytesError: self = .tooLong
        case is CancellationError: self = .lost("cancelled")
        case let error as HTTPClientError: self.init(error)
        default: self = .lost("the connection was lost")
        }
    }

    private init(_ error: HTTPClientError) {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
            self = .notSent("cannot connect in time")
        case .invalidURL, .emptyHost, .emptyScheme:
            self = .notSent("the address is not valid")
        case .deadlineExceeded, .readTimeout:
            self = .lost("no answer in time")
        case .cancelled:
            self = .lost("cancelled")
        default:
            self = .lost("the connection was lost")
        }
    }
}
