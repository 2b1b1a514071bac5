package import Commands
internal import HTTPTypes
internal import Kernel
internal import Metrics

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

    /// - Returns: Who asks; `nil` on open routes and for the edge.
    func admit(_ headers: HTTPFields, to access: Access) async throws(Problem) -> Principal? {
        switch access {
        case .open:
            return nil
        case .edge:
            guard let token = Self.bearer(headers), let edgeTokenHash,
                Secrets.same(APIKey.hash(of: token), edgeTokenHash)
            else { throw .unauthenticated }
            return nil
        case .scope(let scope):
            let principal = try await identify(headers)
            guard principal.may(scope) else { throw .forbidden }
            return principal
        case .platform:
            let principal = try await identify(headers)
            guard principal.isPlatform, principal.may(.read) else { throw .forbidden }
            return principal
        case .operators:
            let principal = try await identify(headers)
            guard principal.isOperator, principal.may(.write) else { throw .forbidden }
            return principal
        }
    }

    private func identify(_ headers: HTTPFields) async throws(Problem) -> Principal {
        guard let credential = Self.bearer(headers) else {
            Self.count("none")
            throw .unauthenticated
        }
        guard let principal = try await authenticate(credential) else {
            Self.count(APIKey(credential) != nil ? "key" : TokenVerifier.looksLikeToken(credential) ? "token" : "other")
            throw .badCredentials
        }
        return principal
    }

    /// Who is nobody is only counted.
    private static func count(_ credentials: String) {
        Counter(label: "signalbox_http_unauthenticated_total", dimensions: [("credentials", credentials)]).increment()
    }

    private static func bearer(_ headers: HTTPFields) -> String? {
        guard let text = headers[.authorization]?.trimmed else { return nil }
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1]).trimmed
    }
}
