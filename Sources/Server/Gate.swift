package import Commands
internal import HTTPTypes
internal import Kernel

/// Decides who a request comes from, and whether the route is for them at all.
///
/// Whether they may do it to the thing they name is decided in the command layer, against the log.
package struct Gate: Sendable {
    private let authenticate: @Sendable (String) async throws(Problem) -> Principal?
    /// Hex SHA-256 of the edge's token; nobody is the edge without one.
    private let edgeTokenHash: String?

    /// A gate for people and the edge.
    ///
    /// - Parameters:
    ///   - authenticate: Who sends this key or token; `nil` when it is unknown, wrong, revoked or expired.
    ///   - edgeToken: What the edge router sends; `nil` closes its routes.
    package init(
        authenticate: @escaping @Sendable (String) async throws(Problem) -> Principal?,
        edgeToken: String? = nil
    ) {
        self.authenticate = authenticate
        self.edgeTokenHash = edgeToken.map { APIKey.hash(of: $0) }
    }

    /// Who asks; `nil` on open routes and for the edge.
    ///
    /// - Throws: 401 to who is nobody.
    func identify(_ headers: HTTPFields, for access: Access) async throws(Problem) -> Principal? {
        switch access {
        case .open:
            return nil
        case .edge:
            guard let token = Self.bearer(headers), let edgeTokenHash,
                Secrets.same(APIKey.hash(of: token), edgeTokenHash)
            else { throw .unauthenticated }
            return nil
        case .scope, .platform, .operators:
            return try await identify(headers)
        }
    }

    /// Lets only those through whom a route is for.
    func check(_ principal: Principal, for access: Access) throws(Problem) {
        let isWelcome =
            switch access {
            case .open, .edge: true
            case .scope(let scope): principal.may(scope)
            case .platform: principal.isPlatform && principal.may(.read)
            case .operators: principal.isOperator && principal.may(.write)
            }
        guard isWelcome else { throw .forbidden }
    }

    private func identify(_ headers: HTTPFields) async throws(Problem) -> Principal {
        guard let credential = Self.bearer(headers) else {
            ServerMetrics.unauthenticated(.none)
            throw .unauthenticated
        }
        guard let principal = try await authenticate(credential) else {
            let looks: ServerMetrics.Credentials =
                APIKey(credential) != nil ? .key : TokenVerifier.looksLikeToken(credential) ? .token : .other
            ServerMetrics.unauthenticated(looks)
            throw .badCredentials
        }
        return principal
    }

    private static func bearer(_ headers: HTTPFields) -> String? {
        guard let text = headers[.authorization]?.trimmed else { return nil }
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1]).trimmed
    }
}
