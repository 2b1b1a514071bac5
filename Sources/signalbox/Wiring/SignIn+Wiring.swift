internal import Adapters
internal import AsyncHTTPClient
internal import Audit
internal import Kernel
internal import Logging
internal import Platform
internal import Postgres
internal import Server

extension SignIn {
    /// Signing in as the settings want it.
    init(
        _ settings: SignInSettings,
        stage: Stage,
        http: HTTPClient,
        store: SessionStore,
        ids: IDSource = .system,
        logger: Logger
    ) {
        let provider = OpenIDProvider(
            http: http,
            settings: .init(
                issuer: settings.issuer,
                clientID: settings.clientID,
                clientSecret: settings.clientSecret.map { Secret($0) },
                allowsPlain: stage == .development
            ),
            now: ids.now
        )
        let complain: @Sendable (PortError) -> Void = { error in
            logger.warning("the issuer does not let people sign in", metadata: ["error": "\(error)"])
        }
        let ring = KeyRing(now: ids.now, logger: logger) { try? await provider.keys().get() }
        self.init(
            issuer: settings.issuer,
            clientID: settings.clientID,
            scope: settings.scope,
            origin: settings.origin,
            tokens: TokenVerifier(issuer: settings.issuer, audience: settings.clientID, ring: ring, now: ids.now),
            sessions: SessionDoor(store, logger),
            authorizationEndpoint: {
                switch await provider.authorizationEndpoint() {
                case .success(let address): return address
                case .failure(let error):
                    complain(error)
                    return nil
                }
            },
            redeem: { claim in
                let outcome = await provider.redeem(
                    code: claim.code,
                    verifier: claim.verifier,
                    redirect: claim.redirect
                )
                switch outcome {
                case .success(let token): return .token(token)
                case .failure(.permanent): return .refused
                case .failure(let error):
                    complain(error)
                    return .unavailable
                }
            }
        )
    }
}

extension SessionDoor {
    /// Sessions as the store keeps them.
    init(_ store: SessionStore, _ logger: Logger) {
        self.init()
        open = { entry in
            do throws(PostgresError) {
                return try await store.open(SessionRecord(entry)) ? .opened : .loginUsed
            } catch {
                logger.warning("a session cannot be kept", metadata: ["error": "\(error)"])
                return .unavailable
            }
        }
        find = { token, moment in
            do throws(PostgresError) {
                return try await store.find(token, at: moment).flatMap { Entry($0) }.map { .found($0) } ?? .nothing
            } catch {
                logger.warning("sessions cannot be looked up", metadata: ["error": "\(error)"])
                return .unavailable
            }
        }
        end = { token, moment in
            do throws(PostgresError) {
                try await store.end(token, at: moment)
                return true
            } catch {
                logger.warning("a session cannot be ended", metadata: ["error": "\(error)"])
                return false
            }
        }
    }
}

extension SessionRecord {
    fileprivate init(_ entry: SessionDoor.Entry) {
        self.init(
            token: entry.token,
            login: entry.login,
            person: entry.user.value,
            startedAt: entry.startedAt,
            endsAt: entry.endsAt
        )
    }
}

extension SessionDoor.Entry {
    fileprivate init?(_ record: SessionRecord) {
        guard let user = UserID(record.person) else { return nil }
        self.init(
            token: record.token,
            login: record.login,
            user: user,
            startedAt: record.startedAt,
            endsAt: record.endsAt
        )
    }
}
