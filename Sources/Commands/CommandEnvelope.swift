internal import Crypto
package import Kernel

/// Everything about a command but its content: who gives it, and how it is recognised when it comes again.
package struct CommandEnvelope: Sendable {
    /// The same command again has the same id and is answered as the first time.
    package var id: UniqueID
    package var principal: Principal
    /// SHA-256 of what was asked; the same id with another hash is refused.
    package var requestHash: [UInt8]
    /// Whether the client may send the same id again, that is, whether it gave an idempotency key.
    package var repeatable: Bool
    /// The version the client believes the thing to have; `nil` when it does not say.
    package var expectedVersion: Int64?
    package var correlation: UniqueID?
    /// W3C trace context.
    package var traceparent: String?

    package init(
        id: UniqueID,
        principal: Principal,
        requestHash: [UInt8],
        repeatable: Bool = true,
        expectedVersion: Int64? = nil,
        correlation: UniqueID? = nil,
        traceparent: String? = nil
    ) {
        self.id = id
        self.principal = principal
        self.requestHash = requestHash
        self.repeatable = repeatable
        self.expectedVersion = expectedVersion
        self.correlation = correlation
        self.traceparent = traceparent
    }

    /// The id of a command that the client has named: made from SHA-256 of principal, route and key.
    ///
    /// - Parameters:
    ///   - principal: The ``Principal/actor`` of who gives it, so that two clients never meet.
    ///   - route: Method and path as they were called, e.g. `POST /v1/instances/42/retry`.
    ///   - key: What the client sent as `Idempotency-Key`.
    /// - Returns: The same for the same three.
    package static func id(principal: String, route: String, key: String) -> UniqueID {
        UniqueID(hash: SHA256.hash(data: Array([principal, route, key].joined(separator: "\0").utf8)))
    }

    /// SHA-256 of a request's body, for ``requestHash``.
    package static func hash(of body: some Sequence<UInt8>) -> [UInt8] {
        Array(SHA256.hash(data: Array(body)))
    }

    /// A command of the plane itself, given once.
    package static func own(_ principal: Principal = .system, ids: IDSource) -> Self {
        Self(id: ids.unique(), principal: principal, requestHash: hash(of: []), repeatable: false)
    }
}
