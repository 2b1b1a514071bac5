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

    @Test("a deed reaches the saga with who, why and the version that was seen", arguments: SagaDoor.Verb.allCases)
    func reaches(verb: SagaDoor.Verb) async throws {
        var stage = try await Stage()
        let seen = Seen()
        stage.backend.sagas.act = { verb, saga, deed throws(SagaOperationError) in seen.note(verb, saga, deed) }
        let body = #"{"reason":"it hangs","version":"7"}"#
        let reply = try await stage.send(
            .post,
            "/v1/admin/sagas/\(saga)/\(verb.rawValue)",
            as: stage.operatorKey,
            body: body
        )
        #expect(reply.status == .accepted)
        #expect(reply.headers[.location] == "/v1/operations/\(saga)")
        let (got, id, deed) = try #require(seen.last)
        #expect(got == verb && id.description == saga)
        #expect(deed.actor == "operator-\(stage.operatorKey.id)")
        #expect(deed.reason == "it hangs" && deed.expectedVersion == 7)
    }

    @Test("only operators may, and only with a reason")
    func refused() async throws {
        var stage = try await Stage()
        let seen = Seen()
        stage.backend.sagas.act = { verb, saga, deed throws(SagaOperationError) in seen.note(verb, saga, deed) }
        let path = "/v1/admin/sagas/\(saga)/park"
        let good = #"{"reason":"it hangs"}"#
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
        ]
    )
    func problems(error: SagaOperationError, status: HTTPResponse.Status) async throws {
        var stage = try await Stage()
        stage.backend.sagas.act = { _, _, _ throws(SagaOperationError) in throw error }
        let path = "/v1/admin/sagas/\(saga)/retry"
        #expect(try await stage.send(.post, path, as: stage.operatorKey, body: #"{"reason":"x"}"#).status == status)
    }
}

/// The last deed that came through.
private final class Seen: Sendable {
    private let deed = Mutex<(SagaDoor.Verb, UniqueID, SagaDeed)?>(nil)
    var last: (SagaDoor.Verb, UniqueID, SagaDeed)? { deed.withLock { $0 } }
    func note(_ verb: SagaDoor.Verb, _ saga: UniqueID, _ deed: SagaDeed) {
        self.deed.withLock { $0 = (verb, saga, deed) }
    }
}
