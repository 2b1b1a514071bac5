internal import Commands
internal import HTTPTypes
internal import Kernel

/// How a browser signs in and out.
extension API {
    var signInRoutes: [Route] {
        var callback = Route(
            .get,
            "/auth/callback",
            "finishSignIn",
            "Where the issuer sends a browser back to: opens its session and leads it to where it wanted to go.",
            access: .open,
            parameters: [
                .init("code", .string(0...2048), "Good once, for an identity token."),
                .init("state", .string(0...256), "As /auth/login gave it."),
                .init("iss", .string(0...512), "Who answers (RFC 9207)."),
                .init("error", .string(0...256), "That the issuer refused."),
            ],
            success: .init(.seeOther),
            handler: finishSignIn
        )
        // Issuers send more than the standards name.
        callback.takesOtherParameters = true
        return [
            Route(
                .get,
                "/auth/login",
                "beginSignIn",
                "Leads a browser to the issuer, to come back signed in.",
                access: .open,
                parameters: [.init("return_to", .string(1...1024), "A path of ours to come back to; else `/`.")],
                success: .init(.seeOther),
                handler: beginSignIn
            ),
            callback,
            Route(
                .get,
                "/auth/session",
                "showSession",
                "Who is signed in, and what a page has to send with every change.",
                access: .scope(.read),
                success: .init(.ok, .named("Session")),
                handler: showSession
            ),
            Route(
                .post,
                "/auth/logout",
                "endSession",
                "Ends the session of the browser; who sends a key or a token has none.",
                access: .scope(.write),
                success: .init(.noContent),
                handler: endSession
            ),
        ]
    }

    private func beginSignIn(_ call: Call) async throws(Problem) -> Answer {
        guard let signIn = backend.signIn else { throw .signInOff }
        guard let path = LocalPath(call.query.given("return_to") ?? "/") else {
            throw .invalid([.init("must be a path of this server", parameter: "return_to")])
        }
        guard let endpoint = await signIn.authorizationEndpoint() else { throw .unavailable(retryAfter: 5) }
        let attempt = LoginAttempt(to: path, ids: ids)
        var answer = Answer(.seeOther, headers: [.location: signIn.address(at: endpoint, for: attempt)])
        answer.set(signIn.cookie(signIn.loginCookie, attempt.cookie, for: LoginAttempt.life))
        return answer
    }

    /// Whatever comes of it, the browser's attempt is over.
    private func finishSignIn(_ call: Call) async throws(Problem) -> Answer {
        guard let signIn = backend.signIn else { throw .signInOff }
        let forget = signIn.cookie(signIn.loginCookie, "", for: .zero)
        do {
            var answer = try await openSession(call, signIn)
            ServerMetrics.signIns(.opened)
            answer.set(forget)
            return answer
        } catch {
            var problem = error
            ServerMetrics.signIns(problem.status == .badRequest ? .refused : .unavailable)
            problem.headers.append(HTTPField(name: .setCookie, value: forget))
            throw problem
        }
    }

    private func openSession(_ call: Call, _ signIn: SignIn) async throws(Problem) -> Answer {
        let moment = ids.now()
        guard let attempt = Cookies.value(signIn.loginCookie, in: call.headers).flatMap({ LoginAttempt(cookie: $0) }),
            let state = call.query["state"], Secrets.same(state, attempt.state), attempt.isOpen(at: moment),
            // RFC 9207: not the answer of another issuer.
            call.query.given("iss").map({ $0 == signIn.issuer }) ?? true,
            call.query.given("error") == nil, let code = call.query["code"]
        else { throw .signInFailed }
        let identity = try await identity(signIn, for: attempt, code)
        guard let user = try await person(identity) else { throw .signInFailed }
        let token = Base64URL.random(ids)
        let entry = SessionDoor.Entry(
            token: APIKey.hash(of: token),
            login: APIKey.hash(of: state),
            user: user,
            startedAt: moment,
            endsAt: moment + signIn.life
        )
        switch await signIn.sessions.open(entry) {
        case .opened: break
        case .loginUsed: throw .signInFailed
        case .unavailable: throw .unavailable(retryAfter: 5)
        }
        // Whoever was signed in here before is not any more.
        if let old = sessionGate?.token(in: call.headers) {
            _ = await signIn.sessions.end(APIKey.hash(of: old), moment)
        }
        var answer = Answer(.seeOther, headers: [.location: signIn.origin + attempt.returnPath.text])
        answer.set(signIn.cookie(signIn.sessionCookie, token, for: signIn.life))
        return answer
    }

    /// Whom the issuer vouches for, for a code that came to the browser that asked for it.
    private func identity(
        _ signIn: SignIn,
        for attempt: LoginAttempt,
        _ code: String
    ) async throws(Problem) -> TokenIdentity {
        guard signIn.redeeming.enter() else { throw .unavailable(retryAfter: 5) }
        defer { signIn.redeeming.leave() }
        let claim = SignIn.Claim(code: code, verifier: attempt.verifier, redirect: signIn.redirect)
        let token: String
        switch await signIn.redeem(claim) {
        case .token(let found): token = found
        case .refused: throw .signInFailed
        case .unavailable: throw .unavailable(retryAfter: 5)
        }
        do {
            return try await signIn.tokens.identity(of: token, nonce: attempt.nonce)
        } catch {
            ServerMetrics.refused(error)
            if error == .unavailable { throw .unavailable(retryAfter: 5, cause: error) }
            throw .signInFailed
        }
    }

    private func showSession(_ call: Call) async throws(Problem) -> Answer {
        var document: [String: JSONValue] = [
            "authenticated": true, "userId": .null, "csrfToken": .null, "endsAt": .null,
        ]
        if case .user(let user) = try call.caller.kind { document["userId"] = .string(user.description) }
        if let session = call.session {
            document["csrfToken"] = .string(session.forgeryToken)
            document["endsAt"] = .string(session.endsAt.description)
        }
        return try .json(document)
    }

    private func endSession(_ call: Call) async throws(Problem) -> Answer {
        var answer = Answer(.noContent)
        guard let session = call.session, let signIn = backend.signIn else { return answer }
        guard await signIn.sessions.end(APIKey.hash(of: session.token), ids.now()) else {
            throw .unavailable(retryAfter: 1)
        }
        answer.set(signIn.cookie(signIn.sessionCookie, "", for: .zero))
        return answer
    }
}

extension Answer {
    /// Has the browser keep something.
    fileprivate mutating func set(_ cookie: String) {
        headers.append(HTTPField(name: .setCookie, value: cookie))
    }
}
