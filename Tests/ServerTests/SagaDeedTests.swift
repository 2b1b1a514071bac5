import Commands
import HTTPTypes
import Kernel
import Sagas
@testable import Server
import Synchronization
import Testing

@Suite("What operators make sagas do")
struct SagaDeedTests {
    private let saga = "01900000-0000-7000-8000-000000000001"

    private static func body(_ verb: SagaVerb.Name, version: String? = #""version":"7","#) -> String {
        let start = "{\(version ?? "")\"reason\":\"it hangs\""
        switch verb {
        case .retry, .park, .resume, .cancel, .abandon: return start + "}"
        case .skip: return start + #","step":"confirm-route","force":true}"#
        case .setOutput: return start + #","step":"create-role","output":{"a":1},"evidence":{"ticket":"42"}}"#
        case .migrate: return start + "}"
        }
    }

    private func stage(_ seen: Seen) async throws -> Stage {
        var stage = try await Stage()
        stage.backend.sagas.act = { verb, saga, deed in
            seen.note(verb, saga, deed)
            return .success(SagaReceipt(version: 9, status: "running", position: 30))
        }
        return stage
    }

    @Test("a deed reaches the saga with who, why and the version that was seen", arguments: SagaVerb.Name.allCases)
    func reaches(verb: SagaVerb.Name) async throws {
        let seen = Seen()
        let stage = try await stage(seen)
        let reply = try await stage.send(
            .post,
            "/v1/admin/sagas/\(saga)/\(verb.rawValue)",
            as: stage.operatorKey,
            body: Self.body(verb)
        )
        #expect(reply.status == .accepted)
        #expect(reply.headers[.location] == "/v1/operations/\(saga)")
        #expect(reply.headers[.eTag] == "\"9\"" && reply.headers[.logPosition] == "30")
        let (got, id, deed) = try #require(seen.last)
        #expect(got.name == verb && id.description == saga)
        #expect(deed.actor == "operator-\(stage.operatorKey.id)")
        #expect(deed.reason == "it hangs" && deed.expectedVersion == 7)
        switch got {
        case .skip(let step, let force): #expect(step == "confirm-route" && force)
        case .setOutput(let step, let output, let evidence):
            #expect(step == "create-role" && output == ["a": 1] && evidence == ["ticket": "42"])
        case .retry, .park, .resume, .cancel, .abandon, .migrate: break
        }
    }

    @Test("a kind of which no saga is, is refused with the kinds there are")
    func kinds() async throws {
        var stage = try await Stage()
        stage.backend.sagas.list = { wish, _, _ throws(SagaOperationError) in
            guard wish.kind == "roll-out" else { throw .unknownKind(known: ["roll-out"]) }
            return SagaPage(data: [], next: nil)
        }
        let path = "/v1/admin/sagas?kind="
        #expect(try await stage.send(.get, path + "roll-out", as: stage.operatorKey).status == .ok)
        let reply = try await stage.send(.get, path + "nonsense", as: stage.operatorKey)
        #expect(reply.status == .unprocessableContent && reply.parameters == ["kind"])
        #expect(reply.json["errors"]?.array?.first?["detail"] == "must be one of roll-out")
    }

    @Test("the version may come as If-Match, and has to come")
    func version() async throws {
        let seen = Seen()
        let stage = try await stage(seen)
        let path = "/v1/admin/sagas/\(saga)/park"
        let body = Self.body(.park, version: nil)
        let missing = try await stage.send(.post, path, as: stage.operatorKey, body: body)
        #expect(missing.status == .preconditionRequired && seen.last == nil)
        _ = try await stage.send(.post, path, as: stage.operatorKey, headers: [.ifMatch: "\"12\""], body: body)
        #expect(seen.last?.2.expectedVersion == 12)
    }

    @Test("a key names the command, and without one every command is another")
    func keys() async throws {
        let seen = Seen()
        let stage = try await stage(seen)
        let path = "/v1/admin/sagas/\(saga)/retry"
        var commands: [UniqueID?] = []
        for key in ["a", "a", nil, nil] {
            let headers: HTTPFields = key.map { [.idempotencyKey: $0] } ?? [:]
            _ = try await stage.send(.post, path, as: stage.operatorKey, headers: headers, body: Self.body(.retry))
            commands.append(seen.last?.2.command)
            #expect((seen.last?.2.requestHash != nil) == (key != nil))
        }
        #expect(commands[0] == commands[1] && Set(commands).count == 3)
    }

    @Test("only operators may, and only with a reason")
    func refused() async throws {
        let seen = Seen()
        let stage = try await stage(seen)
        let path = "/v1/admin/sagas/\(saga)/park"
        let good = Self.body(.park)
        #expect(try await stage.send(.post, path, as: stage.ana, body: good).status == .forbidden)
        #expect(try await stage.send(.post, path, as: stage.auditorKey, body: good).status == .forbidden)
        #expect(try await stage.send(.post, path, body: good).status == .unauthorized)
        #expect(try await stage.send(.post, path, as: stage.operatorKey, body: "{}").status == .unprocessableContent)
        #expect(seen.last == nil)
    }

    @Test(
        "what cannot be done is said",
        arguments: [
            (SagaOperationError.notFound, HTTPResponse.Status.notFound), (.conflict(actual: 9), .preconditionFailed),
            (.notPossible("it has ended"), .conflict), (.unavailable, .serviceUnavailable),
            (.commandReused, .unprocessableContent),
        ]
    )
    func problems(error: SagaOperationError, status: HTTPResponse.Status) async throws {
        var stage = try await Stage()
        stage.backend.sagas.act = { _, _, _ in .failure(error) }
        let path = "/v1/admin/sagas/\(saga)/retry"
        let reply = try await stage.send(.post, path, as: stage.operatorKey, body: Self.body(.retry))
        #expect(reply.status == status)
    }

    @Test("auditors see sagas and change nothing; tenants see none")
    func looking() async throws {
        var stage = try await Stage()
        let wishes = Wishes()
        stage.backend.sagas.list = { wish, cursor, limit throws(SagaOperationError) in
            wishes.note(wish, cursor, limit)
            return SagaPage(data: [], next: "17")
        }
        let path = "/v1/admin/sagas?target=nomad&stuck=true&limit=3&after=20"
        let reply = try await stage.send(.get, path, as: stage.auditorKey)
        #expect(reply.status == .ok && reply.json["next"] == "17")
        let (wish, cursor, limit) = try #require(wishes.last)
        #expect(wish == SagaWish(target: "nomad", stuck: true) && cursor == "20" && limit == 3)
        #expect(try await stage.send(.get, path, as: stage.ana).status == .forbidden)
        #expect(try await stage.send(.get, "/v1/admin/sagas/\(saga)", as: stage.ana).status == .forbidden)
    }
}

/// The last deed that came through.
private final class Seen: Sendable {
    private let deed = Mutex<(SagaVerb, UniqueID, SagaDeed)?>(nil)
    var last: (SagaVerb, UniqueID, SagaDeed)? { deed.withLock { $0 } }
    func note(_ verb: SagaVerb, _ saga: UniqueID, _ deed: SagaDeed) {
        self.deed.withLock { $0 = (verb, saga, deed) }
    }
}

/// The last wish that came through.
private final class Wishes: Sendable {
    private let wish = Mutex<(SagaWish, String?, Int)?>(nil)
    var last: (SagaWish, String?, Int)? { wish.withLock { $0 } }
    func note(_ wish: SagaWish, _ cursor: String?, _ limit: Int) { self.wish.withLock { $0 = (wish, cursor, limit) } }
}
