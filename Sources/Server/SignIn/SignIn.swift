/// How browsers sign in: at an issuer, by OpenID Connect's code flow, for a session of ours.
package struct SignIn: Sendable {
    /// What is shown to the issuer for an identity token.
    package struct Claim: Sendable {
        package var code: String
        /// RFC 7636.
        package var verifier: String
        package var redirect: String
    }

    /// What came of it.
    package enum Redeemed: Sendable {
        case token(String)
        /// The code is not good: used, too old, or of somebody else.
        case refused
        /// The issuer does not answer, or not as it should; the login has to begin anew.
        case unavailable
    }

    /// What `iss` must be, to the letter.
    package var issuer: String
    /// What the issuer calls us.
    package var clientID: String
    /// What is asked for.
    package var scope: String
    /// How browsers reach us: scheme, host and port.
    package var origin: String
    /// How long a session lasts, however much it is used.
    package var life: Duration
    /// Where people sign in; `nil` when the issuer does not say.
    package var authorizationEndpoint: @Sendable () async -> String?
    package var redeem: @Sendable (Claim) async -> Redeemed
    /// Checks identity tokens.
    package var tokens: TokenVerifier
    package var sessions: SessionDoor
    /// How many may ask the issuer for a token at the same time.
    let redeeming = Turnstile(most: 32)

    /// - Parameters:
    ///   - issuer: What `iss` must be.
    ///   - clientID: What the issuer calls us.
    ///   - scope: What is asked for.
    ///   - origin: How browsers reach us, without a slash at the end.
    ///   - life: How long a session lasts.
    ///   - tokens: Checks identity tokens.
    ///   - sessions: Where sessions are kept.
    ///   - authorizationEndpoint: Where people sign in.
    ///   - redeem: Gets an identity token for a code.
    package init(
        issuer: String,
        clientID: String,
        scope: String = "openid profile email",
        origin: String,
        life: Duration = .seconds(86_400),
        tokens: TokenVerifier,
        sessions: SessionDoor,
        authorizationEndpoint: @escaping @Sendable () async -> String?,
        redeem: @escaping @Sendable (Claim) async -> Redeemed
    ) {
        (self.issuer, self.clientID, self.scope, self.origin) = (issuer, clientID, scope, origin)
        (self.life, self.tokens, self.sessions) = (life, tokens, sessions)
        (self.authorizationEndpoint, self.redeem) = (authorizationEndpoint, redeem)
    }

    /// Where the issuer sends people back to.
    package var redirect: String { origin + "/auth/callback" }

    /// Whether cookies go over TLS only; without it this is somebody's own machine.
    var isSecure: Bool { origin.hasPrefix("https://") }

    /// `__Host-`: no other host of the same domain can have set it.
    var sessionCookie: String { (isSecure ? "__Host-" : "") + "signalbox-session" }
    var loginCookie: String { (isSecure ? "__Host-" : "") + "signalbox-login" }

    /// What has a browser keep something; for no time at all, forget it.
    func cookie(_ name: String, _ value: String, for span: Duration) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(span.components.seconds); HttpOnly; SameSite=Lax"
            + (isSecure ? "; Secure" : "")
    }

    /// Where a browser is sent to sign in.
    func address(at endpoint: String, for attempt: LoginAttempt) -> String {
        let parameters = [
            ("response_type", "code"), ("client_id", clientID), ("redirect_uri", redirect), ("scope", scope),
            ("state", attempt.state), ("nonce", attempt.nonce), ("code_challenge", attempt.challenge),
            ("code_challenge_method", "S256"),
        ]
        let query = parameters.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
        return endpoint + (endpoint.contains("?") ? "&" : "?") + query
    }
}
