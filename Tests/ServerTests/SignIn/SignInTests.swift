import Commands
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import SignalboxTestKit
import Synchronization
import Testing

@Suite("A browser signs in")
struct SignInTests {
    private let authority: Authority
    private let stage: Stage

    init() async throws {
        authority = try Authority()
        stage = try await Stage()
    }

    @Test("at the issuer, with PKCE, state and nonce, and comes back to where it wanted to go")
    func whole() async throws {
        var browser = Browser(at: authority, stage)
        let location = try await browser.begin("/auth/login?return_to=/settings?tab=keys%26x=1")
        #expect(location.hasPrefix("https://id.example/authorize?theme=dark&response_type=code&"))
        let asked = try Query(location.split(separator: "?", maxSplits: 1).last ?? "")
        #expect(asked["client_id"] == "console" && asked["scope"] == "openid profile email")
        #expect(asked["redirect_uri"] == "https://console.example/auth/callback")
        #expect(asked["code_challenge_method"] == "S256")
        for name in ["state", "nonce", "code_challenge"] {
            #expect(Base64URL.decode(asked[name] ?? "")?.count == 32, "\(name)")
        }
        let attributes = "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        #expect(browser.set.count == 1 && browser.set.first?.hasPrefix("\(Browser.login)=") == true)
        #expect(browser.set.first?.hasSuffix(attributes) == true)

        let back = try await browser.send(.get, try authority.approve(location))
        #expect(back.status == .seeOther)
        #expect(back.headers[.location] == "https://console.example/settings?tab=keys&x=1")
        #expect(back.headers[.cacheControl] == "no-store")
        #expect(browser.cookies.keys.sorted() == [Browser.session])
        #expect(browser.set.contains { $0.hasSuffix("; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure") })

        let me = try await browser.send(.get, "/v1/me")
        #expect(me.status == .ok && me.json["kind"] == "user" && me.json["scopes"] == ["*"])
        let session = try await browser.send(.get, "/auth/session")
        #expect(session.json["authenticated"] == true && session.json["userId"] == me.json["id"])
        #expect(session.json["endsAt"]?.string != nil)
        // What is kept gives nobody a session.
        let token = try #require(browser.cookies[Browser.session])
        authority.state.withLock { state in
            #expect(state.sessions.keys.first == APIKey.hash(of: token) && state.sessions[token] == nil)
            #expect(state.redeemed.first?.verifier != asked["code_challenge"])
        }
    }

    @Test("and is the same person as with a token of that issuer")
    func samePerson() async throws {
        var stage = stage
        stage.backend.tokens = authority.issuer.verifier()
        var browser = Browser(at: authority, stage)
        _ = try await browser.signIn(at: authority)
        let me = try await browser.send(.get, "/v1/me")
        let token = try authority.issuer.token("EdDSA")
        let bearer = try await stage.send(
            .get,
            "/v1/me",
            headers: [.authorization: "Bearer \(token)"],
            through: browser.dispatcher
        )
        #expect(bearer.status == .ok && bearer.json["id"] == me.json["id"])
    }

    @Test("on one's own machine without TLS, where cookies cannot ask for it")
    func loopback() async throws {
        let authority = try Authority(origin: "http://127.0.0.1:8080")
        var browser = Browser(at: authority, stage)
        let location = try await browser.begin()
        #expect(browser.set.first?.hasPrefix("signalbox-login=") == true)
        #expect(browser.set.first?.contains("Secure") == false)
        let back = try await browser.send(.get, try authority.approve(location))
        #expect(back.headers[.location] == "http://127.0.0.1:8080/")
        #expect(try await browser.send(.get, "/v1/me").status == .ok)
    }

    @Test("and out: the session is over at once, and its cookie opens nothing when it is put back")
    func out() async throws {
        var browser = Browser(at: authority, stage)
        let proof = try await browser.signIn(at: authority)
        let kept = browser.cookies
        let out = try await browser.send(.post, "/auth/logout", headers: proof)
        #expect(out.status == .noContent && browser.cookies.isEmpty)
        #expect(browser.set.first?.hasPrefix("\(Browser.session)=; Path=/; Max-Age=0;") == true)
        #expect(try await browser.send(.get, "/auth/session").status == .unauthorized)
        browser.cookies = kept
        #expect(try await browser.send(.get, "/v1/me").status == .unauthorized)
    }

    @Test("out, when that cannot be written down, is told so and stays in")
    func outLater() async throws {
        var browser = Browser(at: authority, stage)
        let proof = try await browser.signIn(at: authority)
        authority.state.withLock { $0.isStoreAway = true }
        #expect(try await browser.send(.post, "/auth/logout", headers: proof).status == .serviceUnavailable)
        #expect(browser.cookies[Browser.session] != nil)
        authority.state.withLock { $0.isStoreAway = false }
        #expect(try await browser.send(.get, "/v1/me").status == .ok)
    }

    @Test("anew, and the session before is over")
    func anew() async throws {
        var browser = Browser(at: authority, stage)
        _ = try await browser.signIn(at: authority)
        let first = browser.cookies
        _ = try await browser.signIn(at: authority)
        #expect(browser.cookies[Browser.session] != first[Browser.session])
        #expect(try await browser.send(.get, "/v1/me").status == .ok)
        browser.cookies = first
        #expect(try await browser.send(.get, "/v1/me").status == .unauthorized)
    }

    @Test("for a day at most, and not for somebody who was erased")
    func ends() async throws {
        var browser = Browser(at: authority, stage)
        _ = try await browser.signIn(at: authority)
        let id = try #require(try await browser.send(.get, "/v1/me").json["id"]?.string.flatMap { UserID($0) })
        authority.issuer.pass(.seconds(86_399))
        #expect(try await browser.send(.get, "/v1/me").status == .ok)
        authority.issuer.pass(.seconds(1))
        #expect(try await browser.send(.get, "/v1/me").status == .unauthorized)

        _ = try await browser.signIn(at: authority)
        #expect(try await browser.send(.get, "/v1/me").status == .ok)
        let person = try await Aggregates(log: stage.log).load(User.self, from: Streams.user(id))
        let write = try person.write(try person.decide(.erase(reason: "asked")), ids: .system)
        let causation = Causation(actor: "system", command: IDSource.system.unique())
        _ = try await stage.log.append(AppendRequest(causation: causation, writes: [write]))
        authority.issuer.pass(.seconds(11))
        #expect(try await browser.send(.get, "/v1/me").status == .unauthorized)
    }

    @Test("nowhere when no issuer is set, and cookies mean nothing then")
    func off() async throws {
        var browser = Browser(at: authority, stage)
        _ = try await browser.signIn(at: authority)
        for path in ["/auth/login", "/auth/callback?code=a&state=b"] {
            let reply = try await stage.send(.get, path)
            #expect(reply.status == .notFound && reply.problem == "sign-in-off")
        }
        let cookie = "\(Browser.session)=\(browser.cookies[Browser.session] ?? "")"
        #expect(try await stage.send(.get, "/v1/me", headers: [.cookie: cookie]).status == .unauthorized)
    }

    @Test("later, when the issuer or the sessions cannot be reached")
    func away() async throws {
        var browser = Browser(at: authority, stage)
        authority.issuer.publish(nil)
        let keyless = try authority.approve(try await browser.begin())
        #expect(try await browser.send(.get, keyless).status == .serviceUnavailable)
        authority.issuer.publish(try authority.issuer.keys())
        authority.issuer.pass(.seconds(11))

        let location = try await browser.begin()
        let back = try authority.approve(location)
        authority.state.withLock { $0.isAway = true }
        let late = try await browser.send(.get, "/auth/login")
        #expect(late.status == .serviceUnavailable && late.headers[.retryAfter] != nil && browser.set.isEmpty)
        let lost = try await browser.send(.get, back)
        #expect(lost.status == .serviceUnavailable && browser.cookies.isEmpty)

        authority.state.withLock { $0.isAway = false }
        let again = try authority.approve(try await browser.begin())
        authority.state.withLock { $0.isStoreAway = true }
        #expect(try await browser.send(.get, again).status == .serviceUnavailable)
        #expect(browser.cookies.isEmpty)
        browser.cookies[Browser.session] = Base64URL.random(.system)
        #expect(try await browser.send(.get, "/v1/me").status == .serviceUnavailable)
    }

    @Test("only so many at a time, so that nobody has us ask the issuer without end")
    func turnstile() {
        let turnstile = Turnstile(most: 2)
        #expect(turnstile.enter() && turnstile.enter() && !turnstile.enter())
        turnstile.leave()
        #expect(turnstile.enter() && !turnstile.enter())
    }
}
