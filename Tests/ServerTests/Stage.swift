import Commands
import Domain
import EventStore
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Kernel
import Logging
import Projections
@testable import Server
import SignalboxTestKit
import Testing

/// A whole API over a log in memory: commands are really decided, and questions are answered by really folding.
struct Stage: Sendable {
    let log: MemoryLog
    let subjects: MemorySubjectKeys
    let desk: CommandDesk
    var settings = Self.settings
    var backend: Backend
    /// The key of a user who belongs to nothing yet.
    let ana: IssuedKey
    let anaID: UserID
    /// Somebody else's.
    let bob: IssuedKey
    let bobID: UserID
    let operatorKey: IssuedKey
    let auditorKey: IssuedKey
    static let edgeToken = "the-edge-of-the-tests"

    init() async throws {
        log = MemoryLog()
        subjects = MemorySubjectKeys()
        desk = try Self.desk(over: log, subjects)
        let own = { CommandEnvelope.own(ids: .system) }
        _ = try await desk.registerRelease(
            .init(
                version: "v1.0.0",
                image: "example/app:1.0.0",
                status: .stable,
                minimumTier: .freeTrial,
                breaking: false
            ),
            makeDefault: true,
            by: own()
        )
        (ana, bob) = (IssuedKey(ids: .system), IssuedKey(ids: .system))
        (operatorKey, auditorKey) = (IssuedKey(ids: .system), IssuedKey(ids: .system))
        anaID = try await desk.registerUser(issuer: "local", subject: "ana", by: own()).answer.user
        bobID = try await desk.registerUser(issuer: "local", subject: "bob", by: own()).answer.user
        _ = try await desk.issueUserKey(for: anaID, key: ana, by: own())
        _ = try await desk.issueUserKey(for: bobID, key: bob, by: own())
        _ = try await desk.issuePlatformKey(.operator, key: operatorKey, by: own())
        _ = try await desk.issuePlatformKey(.auditor, key: auditorKey, by: own())
        backend = Self.backend(desk, log, subjects)
    }

    /// The same people over a log of their own, in which everything has happened that happened in the other's.
    init(copying other: Stage) throws {
        log = other.log.copy(ids: .system)
        subjects = other.subjects
        desk = try Self.desk(over: log, subjects)
        settings = other.settings
        backend = Self.backend(desk, log, subjects)
        (ana, anaID, bob, bobID) = (other.ana, other.anaID, other.bob, other.bobID)
        (operatorKey, auditorKey) = (other.operatorKey, other.auditorKey)
    }

    private static func desk(over log: MemoryLog, _ subjects: MemorySubjectKeys) throws -> CommandDesk {
        let keys = try MasterKeys([1: (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 7) ^ 0x5A }])
        return CommandDesk(
            log: log,
            claims: log,
            vault: Vault(keys: keys, subjects: subjects),
            settings: .init(catalogue: catalogue, host: { slug, name in "\(name).\(slug).test" })
        )
    }

    private static func backend(_ desk: CommandDesk, _ log: MemoryLog, _ subjects: MemorySubjectKeys) -> Backend {
        var backend = Backend(catalogue: catalogue)
        backend.commands = CommandDoor(desk)
        backend.commands.open(
            Erasures(log: log, eraser: MemoryEraser(log: log, subjects: subjects), subjects: subjects)
        )
        backend.webhooks = WebhookDoor(desk)
        backend.webhooks.deliveries = { _, _, _ in [] }
        backend.webhooks.redeliver = { _, _ in true }
        backend.reads = ReadDoor(folding: log)
        backend.reads.open(PastViews(log: log))
        backend.events = EventDoor(log, erased: subjects)
        return backend
    }

    /// What a request is answered.
    struct Reply: Sendable {
        var status: HTTPResponse.Status
        var headers: HTTPFields
        var text: String
        var json: JSONValue { (try? JSON.decode(JSONValue.self, from: Array(text.utf8))) ?? .null }
        /// The slug of the problem.
        var problem: String? { json["type"]?.string.map { String($0.dropFirst(Problem.namespace.count)) } }
        var pointers: [String] { json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [] }
        var parameters: [String] { json["errors"]?.array?.compactMap { $0["parameter"]?.string } ?? [] }
    }

    /// What answers; with it several requests share what it remembers.
    var dispatcher: Dispatcher {
        Dispatcher(backend: backend, settings: settings, version: "test", edgeToken: Self.edgeToken)
    }

    /// Sends one request through everything but the network.
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        as key: IssuedKey? = nil,
        headers: HTTPFields = [:],
        body: String? = nil,
        through dispatcher: Dispatcher? = nil
    ) async throws -> Reply {
        var headers = headers
        if let key { headers[.authorization] = "Bearer \(key.text)" }
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        let dispatcher = dispatcher ?? self.dispatcher
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let (sent, content) = (headers, body)
        let reply = try await Application(responder: dispatcher, logger: quiet).test(.router) { client in
            try await client.execute(
                uri: path,
                method: method,
                headers: sent,
                body: content.map { ByteBuffer(string: $0) }
            ) { response in
                Reply(status: response.status, headers: response.headers, text: String(buffer: response.body))
            }
        }
        Self.judge(reply, method, path)
        return reply
    }

    /// Everything is served that can be.
    static let settings: APISettings = {
        var settings = APISettings(readWait: .milliseconds(50), heartbeat: .milliseconds(100))
        settings.olderDomain = "older.example"
        return settings
    }()

    static let table = API(backend: Backend(catalogue: catalogue), settings: settings, ids: .system)
        .table(version: "test")

    /// Whatever a test asks for: a problem is one of those that the document has for the route.
    private static func judge(_ reply: Reply, _ method: HTTPRequest.Method, _ path: String) {
        guard reply.headers[.contentType] == "application/problem+json", reply.json["type"] != nil,
            case .found(let route, _) = table.match(method, path: path.prefix { $0 != "?" })
        else { return }
        let known = route.problems.contains {
            .string($0.type) == reply.json["type"] && $0.status == reply.status
                && .string($0.title) == reply.json["title"]
        }
        #expect(known, "\(route.name) does not say that it answers \(reply.text)")
    }

    /// Onboards an organization for a user and gives back the answer.
    @discardableResult
    func onboard(_ slug: String, as key: IssuedKey? = nil, headers: HTTPFields = [:]) async throws -> Reply {
        try await send(
            .post,
            "/v1/onboarding",
            as: key ?? ana,
            headers: headers,
            body: #"{"organization":{"name":"Acme","slug":"\#(slug)"},"priceId":"team-monthly"}"#
        )
    }

    /// How many events the log has.
    var size: Int64 { get async throws { try await log.frontier() } }

    static let catalogue = Catalogue(
        offers: [Tier.team, .starter].map { tier in
            Catalogue.Offer(
                price: .init(code: "\(tier.label)-monthly", currency: "USD", amount: 9900, interval: "month"),
                plan: .init(
                    tier: tier,
                    resources: .init(cpu: 500, memory: 512, priority: 50),
                    update: .init(canary: 0, autoRevert: false),
                    quotas: ["QUOTA_ORG_CUSTOMER": "10"],
                    entitlements: ["billing.customers.max": "10"]
                ),
                computeEngine: .hetzner
            )
        }
    )
}
