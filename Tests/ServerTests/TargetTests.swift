import Commands
import HTTPTypes
import Kernel
import Sagas
@testable import Server
import Synchronization
import Testing

@Suite("What operators do to targets")
struct TargetTests {
    private let body = #"{"reason":"maintenance","version":"0"}"#

    private func stage(_ seen: Seen, _ list: TargetList = TargetList(data: [], version: 3)) async throws -> Stage {
        var stage = try await Stage()
        stage.backend.targets.list = { () throws(SagaOperationError) in list }
        stage.backend.targets.act = { verb, target, deed in
            seen.note(verb, target, deed)
            let status = verb == .open ? "held" : "closed"
            return .success(SagaReceipt(version: 4, status: status, position: 30))
        }
        return stage
    }

    @Test("a deed reaches the target with who, why and the version that was seen", arguments: TargetDoor.Verb.allCases)
    func reaches(verb: TargetDoor.Verb) async throws {
        let seen = Seen()
        let stage = try await stage(seen)
        let path = "/v1/admin/targets/nomad/\(verb.rawValue)"
        let reply = try await stage.send(.post, path, as: stage.operatorKey, body: body)
        #expect(reply.status == .accepted && reply.headers[.eTag] == "\"4\"")
        #expect(reply.json["status"] == .string(verb == .open ? "held" : "closed"))
        let (got, target, deed) = try #require(seen.last)
        #expect(got == verb && target == "nomad" && deed.reason == "maintenance" && deed.expectedVersion == 0)
        #expect(deed.actor == "operator-\(stage.operatorKey.id)")
    }

    @Test("the version may come as If-Match, has to come, and is refused when somebody was faster")
    func version() async throws {
        let seen = Seen()
        var stage = try await stage(seen)
        let path = "/v1/admin/targets/nomad/open"
        let reason = #"{"reason":"maintenance"}"#
        let missing = try await stage.send(.post, path, as: stage.operatorKey, body: reason)
        #expect(missing.status == .preconditionRequired && seen.last == nil)
        _ = try await stage.send(.post, path, as: stage.operatorKey, headers: [.ifMatch: "\"3\""], body: reason)
        #expect(seen.last?.2.expectedVersion == 3)
        for (error, status) in [
            (SagaOperationError.conflict(actual: 4), HTTPResponse.Status.preconditionFailed), (.notFound, .notFound),
            (.unavailable, .serviceUnavailable), (.commandReused, .unprocessableContent),
        ] {
            stage.backend.targets.act = { _, _, _ in .failure(error) }
            #expect(try await stage.send(.post, path, as: stage.operatorKey, body: body).status == status)
        }
    }

    @Test("auditors look, operators act, tenants do neither")
    func access() async throws {
        let seen = Seen()
        let target = TargetView(
            name: "nomad",
            status: "open",
            calls: 5,
            failures: 5,
            openings: 1,
            limits: TargetLimits(most: 16),
            lastError: "503: unwell",
            changedAt: Timestamp(microseconds: 0)
        )
        let stage = try await stage(seen, TargetList(data: [target], version: 3))
        let shown = try await stage.send(.get, "/v1/admin/targets", as: stage.auditorKey)
        #expect(shown.status == .ok && shown.headers[.eTag] == "\"3\"")
        #expect(shown.json["version"] == 3 && shown.json["data"]?.array?.first?["status"] == "open")
        #expect(shown.json["data"]?.array?.first?["limits"] == ["most": 16])
        #expect(try await stage.send(.get, "/v1/admin/targets", as: stage.ana).status == .forbidden)
        let path = "/v1/admin/targets/nomad/close"
        #expect(try await stage.send(.post, path, as: stage.auditorKey, body: body).status == .forbidden)
        #expect(try await stage.send(.post, path, as: stage.ana, body: body).status == .forbidden)
        let empty = try await stage.send(.post, path, as: stage.operatorKey, body: #"{"version":"3"}"#)
        #expect(empty.status == .unprocessableContent && seen.last == nil)
    }
}

/// The last deed that came through.
private final class Seen: Sendable {
    private let deed = Mutex<(TargetDoor.Verb, String, SagaDeed)?>(nil)
    var last: (TargetDoor.Verb, String, SagaDeed)? { deed.withLock { $0 } }
    func note(_ verb: TargetDoor.Verb, _ target: String, _ deed: SagaDeed) {
        self.deed.withLock { $0 = (verb, target, deed) }
    }
}
