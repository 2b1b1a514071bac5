internal import AsyncHTTPClient
package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import Kernel

/// Calls an address that somebody outside has given, and no other.
///
/// The name is resolved here, every address that it stands for is judged, and the connection goes to one of those that
/// were judged: what the name stands for a moment later does not matter. Redirects are answers, no proxy is used, and
/// nothing of the answer but its status and `Retry-After` is read.
package struct WebhookCaller: Sendable {
    /// What was answered.
    package struct Answer: Sendable, Equatable {
        package var status: Int
        package var retryAfter: Duration?
    }

    /// Why there was no answer, in words for who gave the address.
    package enum Failure: Error, Equatable, Sendable {
        case unknownHost
        /// What the name stands for is not of the public internet.
        case forbiddenAddress
        /// Without TLS.
        case plain
        case unreachable
        case timeout
    }

    /// The addresses that a name stands for.
    package typealias Resolve = @Sendable (_ host: String, _ port: Int) async -> [SocketAddress]

    private let allowsPrivate: Bool
    private let timeout: Duration
    private let resolve: Resolve

    /// A way to call.
    ///
    /// - Parameters:
    ///   - allowsPrivate: Whether addresses that only we can reach, and calls without TLS, are allowed; on one machine alone.
    ///   - timeout: For the whole call.
    ///   - resolve: Asks for the addresses that a name stands for.
    package init(
        allowsPrivate: Bool = false,
        timeout: Duration = .seconds(15),
        resolve: @escaping Resolve = WebhookCaller.system
    ) {
        (self.allowsPrivate, self.timeout, self.resolve) = (allowsPrivate, timeout, resolve)
    }

    /// Sends a body with POST.
    ///
    /// - Parameters:
    ///   - address: Where to.
    ///   - headers: Names and values.
    ///   - body: What is sent.
    /// - Returns: What was answered, or why nothing was.
    package func post(
        _ address: WebAddress,
        headers: [(String, String)],
        body: [UInt8]
    ) async -> Result<Answer, Failure> {
        guard address.isSecure || allowsPrivate else { return .failure(.plain) }
        return await withTaskGroup(of: Result<Answer, Failure>.self) { group in
            group.addTask { await call(address, headers, body) }
            group.addTask {
                // Cancelled means that nobody waits for this clock any more.
                try? await Task.sleep(for: timeout)
                return .failure(.timeout)
            }
            let first = await group.next() ?? .failure(.timeout)
            group.cancelAll()
            return first
        }
    }

    private func call(
        _ address: WebAddress,
        _ headers: [(String, String)],
        _ body: [UInt8]
    ) async -> Result<Answer, Failure> {
        let found = await resolve(address.host, address.port)
        guard let first = found.first, let target = first.ipAddress else { return .failure(.unknownHost) }
        // One that is not public among several is a trap, not a spare.
        guard allowsPrivate || found.allSatisfy(PublicAddress.judges) else { return .failure(.forbiddenAddress) }
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: .seconds(5))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.dnsOverride = [address.host: target]
        // A client of its own, because what a name stands for is part of it.
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        var request = HTTPClientRequest(url: address.text)
        request.method = .POST
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(body)
        let result: Result<Answer, Failure>
        do {
            let response = try await client.execute(request, timeout: .nanoseconds(timeout.microseconds * 1000))
            let pause = response.headers.first(name: "retry-after").flatMap { Int64($0) }
            result = .success(
                Answer(
                    status: Int(response.status.code),
                    retryAfter: pause.map { .seconds(min(max($0, 1), 86_400)) }
                )
            )
        } catch {
            result = .failure(.unreachable)
        }
        // What is left of the answer is nobody's business.
        try? await client.shutdown()
        return result
    }

    /// Asks the system, on a thread that may wait.
    package static let system: Resolve = { host, port in
        let found = try? await NIOThreadPool.singleton.runIfActive {
            try SocketAddress.all(of: host, port: port)
        }
        return found ?? []
    }
}
