internal import Commands
internal import HTTPTypes
internal import Kernel

/// Decides who a request comes from, and whether the route is for them at all.
///
/// Whether they may do it to the thing they name is decided in the command layer, against the log.
package struct Gate: Sendable {
    /// Who was found behind a request, and by which session, if it was one.
    struct Visitor: Sendable {
        var principal: Principal
        var session: BrowserSession?
    }

    private let authenticate: @Sendable (String) async throws(Problem) -> Principal?
    private let sessions: SessionGate?
    /// Hex SHA-256 of the edge's token; nobody is the edge without one.
    private let edgeTokenHash: String?

    /// A gate for people and the edge.
    ///
    /// - Parameters:
    ///   - authenticate: Who sends this key or token; `nil` when it is unknown, wrong, revoked or expired.
    ///   - sessions: What lets browsers in; cookies mean nothing without it.
    ///   - edgeToken: What the edge router sends; `nil` closes its routes.
    init(
        authenticate: @escaping @Sendable (String) async throws(Problem) -> Principal?,
        sessions: SessionGate? = nil,
        edgeToken: String? = nil
    ) {
        self.authenticate = authenticate
        self.sessions = sessions
        self.edgeTokenHash = edgeToken.map { APIKey.hash(of: $0) }
    }

    /// Who asks; `nil` on open routes and for the edge.
    ///
    /// - Throws: 401 to who is nobody.
    func identify(_ headers: HTTPFields, for access: Access) async throws(Problem) -> Visitor? {
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

    /// Lets only those through whom a route is for, and changes only that a page of ours has asked for.
    func check(
        _ visitor: Visitor,
        _ method: HTTPRequest.Method,
        _ headers: HTTPFields,
        for access: Access
    ) throws(Problem) {
        let principal = visitor.principal
        if let session = visitor.session, ![.get, .head].contains(method) {
            guard let sessions, sessions.isOurs(headers, session) else { throw .crossSite }
        }
        let isWelcome =
            switch access {
            case .open, .edge: true
            case .scope(let scope): principal.may(scope)
            case .platform: principal.isPlatform && principal.may(.read)
            case .operators: principal.isOperator && principal.may(.write)
            }
        guard isWelcome else { throw .forbidden }
    }

    /// A bearer goes first: whoever sends one means it, while a browser sends cookies by itself.
    private func identify(_ headers: HTTPFields) async throws(Problem) -> Visitor {
        guard let credential = Self.bearer(headers) else {
            guard headers[.authorization] == nil, let sessions, let token = sessions.token(in: headers) else {
                ServerMetrics.unauthenticated(.none)
                throw .unauthenticated
            }
            if let visitor = try await sessions.visitor(token) { return visitor }
            ServerMetrics.unauthenticated(.session)
            throw .unauthenticated
        }
        guard let principal = try await authenticate(credential) else {
            let looks: ServerMetrics.Credentials =
                APIKey(credential) != nil ? .key : TokenVerifier.looksLikeToken(credential) ? .token : .other
            ServerMetrics.unauthenticated(looks)
            throw .badCredentials
        }
        return Visitor(principal: principal)
    }

    /// What a request shows as bearer.
    static func bearer(_ headers: HTTPFields) -> String? {
        guard let text = headers[.authorization]?.trimmed else { return nil }
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1]).trimmed
    }
}
