import Commands
import Domain
import EventStore
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore
@testable import Server
import SignalboxTestKit

/// Somebody who asks.
struct Caller: CustomStringConvertible {
    enum Kind: Equatable {
        case nobody
        /// A person; strangers have no role.
        case user(Role?)
        case key(Role)
        case `operator`, auditor
    }

    var kind: Kind
    var key: IssuedKey?
    /// Whether the key may only read.
    var readsOnly = false

    /// What they are in the first organization.
    var role: Role? {
        switch kind {
        case .user(let role): role
        case .key(let role): role
        case .nobody, .operator, .auditor: nil
        }
    }

    var description: String {
        switch kind {
        case .nobody: "nobody"
        case .user(let role): "a user who is \(role?.rawValue ?? "a stranger")\(readsOnly ? ", reading" : "")"
        case .key(let role): "a key of the organization as \(role.rawValue)"
        case .operator: "an operator"
        case .auditor: "a platform auditor"
        }
    }
}

/// Two organizations, and everybody who could be in one of them.
struct MatrixWorld {
    /// The things of one organization, by the names that path parameters have.
    typealias Things = [String: String]

    let stage: Stage
    let callers: [Caller]
    let own: Things
    let foreign: Things
    private let dispatcher: Dispatcher

    init() async throws {
        let stage = try await Stage()
        let own = try await Self.things(of: "acme", stage.ana, stage)
        foreign = try await Self.things(of: "other", stage.bob, stage)
        let organization = try Self.found(own["organization"].flatMap { OrganizationID($0) })
        var callers = [
            Caller(kind: .nobody), Caller(kind: .operator, key: stage.operatorKey),
            Caller(kind: .auditor, key: stage.auditorKey),
        ]
        for role in Role.allCases {
            let (user, key) = try await Self.person(role.rawValue, stage)
            try await Self.add(user, role, to: organization, stage)
            callers.append(Caller(kind: .user(role), key: key))
            let issued = try await stage.desk.issueOrganizationKey(
                for: organization,
                role: role,
                by: .own(ids: .system)
            )
            callers.append(Caller(kind: .key(role), key: IssuedKey(issued.answer.text)))
        }
        callers.append(Caller(kind: .user(nil), key: try await Self.person("stranger", stage).1))
        let reading = IssuedKey(ids: .system)
        _ = try await stage.desk.issueUserKey(for: stage.anaID, scopes: ["read"], key: reading, by: .own(ids: .system))
        callers.append(Caller(kind: .user(.owner), key: reading, readsOnly: true))
        self.callers = callers
        self.stage = stage
        self.own = own
        dispatcher = Self.dispatcher(stage)
    }

    private init(copying other: MatrixWorld) throws {
        stage = try Stage(copying: other.stage)
        (callers, own, foreign) = (other.callers, other.own, other.foreign)
        dispatcher = Self.dispatcher(stage)
    }

    private static func dispatcher(_ stage: Stage) -> Dispatcher {
        Dispatcher(backend: stage.backend, settings: stage.settings, version: "test", edgeToken: Stage.edgeToken)
    }

    /// The same, for a request that changes something.
    func copy() throws -> MatrixWorld { try MatrixWorld(copying: self) }

    /// A path, query or body with what its names in braces stand for.
    func fill(_ text: String, _ place: Place, for caller: Caller, on route: Route) -> String {
        var filled = text
        var first = true
        for name in text.split(separator: "{").compactMap({ $0.split(separator: "}").first }) {
            // Braces are also those of JSON.
            guard name.allSatisfy(\.isLetter), text.contains("{\(name)}") else { continue }
            let isOwn = place == .own || place == .crossed && first
            first = false
            var value = (isOwn ? own : foreign)[String(name)]
            // A key below `me` is the caller's own.
            if isOwn, name == "key", route.path.hasPrefix("/v1/me/") { value = caller.key?.id.description }
            filled = filled.replacing("{\(name)}", with: value ?? "7")
        }
        return filled
    }

    /// What a caller is answered.
    func verdict(on route: Route, _ rule: Rule, for caller: Caller, _ place: Place) async throws -> Verdict {
        let path = fill(route.path, place, for: caller, on: route)
        let query = fill(rule.query, place, for: caller, on: route)
        var headers = rule.headers
        if let key = caller.key { headers[.authorization] = "Bearer \(key.text)" }
        var body: String?
        if let schema = route.body {
            headers[.contentType] = "application/json"
            let least = String(decoding: try JSON.encode(schema.least), as: UTF8.self)
            body = rule.body.map { fill($0, place == .crossed ? .foreign : place, for: caller, on: route) } ?? least
        }
        let request = Request(
            head: HTTPRequest(
                method: route.method,
                scheme: "http",
                authority: "test",
                path: query.isEmpty ? path : "\(path)?\(query)",
                headerFields: headers
            ),
            body: RequestBody(buffer: ByteBuffer(string: body ?? ""))
        )
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let answer = try await dispatcher.answer(to: request, logger: quiet)
        var problem: String?
        if case .bytes(let bytes, "application/problem+json") = answer.body {
            problem = try JSON.decode(JSONValue.self, from: bytes)["type"]?.string
        }
        return Verdict(status: answer.status, problem: problem.map { String($0.dropFirst(Problem.namespace.count)) })
    }
}

extension MatrixWorld {
    private struct Missing: Error {}

    private static func found<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw Missing() }
        return value
    }

    private static func person(_ name: String, _ stage: Stage) async throws -> (UserID, IssuedKey) {
        let user = try await stage.desk.registerUser(issuer: "local", subject: name, by: .own(ids: .system)).answer.user
        let key = IssuedKey(ids: .system)
        _ = try await stage.desk.issueUserKey(for: user, key: key, by: .own(ids: .system))
        return (user, key)
    }

    private static func add(_ user: UserID, _ role: Role, to id: OrganizationID, _ stage: Stage) async throws {
        let stream = Streams.organization(id)
        let organization = try await Aggregates(log: stage.log).load(Organization.self, from: stream)
        let write = try organization.write(try organization.decide(.addMember(user, role)), ids: .system)
        let causation = Causation(actor: "system", command: IDSource.system.unique())
        _ = try await stage.log.append(AppendRequest(causation: causation, writes: [write]))
    }

    /// An organization with everything that paths can name.
    private static func things(of slug: String, _ owner: IssuedKey, _ stage: Stage) async throws -> Things {
        let made = try await stage.onboard(slug, as: owner)
        var things: Things = ["slug": slug, "version": "v1.0.0"]
        for name in ["organization", "instance", "subscription", "operation"] {
            things[name] = try found(made.json[name]?["id"]?.string)
        }
        things["position"] = try found(made.headers[.logPosition])
        things["stream"] = "instance-\(things["instance"] ?? "")"
        let id = try found(things["organization"].flatMap { OrganizationID($0) })
        let key = try await stage.desk.issueOrganizationKey(for: id, role: .viewer, by: .own(ids: .system))
        things["key"] = key.answer.key.description
        let invitation = try await stage.desk.invite(to: id, as: .viewer, for: .seconds(60), by: .own(ids: .system))
            .answer
        (things["invitation"], things["token"]) = (invitation.invitation.description, invitation.token)
        let webhook = try await stage.desk.registerWebhook(
            of: id,
            url: "https://hooks.example/\(slug)",
            types: ["*"],
            by: .own(ids: .system)
        )
        (things["webhook"], things["delivery"]) = (
            webhook.answer.webhook.description, IDSource.system.unique().description
        )
        let (user, _) = try await person("guest-of-\(slug)", stage)
        try await add(user, .viewer, to: id, stage)
        things["user"] = user.description
        return things
    }
}
