import Commands
import HTTPTypes
import Kernel
@testable import Server
import Synchronization
import Testing

@Suite("Somebody else's page has a browser send a change")
struct ForgeryTests {
    private let authority: Authority
    private let stage: Stage
    private let body = #"{"name":"Acme","slug":"acme"}"#

    init() async throws {
        authority = try Authority()
        stage = try await Stage()
    }

    @Test("which is refused without what only our pages know, or when the browser says where it comes from")
    func refused() async throws {
        var browser = Browser(at: authority, stage)
        let proof = try await browser.signIn(at: authority)
        var other = Browser(beside: browser)
        let others = try await other.signIn(at: authority)
        let good = proof[.forgeryToken] ?? ""
        let forged: [HTTPFields] = [
            [:], others, [.forgeryToken: ""], [.forgeryToken: String(good.dropLast())], [.forgeryToken: good + "x"],
            [.forgeryToken: browser.cookies[Browser.session] ?? ""],
            [.forgeryToken: good, .fetchSite: "cross-site"], [.forgeryToken: good, .fetchSite: "same-site"],
            [.forgeryToken: good, .fetchSite: "none"],
            [.forgeryToken: good, .origin: "https://acme.console.example"], [.forgeryToken: good, .origin: "null"],
        ]
        let size = try await stage.size
        for headers in forged {
            let reply = try await browser.send(.post, "/v1/organizations", headers: headers, body: body)
            #expect(reply.status == .forbidden && reply.problem == "cross-site", "\(headers)")
            #expect(try await browser.send(.post, "/auth/logout", headers: headers).problem == "cross-site")
            #expect(try await browser.send(.patch, "/v1/me", headers: headers, body: "{}").problem == "cross-site")
            #expect(try await browser.send(.delete, "/v1/me/api-keys/7", headers: headers).problem == "cross-site")
        }
        #expect(try await stage.size == size)
        #expect(try await browser.send(.get, "/v1/me").status == .ok)

        var headers = proof
        headers[.fetchSite] = "same-origin"
        headers[.origin] = "https://console.example"
        let reply = try await browser.send(.post, "/v1/organizations", headers: headers, body: body)
        #expect(reply.status == .created, "\(reply.text)")
    }

    @Test("is a row for auditors, and costs of the person's share")
    func recorded() async throws {
        let entries = Collected()
        var stage = stage
        stage.backend.refusals.record = { entries.add($0) }
        stage.settings.limits = RateLimits(commands: 2, reads: 100)
        var browser = Browser(at: authority, stage)
        _ = try await browser.signIn(at: authority)
        for _ in 0..<2 {
            #expect(try await browser.send(.post, "/auth/logout").problem == "cross-site")
        }
        #expect(try await browser.send(.post, "/auth/logout").status == .tooManyRequests)
        #expect(entries.all.map(\.problem) == ["cross-site", "cross-site", "quota-exceeded"])
    }

    @Test(
        "needs nothing when it carries a key, which no browser sends by itself; and a bad key is not helped by a cookie"
    )
    func bearer() async throws {
        var browser = Browser(at: authority, stage)
        _ = try await browser.signIn(at: authority)
        let own = try await browser.send(.get, "/v1/me").json["id"]?.string
        let key: HTTPFields = [.authorization: "Bearer \(stage.ana.text)"]
        let me = try await browser.send(.get, "/v1/me", headers: key)
        #expect(me.json["id"]?.string == stage.anaID.description && own != stage.anaID.description)
        #expect(try await browser.send(.post, "/v1/organizations", headers: key, body: body).status == .created)
        for bad in ["Bearer \(stage.ana.text)x", "Basic YTpi", "Bearer"] {
            #expect(try await browser.send(.get, "/v1/me", headers: [.authorization: bad]).status == .unauthorized)
        }
    }

    @Test("with cookies that are not ours, twice there, or of another kind opens nothing")
    func cookies() async throws {
        var browser = Browser(at: authority, stage)
        _ = try await browser.signIn(at: authority)
        let good = browser.cookies[Browser.session] ?? ""
        let name = Browser.session
        for cookie in [
            "\(name)=", "\(name)=x", "\(name)=\(good)x", "\(name)=\(Base64URL.random(.system))", "session=\(good)",
            "\(name)=\(good); \(name)=\(good)", "signalbox-session=\(good)", "\(name)=\(stage.ana.text)",
            "\(name)=\(APIKey.hash(of: good))", "\(Browser.login)=\(good)",
        ] {
            let reply = try await stage.send(.get, "/v1/me", headers: [.cookie: cookie], through: browser.dispatcher)
            #expect(reply.status == .unauthorized, "\(cookie)")
        }
        let fine = try await stage.send(
            .get,
            "/v1/me",
            headers: [.cookie: "a=b; \(name)=\(good) ;c"],
            through: browser.dispatcher
        )
        #expect(fine.status == .ok)
        // The edge and those who run the plane do not come by session.
        #expect(try await browser.send(.get, "/traefik/dynamic").status == .unauthorized)
        #expect(try await browser.send(.get, "/v1/admin/releases").status == .forbidden)
    }
}

/// What was told, in order.
private final class Collected: Sendable {
    private let entries = Mutex<[RefusalDoor.Entry]>([])
    func add(_ entry: RefusalDoor.Entry) { entries.withLock { $0.append(entry) } }
    var all: [RefusalDoor.Entry] { entries.withLock { $0 } }
}
