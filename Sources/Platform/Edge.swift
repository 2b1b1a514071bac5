/// What routes the tenants' host names.
package protocol Edge: Sendable {
    /// Whether a router of this name is live with this host; `nil` reason means yes.
    ///
    /// - Returns: What is missing, for people; `nil` when the route works.
    func problem(router: String, host: String) async throws(PortError) -> String?

    /// Whether exactly this route is live, with its weights; `nil` means yes.
    ///
    /// - Returns: What is missing, for people; `nil` when traffic is divided so.
    func problem(with route: Route) async throws(PortError) -> String?
}

/// One router of the dynamic configuration we serve to the edge.
package struct Route: Sendable, Equatable {
    /// `org-{id}`.
    package var router: String
    package var host: String
    /// Service name and its weight, 0…100; the name without the provider.
    package var services: [String: Int]
    /// The same for what only looks, GET and HEAD, while it goes elsewhere.
    package var reads: [String: Int]?

    package init(router: String, host: String, services: [String: Int], reads: [String: Int]? = nil) {
        self.router = router
        self.host = host
        self.services = services
        self.reads = reads == services ? nil : reads
    }
}

/// The OAuth clients of tenants at the identity service.
package protocol OAuthClients: Sendable {
    /// The tenant's client; the secret is empty when the service does not show it again.
    func ensure(organization: String, redirect: String) async throws(PortError) -> OAuthClient

    /// Makes the old secret useless.
    func rotateSecret(organization: String) async throws(PortError)
}

/// A registered OAuth client.
package struct OAuthClient: Sendable, Equatable {
    package var id: String
    package var secret: Secret

    package init(id: String, secret: Secret) {
        self.id = id
        self.secret = secret
    }
}
