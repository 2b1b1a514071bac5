import HTTPTypes
import Kernel
@testable import Server
import Synchronization
import Testing

@Suite("Who attacks a browser's login")
struct SignInAttackTests {
    private let authority: Authority
    private let stage: Stage

    init() async throws {
        authority = try Authority()
        stage = try await Stage()
    }

    private var opened: Int { authority.state.withLock { $0.sessions.count } }

    private func expectRefused(_ reply: Stage.Reply, _ browser: Browser, _ what: String = "") {
        #expect(reply.status == .badRequest && reply.problem == "sign-in-failed", "\(what): \(reply.text)")
        #expect(browser.cookies[Browser.session] == nil && browser.cookies[Browser.login] == nil, "\(what)")
        #expect(reply.headers[.location] == nil, "\(what)")
    }

    @Test("with a code of their own in somebody else's browser gets nobody signed in as them")
    func loginForgery() async throws {
        var attacker = Browser(at: authority, stage)
        let theirs = try authority.approve(try await attacker.begin())
        // The victim has begun nothing.
        var victim = Browser(beside: attacker)
        expectRefused(try await victim.send(.get, theirs), victim, "nothing begun")
        // Nor when the victim is just signing in.
        _ = try await victim.begin()
        expectRefused(try await victim.send(.get, theirs), victim, "something else begun")
        #expect(opened == 0 && authority.state.withLock { $0.redeemed.isEmpty })
    }

    @Test("with the victim's code in their own browser gets nothing: the verifier is another")
    func stolenCode() async throws {
        var victim = Browser(at: authority, stage)
        let back = try authority.approve(try await victim.begin())
        let code = try #require(try Query(back.split(separator: "?")[1])["code"])
        var attacker = Browser(beside: victim)
        let own = try Query((try await attacker.begin()).split(separator: "?", maxSplits: 1)[1])
        let reply = try await attacker.send(.get, "/auth/callback?code=\(code)&state=\(own["state"] ?? "")")
        expectRefused(reply, attacker)
        #expect(opened == 0)
    }

    @Test("by replaying a login opens no second session, whatever the issuer says of the code")
    func replay() async throws {
        authority.state.withLock { $0.isForgetful = true }
        var browser = Browser(at: authority, stage)
        let back = try authority.approve(try await browser.begin())
        let before = browser.cookies
        #expect(try await browser.send(.get, back).status == .seeOther)
        #expect(opened == 1)
        // The same address again: the browser has forgotten the login.
        var again = Browser(beside: browser)
        expectRefused(try await again.send(.get, back), again, "without the cookie")
        // And somebody who has kept what the browser had.
        again.cookies = before
        expectRefused(try await again.send(.get, back), again, "with the cookie")
        #expect(opened == 1 && authority.state.withLock { $0.redeemed.count } == 2)
    }

    @Test(
        "with an answer that is not that of this login is refused",
        arguments: [
            "state=x", "state=", "", "error=access_denied", "iss=https://evil.example", "code=",
        ]
    )
    func otherAnswer(change: String) async throws {
        var browser = Browser(at: authority, stage)
        let back = try authority.approve(try await browser.begin())
        let parts = try Query(back.split(separator: "?")[1])
        var fields = ["code": parts["code"] ?? "", "state": parts["state"] ?? ""]
        let pair = change.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        if pair.count == 2 { fields[pair[0]] = pair[1] } else { fields["state"] = nil }
        let query = fields.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
        expectRefused(try await browser.send(.get, "/auth/callback?" + query), browser, change)
        #expect(opened == 0 && authority.state.withLock { $0.redeemed.isEmpty })
    }

    @Test("with what the issuer itself says with its name is let in")
    func ownIssuer() async throws {
        var browser = Browser(at: authority, stage)
        let back = try authority.approve(try await browser.begin())
        #expect(try await browser.send(.get, back + "&iss=https%3A%2F%2Fid.example").status == .seeOther)
    }

    @Test("by waiting finds the login closed after ten minutes")
    func late() async throws {
        var browser = Browser(at: authority, stage)
        var back = try authority.approve(try await browser.begin())
        authority.issuer.pass(.seconds(601))
        expectRefused(try await browser.send(.get, back), browser)
        back = try authority.approve(try await browser.begin())
        authority.issuer.pass(.seconds(599))
        #expect(try await browser.send(.get, back).status == .seeOther)
    }

    @Test("with an identity token of another login, client or key is refused")
    func tokens() async throws {
        var browser = Browser(at: authority, stage)
        let audience: [String: JSONValue?] = ["aud": .string(Authority.client)]
        var other = authority.issuer.claims(audience)
        other["nonce"] = "made up"
        let bad: [(String, [String: JSONValue?], String?)] = [
            ("nonce of another", ["nonce": "another"], nil), ("no nonce", ["nonce": .some(nil)], nil),
            ("for the API", ["aud": "signalbox"], nil), ("issuer", ["iss": "https://evil.example"], nil),
            ("expired", ["exp": 1], nil), ("azp", ["aud": ["console", "other"], "azp": "other"], nil),
            ("stranger", [:], try Issuer().token("ES256", claims: other)), ("nonsense", [:], "a.b.c"),
            ("alg none", [:], "eyJhbGciOiJub25lIiwia2lkIjoiZWQifQ.e30.AA"),
        ]
        for (what, claims, token) in bad {
            authority.state.withLock { ($0.claims, $0.token) = (claims, token) }
            let back = try authority.approve(try await browser.begin())
            expectRefused(try await browser.send(.get, back), browser, what)
        }
        #expect(opened == 0)
        authority.state.withLock { ($0.claims, $0.token) = (["aud": ["console", "other"], "azp": "console"], nil) }
        #expect(try await browser.send(.get, try authority.approve(try await browser.begin())).status == .seeOther)
    }

    @Test(
        "cannot have us send a browser anywhere but to us",
        arguments: [
            "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\\b", "/%09/evil.example",
            "/a%0d%0ab",
            "/%00", "/%20", "",
        ]
    )
    func redirect(path: String) async throws {
        var browser = Browser(at: authority, stage)
        let reply = try await browser.send(.get, "/auth/login?return_to=" + path)
        #expect(reply.status == .unprocessableContent && reply.parameters == ["return_to"], "\(path)")
        #expect(browser.cookies.isEmpty)
        // Nor by a cookie that was made by hand.
        let decoded = PercentEncoding.decode(path) ?? path
        let cookie = "\(Base64URL.random(.system)).1800000000.\(Base64URL.encode(decoded.utf8))"
        #expect(LoginAttempt(cookie: cookie) == nil)
    }

    @Test("with a cookie that says otherwise belongs to another login")
    func bound() throws {
        let attempt = LoginAttempt(to: try #require(LocalPath("/a")), ids: authority.ids)
        let parts = attempt.cookie.split(separator: ".").map(String.init)
        let same = try #require(LoginAttempt(cookie: attempt.cookie))
        #expect(same == attempt && same.state == attempt.state)
        #expect(Set([attempt.state, attempt.nonce, attempt.verifier, attempt.challenge]).count == 4)
        let others = [
            [Base64URL.random(.system), parts[1], parts[2]], [parts[0], "1800000001", parts[2]],
            [parts[0], parts[1], Base64URL.encode("/b".utf8)],
        ]
        for other in others {
            let changed = try #require(LoginAttempt(cookie: other.joined(separator: ".")))
            #expect(changed.state != attempt.state && changed.verifier != attempt.verifier)
        }
        for bad in ["", "a.b.c", "..", parts[0], "\(parts[0]).-1.\(parts[2])", attempt.cookie + ".x"] {
            #expect(LoginAttempt(cookie: bad) == nil, "\(bad)")
        }
    }
}
