package import AsyncHTTPClient
internal import FoundationEssentials
package import Kernel
package import Platform

/// An issuer as OpenID Connect has it: where people sign in, with which keys it signs, and how a code becomes a token.
///
/// What it says of itself is read when it is needed, believed for ten minutes, and for a day when it cannot be read again;
/// never more than one attempt is under way, and none begins within five seconds of one that failed.
package actor OpenIDProvider {
    /// Who it is, and who we are there.
    package struct Settings: Sendable {
        package var issuer: String
        package var clientID: String
        /// Without one only PKCE proves who we are.
        package var clientSecret: Secret?
        /// Whether addresses without TLS are taken, on a machine for development.
        package var allowsPlain: Bool
        /// For each call.
        package var timeout: Duration

        package init(
            issuer: String,
            clientID: String,
            clientSecret: Secret?,
            allowsPlain: Bool = false,
            timeout: Duration = .seconds(5)
        ) {
            (self.issuer, self.clientID, self.clientSecret) = (issuer, clientID, clientSecret)
            (self.allowsPlain, self.timeout) = (allowsPlain, timeout)
        }
    }

    /// What it says of itself (OpenID Connect Discovery 1.0, section 3).
    struct Endpoints: Sendable {
        var authorization: String
        var token: String
        var keys: String
        /// Whether our secret goes into the form, because the issuer takes it nowhere else.
        var takesSecretInForm: Bool
    }

    private static let fresh = Duration.seconds(600)
    private static let stale = Duration.seconds(86_400)
    private static let pause = Duration.seconds(5)
    private static let limit = 1 << 18

    private let http: HTTPClient
    private let settings: Settings
    private let now: @Sendable () -> Timestamp
    private var known: (endpoints: Endpoints, at: Timestamp)?
    private var failure: (error: PortError, at: Timestamp)?
    private var asking: Task<Result<Endpoints, PortError>, Never>?

    /// - Parameters:
    ///   - http: Follows no redirects.
    ///   - settings: Who it is.
    ///   - now: The time.
    package init(http: HTTPClient, settings: Settings, now: @escaping @Sendable () -> Timestamp) {
        (self.http, self.settings, self.now) = (http, settings, now)
    }

    /// Where people sign in.
    package func authorizationEndpoint() async -> Result<String, PortError> {
        await endpoints().map(\.authorization)
    }

    /// The key set as it is published now.
    package func keys() async -> Result<[UInt8], PortError> {
        switch await endpoints() {
        case .failure(let error): return .failure(error)
        case .success(let endpoints):
            return await get(endpoints.keys).flatMap { answer in
                answer.status == 200 ? .success(answer.body) : .failure(Self.error(answer, "keys"))
            }
        }
    }

    /// An identity token for a code, which is good once: a call that may have arrived is not repeated.
    ///
    /// - Parameters:
    ///   - code: As the browser brought it.
    ///   - verifier: What the login began with (RFC 7636).
    ///   - redirect: Where the browser was sent back to.
    /// - Returns: The token, unchecked; `.permanent` when the code is not good.
    package func redeem(code: String, verifier: String, redirect: String) async -> Result<String, PortError> {
        let endpoints: Endpoints
        switch await self.endpoints() {
        case .failure(let error): return .failure(error)
        case .success(let found): endpoints = found
        }
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ]
        var headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
        if let secret = settings.clientSecret, !endpoints.takesSecretInForm {
            // RFC 6749, section 2.3.1: both are encoded before they are joined.
            let pair = "\(HTTPCaller.segment(settings.clientID)):\(HTTPCaller.segment(secret.revealed))"
            headers.append(("Authorization", "Basic " + Data(pair.utf8).base64EncodedString()))
        } else {
            form.append(("client_id", settings.clientID))
            if let secret = settings.clientSecret { form.append(("client_secret", secret.revealed)) }
        }
        let (caller, body) = (caller(endpoints.token), HTTPCaller.form(form))
        var outcome = await Self.post(caller, headers, body)
        // It never got there, so the code is still good.
        if case .failure(.notSent) = outcome { outcome = await Self.post(caller, headers, body) }
        switch outcome {
        case .failure(let failure): return .failure(failure.portError("issuer", changes: true))
        case .success(let answer):
            guard answer.status == 200 else { return .failure(Self.error(answer, "token")) }
            guard let token = answer.json?["id_token"]?.string, !token.isEmpty else { return .failure(Self.garbled) }
            return .success(token)
        }
    }

    private func endpoints() async -> Result<Endpoints, PortError> {
        let moment = now()
        if let known, moment - known.at < Self.fresh { return .success(known.endpoints) }
        if let failure, moment - failure.at < Self.pause { return fallback(failure.error, at: moment) }
        if let asking { return await asking.value }
        let task = Task { await self.discover() }
        asking = task
        return await task.value
    }

    /// Better what it said before than nothing.
    private func fallback(_ error: PortError, at moment: Timestamp) -> Result<Endpoints, PortError> {
        guard let known, moment - known.at < Self.stale else { return .failure(error) }
        return .success(known.endpoints)
    }

    private func discover() async -> Result<Endpoints, PortError> {
        defer { asking = nil }
        var base = settings.issuer
        while base.hasSuffix("/") { base.removeLast() }
        let outcome = await get(base + "/.well-known/openid-configuration").flatMap { described($0) }
        switch outcome {
        case .success(let endpoints):
            (known, failure) = ((endpoints, now()), nil)
            return outcome
        case .failure(let error):
            failure = (error, now())
            return fallback(error, at: now())
        }
    }

    private func described(_ answer: HTTPAnswer) -> Result<Endpoints, PortError> {
        guard answer.status == 200 else { return .failure(Self.error(answer, "discovery")) }
        guard let document = answer.json else { return .failure(Self.garbled) }
        // Section 4.3: or anybody could speak for it.
        guard document["issuer"]?.string == settings.issuer else {
            return .failure(.blocked(code: "issuer.other", message: "the issuer calls itself something else"))
        }
        let names = ["authorization_endpoint", "token_endpoint", "jwks_uri"]
        let found = names.compactMap { document[$0]?.string }.filter { isAddress($0) }
        guard found.count == names.count else {
            return .failure(
                .blocked(code: "issuer.incomplete", message: "the issuer does not say where to go, over TLS")
            )
        }
        let methods = document["token_endpoint_auth_methods_supported"]?.array?.compactMap(\.string)
        let form = methods.map { !$0.contains("client_secret_basic") && $0.contains("client_secret_post") } ?? false
        return .success(
            Endpoints(authorization: found[0], token: found[1], keys: found[2], takesSecretInForm: form)
        )
    }

    private func isAddress(_ text: String) -> Bool {
        (text.hasPrefix("https://") || settings.allowsPlain && text.hasPrefix("http://")) && text.utf8.count <= 2048
            && text.utf8.allSatisfy { 0x21...0x7E ~= $0 } && !text.contains("#")
    }

    private func caller(_ address: String) -> HTTPCaller {
        HTTPCaller(client: http, base: address, timeout: settings.timeout, bodyLimit: Self.limit)
    }

    private func get(_ address: String) async -> Result<HTTPAnswer, PortError> {
        let caller = caller(address)
        do throws(HTTPFailure) {
            return .success(try await caller.send(.get, "", headers: [("Accept", "application/json")]))
        } catch {
            return .failure(error.portError("issuer", changes: false))
        }
    }

    private static func post(
        _ caller: HTTPCaller,
        _ headers: [(String, String)],
        _ body: [UInt8]
    ) async -> Result<HTTPAnswer, HTTPFailure> {
        do throws(HTTPFailure) {
            return .success(try await caller.send(.post, "", headers: headers, body: body))
        } catch {
            return .failure(error)
        }
    }

    private static func error(_ answer: HTTPAnswer, _ what: String) -> PortError {
        let message = "the issuer answered \(answer.status) (\(what))"
        let named = answer.json?["error"]?.string
        switch (answer.status, named) {
        // RFC 6749, section 5.2.
        case (400, "invalid_grant"): return .permanent(code: "issuer.invalid-grant", message: message)
        case (429, _), (500..., _):
            return .transient(code: "issuer.unwell", message: message, retryAfter: answer.retryAfter)
        default: return .blocked(code: "issuer.refused", message: message)
        }
    }

    private static let garbled = PortError.transient(
        code: "issuer.garbled",
        message: "the issuer answered something unreadable"
    )
}
