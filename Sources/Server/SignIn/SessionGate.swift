internal import HTTPTypes
internal import Kernel

/// Lets browsers in that are signed in, and only what their own pages of ours have them send.
struct SessionGate: Sendable {
    /// The name of the cookie with the session's token.
    let cookie: String
    /// How browsers call us.
    let origin: String
    /// Who has this session; `nil` when it is not good, or not good any more.
    let visitor: @Sendable (String) async throws(Problem) -> Gate.Visitor?

    /// The token of the session; `nil` for what cannot be one.
    func token(in headers: HTTPFields) -> String? {
        guard let token = Cookies.value(cookie, in: headers), Base64URL.decode(token)?.count == 32 else { return nil }
        return token
    }

    /// Whether a change was asked for by a page that we have sent: it knows what only those can read, and the browser
    /// does not say otherwise.
    ///
    /// Pages of other hosts of our domain, such as those of tenants, are not ours, though `SameSite` takes them for it.
    func isOurs(_ headers: HTTPFields, _ session: BrowserSession) -> Bool {
        guard let shown = headers[.forgeryToken], Secrets.same(shown, session.forgeryToken) else { return false }
        if let site = headers[.fetchSite], site != "same-origin" { return false }
        if let origin = headers[.origin], origin != self.origin { return false }
        return true
    }
}
