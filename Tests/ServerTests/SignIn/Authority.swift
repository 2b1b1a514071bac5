import Crypto
import HTTPTypes
import Kernel
@testable import Server
import Synchronization
import Testing

/// An issuer at which people sign in, and a memory of sessions, both of which tests can have behave badly.
final class Authority: Sendable {
    struct State {
        /// What the issuer was asked for, by the code that it gave.
        var asked: [String: [String: String]] = [:]
        /// Codes that were redeemed.
        var used: Set<String> = []
        /// An issuer that takes a code again.
        var isForgetful = false
        var isAway = false
        /// What its tokens say otherwise.
        var claims: [String: JSONValue?] = [:]
        /// Instead of the token that it would give.
        var token: String?
        var sessions: [String: SessionDoor.Entry] = [:]
        var logins: Set<String> = []
        var isStoreAway = false
        var redeemed: [SignIn.Claim] = []
    }

    static let client = "console"
    let issuer: Issuer
    let state = Mutex(State())
    let origin: String

    init(origin: String = "https://console.example") throws {
        issuer = try Issuer()
        self.origin = origin
    }

    /// What the issuer does when somebody has signed in.
    ///
    /// - Parameter location: Where the browser was sent.
    /// - Returns: The path by which it comes back.
    /// - Throws: `Problem` when that is no address of ours.
    func approve(_ location: String) throws -> String {
        let query = try Query(location.split(separator: "?", maxSplits: 1).last ?? "")
        var asked: [String: String] = [:]
        for name in query.names { asked[name] = query.given(name) }
        let code = IDSource.system.unique().description
        state.withLock { [asked] in $0.asked[code] = asked }
        return "/auth/callback?code=\(code)&state=\(asked["state"] ?? "")&session_state=whatever"
    }

    private func redeem(_ claim: SignIn.Claim) -> SignIn.Redeemed {
        let found = state.withLock { state -> ([String: String], State)? in
            state.redeemed.append(claim)
            let challenge = Base64URL.encode(SHA256.hash(data: Array(claim.verifier.utf8)))
            guard !state.isAway, let asked = state.asked[claim.code],
                asked["code_challenge"] == challenge, asked["redirect_uri"] == claim.redirect,
                state.used.insert(claim.code).inserted || state.isForgetful
            else { return nil }
            return (asked, state)
        }
        if state.withLock({ $0.isAway }) { return .unavailable }
        guard let (asked, then) = found else { return .refused }
        if let token = then.token { return .token(token) }
        var claims = issuer.claims(["aud": .string(Self.client), "nonce": asked["nonce"].map { .string($0) }])
        for (name, value) in then.claims { claims[name] = value }
        return (try? issuer.token("ES256", claims: claims)).map { .token($0) } ?? .unavailable
    }

    private var sessions: SessionDoor {
        var door = SessionDoor()
        door.open = { entry in
            self.state.withLock { state in
                if state.isStoreAway { return .unavailable }
                guard state.logins.insert(entry.login).inserted else { return .loginUsed }
                state.sessions[entry.token] = entry
                return .opened
            }
        }
        door.find = { token, _ in
            self.state.withLock { state in
                if state.isStoreAway { return .unavailable }
                return state.sessions[token].map { .found($0) } ?? .nothing
            }
        }
        door.end = { token, _ in
            self.state.withLock { state in
                if state.isStoreAway { return false }
                state.sessions[token] = nil
                return true
            }
        }
        return door
    }

    var signIn: SignIn {
        SignIn(
            issuer: Issuer.name,
            clientID: Self.client,
            origin: origin,
            tokens: TokenVerifier(
                issuer: Issuer.name,
                audience: Self.client,
                ring: issuer.ring(),
                now: { self.issuer.state.withLock { $0.now } }
            ),
            sessions: sessions,
            authorizationEndpoint: {
                self.state.withLock { $0.isAway } ? nil : Issuer.name + "/authorize?theme=dark"
            },
            redeem: { self.redeem($0) }
        )
    }

    /// The clock of the issuer is that of the plane.
    var ids: IDSource {
        IDSource(now: { self.issuer.state.withLock { $0.now } }, random: { UInt64.random(in: .min ... .max) })
    }
}

/// A browser: keeps cookies and sends them again, and goes where it is sent only when the test says so.
struct Browser {
    let stage: Stage
    let dispatcher: Dispatcher
    var cookies: [String: String] = [:]
    /// The last that were set, whole.
    private(set) var set: [String] = []

    init(at authority: Authority, _ stage: Stage) {
        var stage = stage
        stage.backend.signIn = authority.signIn
        self.stage = stage
        dispatcher = Dispatcher(
            backend: stage.backend,
            settings: stage.settings,
            version: "test",
            edgeToken: Stage.edgeToken,
            ids: authority.ids
        )
    }

    /// Another one at the same plane.
    init(beside other: Browser) {
        (stage, dispatcher) = (other.stage, other.dispatcher)
    }

    mutating func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        headers: HTTPFields = [:],
        body: String? = nil
    ) async throws -> Stage.Reply {
        var headers = headers
        if !cookies.isEmpty {
            headers[.cookie] = cookies.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: "; ")
        }
        let reply = try await stage.send(method, path, headers: headers, body: body, through: dispatcher)
        set = reply.headers[values: .setCookie]
        for cookie in set {
            let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let isForgotten = cookie.contains("Max-Age=0;")
            cookies[String(pair[0])] = isForgotten ? nil : String(pair[1])
        }
        return reply
    }

    /// Begins to sign in, and gives back where the browser is sent.
    mutating func begin(_ path: String = "/auth/login") async throws -> String {
        let reply = try await send(.get, path)
        #expect(reply.status == .seeOther, "\(reply.text)")
        return try #require(reply.headers[.location])
    }

    /// Signs in, and gives back the header that changes need.
    mutating func signIn(at authority: Authority) async throws -> HTTPFields {
        let back = try await send(.get, try authority.approve(try await begin()))
        #expect(back.status == .seeOther, "\(back.text)")
        let shown = try await send(.get, "/auth/session").json["csrfToken"]?.string
        return [.forgeryToken: try #require(shown)]
    }

    static let session = "__Host-signalbox-session"
    static let login = "__Host-signalbox-login"
}
