import Commands
import HTTPTypes
import Kernel
@testable import Server
import Synchronization
import Testing

@Suite("Who follows with credentials that are not good any more", .timeLimit(.minutes(2)))
struct VigilTests {
    /// A clock that a test turns.
    private final class Turned: Sendable {
        private let span = Mutex(Duration.zero)
        func turn(_ more: Duration) { span.withLock { $0 += more } }
        var ids: IDSource {
            var ids = IDSource.system
            ids.now = { IDSource.system.now() + self.span.withLock { $0 } }
            return ids
        }
    }

    @Test("is let go of soon", arguments: ["/v1/organizations/{}/stream", "/v1/instances/{}/stream"])
    func revoked(path: String) async throws {
        let (stage, clock) = (try await Stage(), Turned())
        let made = try await stage.onboard("acme")
        let name = path.contains("instances") ? "instance" : "organization"
        let path = path.replacing("{}", with: try #require(made.json[name]?["id"]?.string))
        let shown = try await stage.send(.post, "/v1/me/api-keys", as: stage.ana, body: "{}").json["key"]?.string
        let key = try #require(shown.flatMap { IssuedKey($0) })
        try await stage.serving(ids: clock.ids) { live in
            let other = try await live.open(path, as: stage.ana, lastEventID: nil)
            let stream = try await live.open(path, as: key, lastEventID: nil)
            var mine = lines(other).makeAsyncIterator()
            var theirs = lines(stream).makeAsyncIterator()
            #expect(try await theirs.next() != nil)
            let gone = try await stage.send(.delete, "/v1/me/api-keys/\(key.id)", as: stage.ana)
            #expect(gone.status.kind == .successful)
            clock.turn(.seconds(31))
            do {
                while try await theirs.next() != nil {}
            } catch {
                // Cut off: that is what was waited for.
            }
            // Whose key is good stays.
            clock.turn(.seconds(31))
            for _ in 0..<6 { #expect(try await mine.next() != nil) }
        }
    }

    @Test("is looked up every half minute, once for all who came with the same, and stays while nothing can be said")
    func shared() async throws {
        let (stage, authority) = (try await Stage(), try Authority())
        var browser = Browser(at: authority, stage)
        let proof = try await browser.signIn(at: authority)
        let api = API(backend: browser.stage.backend, settings: stage.settings, ids: authority.ids)
        let token = try #require(browser.cookies[Browser.session])
        var call = Call.testing(.get, "/v1/events/stream")
        let visitor = try #require(try await api.sessionGate?.visitor(token))
        (call.principal, call.session) = (visitor.principal, visitor.session)
        var (first, second) = (authority.ids.now(), authority.ids.now())
        authority.issuer.pass(.seconds(30))
        try await api.confirm(call, since: &first)
        #expect(try await browser.send(.post, "/auth/logout", headers: proof).status == .noContent)
        // The one was looked at just now, so the other is not.
        try await api.confirm(call, since: &second)
        authority.issuer.pass(.seconds(29))
        try await api.confirm(call, since: &first)
        authority.issuer.pass(.seconds(1))
        authority.state.withLock { $0.isStoreAway = true }
        try await api.confirm(call, since: &first)
        authority.state.withLock { $0.isStoreAway = false }
        authority.issuer.pass(.seconds(30))
        #expect(await stays(api, call, &first) == false)
        // Nor is anybody let stay for another person's sake.
        var stranger = call
        stranger.headers[.authorization] = "Bearer \(stage.bob.text)"
        authority.issuer.pass(.seconds(30))
        #expect(await stays(api, stranger, &first) == false)
    }

    private func stays(_ api: API, _ call: Call, _ checked: inout Timestamp) async -> Bool {
        do throws(Problem) {
            try await api.confirm(call, since: &checked)
            return true
        } catch {
            return false
        }
    }
}
