internal import Commands
internal import Domain
internal import Kernel
internal import Projections

/// Who it is that asks.
extension API {
    /// Who holds a key, or sends a token; `nil` when it is unknown, wrong, revoked or expired.
    func authenticate(_ credential: String) async throws(Problem) -> Principal? {
        if let key = APIKey(credential) { return try await authenticate(key) }
        guard let tokens = backend.tokens, TokenVerifier.looksLikeToken(credential) else { return nil }
        let identity: TokenIdentity
        do {
            identity = try await tokens.identity(of: credential)
        } catch {
            ServerMetrics.refused(error)
            if error == .unavailable { throw .unavailable(retryAfter: 5, cause: error) }
            return nil
        }
        guard let user = try await person(identity) else { return nil }
        return Principal(.user(user), scopes: identity.scopes)
    }

    /// Looked up in the read model, so a revocation counts as soon as that has it.
    private func authenticate(_ key: APIKey) async throws(Problem) -> Principal? {
        guard let record = try await read({ () throws(ReadError) in try await backend.reads.key(key.id) }),
            key.matches(hash: record.hash), record.isGood(at: ids.now())
        else { return nil }
        backend.keyUses.note(record.id, ids.now())
        let scopes = Set(record.scopes)
        switch record.owner {
        case .user(let user): return Principal(.user(user), scopes: scopes)
        case .organization(let organization):
            guard let role = record.role else { return nil }
            return Principal(.organizationKey(record.id, organization, role), scopes: scopes)
        case .platform(.operator): return Principal(.operator(record.id), scopes: scopes)
        case .platform(.auditor): return Principal(.platformAuditor(record.id), scopes: scopes)
        }
    }

    /// What lets browsers in; `nil` where they cannot sign in.
    var sessionGate: SessionGate? {
        guard let signIn = backend.signIn else { return nil }
        return SessionGate(cookie: signIn.sessionCookie, origin: signIn.origin) { token throws(Problem) in
            try await visitor(token, signIn)
        }
    }

    /// Asked for every request, so a session that was ended is over at once, in every process.
    private func visitor(_ token: String, _ signIn: SignIn) async throws(Problem) -> Gate.Visitor? {
        let moment = ids.now()
        let entry: SessionDoor.Entry
        switch await signIn.sessions.find(APIKey.hash(of: token), moment) {
        case .found(let found): entry = found
        case .nothing: return nil
        case .unavailable: throw .unavailable(retryAfter: 1)
        }
        guard moment < entry.endsAt, try await isThere(entry.user, at: moment) else { return nil }
        return Gate.Visitor(
            principal: Principal(.user(entry.user)),
            session: BrowserSession(token: token, endsAt: entry.endsAt)
        )
    }

    /// Whether a person was not erased.
    private func isThere(_ user: UserID, at moment: Timestamp) async throws(Problem) -> Bool {
        if people.knows(user, at: moment) { return true }
        let isThere = try await give { () throws(CommandError) in try await backend.commands.isRegistered(user) }
        if isThere { people.remember(user, at: moment) }
        return isThere
    }

    /// The person that an issuer vouches for, registered now if need be; `nil` for who was erased.
    func person(_ identity: TokenIdentity) async throws(Problem) -> UserID? {
        let moment = ids.now()
        if let user = people.user(identity, at: moment) { return user }
        let found = try await give { () throws(CommandError) in try await backend.commands.person(identity) }
        if let found { people.remember(found, as: identity, at: moment) }
        return found
    }
}
