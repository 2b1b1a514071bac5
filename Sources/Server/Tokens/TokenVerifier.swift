package import Kernel

/// What a token that is good says about who sends it.
package struct TokenIdentity: Sendable, Equatable {
    package var issuer: String
    package var subject: String
    package var email: String?
    package var firstName: String?
    package var lastName: String?
    /// What the token may be used for; `*` when it does not say.
    package var scopes: Set<String>
}

/// Decides whether a token is good: signed by a key that the issuer publishes, for us, and now.
package struct TokenVerifier: Sendable {
    /// Why a token is not good; told to nobody, only counted.
    package enum Refusal: String, Error, CaseIterable {
        case malformed
        case unknownKey = "unknown-key"
        case otherAlgorithm = "other-algorithm"
        case badSignature = "bad-signature"
        case otherIssuer = "other-issuer"
        case otherAudience = "other-audience"
        case expired
        case notYet = "not-yet"
        case withoutSubject = "without-subject"
        /// It is of another login.
        case otherNonce = "other-nonce"
        /// It may be good, but the keys of the issuer cannot be had.
        case unavailable
    }

    private let issuer: String
    private let audience: String
    private let leeway: Duration
    private let ring: KeyRing
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - issuer: What `iss` must be, to the letter.
    ///   - audience: What `aud` must be or contain.
    ///   - leeway: How far the clocks of both sides may be apart.
    ///   - ring: The issuer's keys.
    ///   - now: The time.
    package init(
        issuer: String,
        audience: String,
        leeway: Duration = .seconds(60),
        ring: KeyRing,
        now: @escaping @Sendable () -> Timestamp
    ) {
        (self.issuer, self.audience, self.leeway, self.ring, self.now) = (issuer, audience, leeway, ring, now)
    }

    /// Whether a text has the form of a token, good or not.
    package static func looksLikeToken(_ text: String) -> Bool {
        text.utf8.count { $0 == UInt8(ascii: ".") } == 2
    }

    /// Checks a token.
    ///
    /// - Throws: ``Refusal``. The signature is looked at before anything that the token claims.
    package func identity(of text: String) async throws(Refusal) -> TokenIdentity {
        guard let token = WebToken(text) else { throw .malformed }
        let found: VerificationKey?
        do { found = try await ring.key(token.keyID) } catch { throw .unavailable }
        guard let key = found else { throw .unknownKey }
        guard token.algorithm == key.algorithm else { throw .otherAlgorithm }
        guard key.accepts(token.signature, over: token.signed) else { throw .badSignature }
        return try identity(claimed: token.claims)
    }

    /// Checks an identity token that came for a login (OpenID Connect Core 1.0, section 3.1.3.7).
    ///
    /// - Parameters:
    ///   - text: The token.
    ///   - nonce: What was sent to the issuer with this login, and so has to be in the token.
    /// - Returns: Who it is about.
    /// - Throws: ``Refusal``.
    func identity(of text: String, nonce: String) async throws(Refusal) -> TokenIdentity {
        let identity = try await identity(of: text)
        // It is good, so it can be taken apart.
        guard let claims = WebToken(text)?.claims, let claimed = claims["nonce"]?.string, Secrets.same(claimed, nonce)
        else { throw .otherNonce }
        // Given to somebody else, who shows it to us as well.
        guard claims["azp"].map({ $0 == .string(audience) }) ?? true else { throw .otherAudience }
        return identity
    }

    private func identity(claimed claims: JSONValue) throws(Refusal) -> TokenIdentity {
        guard claims["iss"]?.string == issuer else { throw .otherIssuer }
        let audiences: [JSONValue]
        switch claims["aud"] {
        case .array(let all)?: audiences = all
        case let one?: audiences = [one]
        case nil: audiences = []
        }
        guard audiences.contains(.string(audience)) else { throw .otherAudience }
        let moment = now()
        guard let expiry = Self.time(claims["exp"]) else { throw .malformed }
        guard moment < expiry + leeway else { throw .expired }
        for name in ["nbf", "iat"] {
            guard let claim = claims[name] else { continue }
            guard let start = Self.time(claim) else { throw .malformed }
            guard start <= moment + leeway else { throw .notYet }
        }
        guard let subject = claims["sub"]?.string, (1...255).contains(subject.utf8.count) else { throw .withoutSubject }
        return TokenIdentity(
            issuer: issuer,
            subject: subject,
            email: Self.text(claims["email"], most: 254),
            firstName: Self.text(claims["given_name"], most: 100),
            lastName: Self.text(claims["family_name"], most: 100),
            scopes: Self.scopes(claims["scope"])
        )
    }

    /// Seconds since 1970, perhaps with a fraction; bounded, so that nothing overflows.
    private static func time(_ claim: JSONValue?) -> Timestamp? {
        let seconds: Double
        switch claim {
        case .integer(let value)?: seconds = Double(value)
        case .number(let value)?: seconds = value
        default: return nil
        }
        guard (0...253_402_300_799).contains(seconds) else { return nil }
        return Timestamp(microseconds: Int64(seconds * 1_000_000))
    }

    private static func text(_ claim: JSONValue?, most: Int) -> String? {
        guard let text = claim?.string, (1...most).contains(text.count) else { return nil }
        return text
    }

    /// Only scopes of ours narrow a token; those of the issuer mean nothing here.
    private static func scopes(_ claim: JSONValue?) -> Set<String> {
        let prefix = "signalbox:"
        let named = (claim?.string ?? "").split(separator: " ").filter { $0.hasPrefix(prefix) }
        let ours = Set(named.map { String($0.dropFirst(prefix.count)) })
        return ours.isEmpty ? ["*"] : ours.intersection(["read", "write"])
    }
}
