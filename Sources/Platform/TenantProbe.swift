/// Asks what runs for a tenant how it is.
package protocol TenantProbe: Sendable {
    /// What it says of itself; whether it is ready stands in the body of the answer, never in its status.
    ///
    /// - Parameter address: Scheme, host and port.
    /// - Returns: Its own word.
    /// - Throws: ``PortError/transient(code:message:retryAfter:)`` when it says nothing that can be understood.
    func readiness(at address: String) async throws(PortError) -> TenantReadiness
}

/// What a tenant says of itself.
package struct TenantReadiness: Sendable, Equatable {
    package var isReady: Bool
    /// The issues that keep it from being ready, by their ids.
    package var open: [String]

    /// What a tenant calls the lease of its scheduler.
    package static let lease = "scheduler_single_lease"

    package init(isReady: Bool, open: [String] = []) {
        self.isReady = isReady
        self.open = open
    }

    /// What is missing; `nil` when nothing is.
    ///
    /// One that stands by has no scheduler lease, and cannot have one: that alone does not keep it from being ready.
    package func problem(standingBy: Bool) -> String? {
        guard !isReady else { return nil }
        if standingBy, !open.isEmpty, open.allSatisfy({ $0 == Self.lease }) { return nil }
        return open.isEmpty ? "it is not ready" : "it is not ready: \(open.joined(separator: ", "))"
    }
}
