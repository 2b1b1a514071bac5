import Commands
import HTTPTypes
import Kernel
import Projections
@testable import Server
import Synchronization
import Testing

@Suite("What operators do to builds of read models")
struct ProjectionRouteTests {
    private typealias Deed = (verb: ProjectionVerb, name: String, deed: ProjectionDeed)

    private static let cases: [(String, String, ProjectionVerb)] = [
        (
            "rebuild", #"{"reason":"why","toPosition":7,"parallel":3,"dryRun":true,"switch":false}"#,
            .rebuild(RebuildOrder(until: 7, parallel: 3, isDry: true, switches: false))
        ),
        (
            "rebuild", #"{"reason":"why","asOf":"2026-01-02T03:04:05Z"}"#,
            .rebuild(RebuildOrder(asOf: Timestamp(microseconds: 1_767_323_045_000_000)))
        ),
        ("rebuild", #"{"reason":"why"}"#, .rebuild(RebuildOrder())),
        ("pause", #"{"reason":"why"}"#, .pause), ("resume", #"{"reason":"why"}"#, .resume),
        ("cancel", #"{"reason":"why","build":4}"#, .cancel(build: 4)),
        (
            "switch", #"{"reason":"why","build":4,"acceptDifferences":true}"#,
            .show(build: 4, acceptingDifferences: true)
        ),
        ("rollback", #"{"reason":"why"}"#, .rollBack),
        ("retry", #"{"reason":"why"}"#, .retry(nil)),
        ("skip", #"{"reason":"why","organizationId":"7"}"#, .skip(OrganizationID(7))),
    ]

    @Test("a deed reaches the desk with who and why", arguments: cases.indices)
    func reaches(index: Int) async throws {
        let (path, body, verb) = Self.cases[index]
        let seen = Mutex<[Deed]>([])
        let box = Box(seen: { deed in seen.withLock { $0.append(deed) } })
        var stage = try await Stage()
        stage.backend.projections.act = { verb, name, deed in
            box.seen((verb, name, deed))
            return .success(ProjectionReceipt(name: name, build: 2))
        }
        let target = "/v1/admin/projections/instances/\(path)"
        let reply = try await stage.send(.post, target, as: stage.operatorKey, body: body)
        #expect(reply.status == .accepted)
        let deed = try #require(seen.withLock { $0.last })
        #expect(deed.verb == verb && deed.name == "instances" && deed.deed.reason == "why")
        #expect(deed.deed.actor == "operator-\(stage.operatorKey.id)")
        #expect(try await stage.send(.post, target, as: stage.auditorKey, body: body).status == .forbidden)
        #expect(try await stage.send(.post, target, as: stage.ana, body: body).status == .forbidden)
        #expect(
            try await stage.send(.post, target, as: stage.operatorKey, body: "{}").status == .unprocessableContent
        )
        #expect(seen.withLock { $0.count } == 1)
    }

    @Test(
        "what cannot be done is said",
        arguments: [
            (RebuildError.unknownProjection, HTTPResponse.Status.notFound), (.unknownBuild, .notFound),
            (.notPossible("no"), .conflict), (.beyond(3), .unprocessableContent), (.twoEnds, .unprocessableContent),
            (.future, .unprocessableContent), (.commandReused, .unprocessableContent),
            (.unavailable, .serviceUnavailable),
        ]
    )
    func problems(error: RebuildError, status: HTTPResponse.Status) async throws {
        var stage = try await Stage()
        stage.backend.projections.act = { _, _, _ in .failure(error) }
        stage.backend.projections.rebuilds = { _ in .failure(error) }
        let path = "/v1/admin/projections/instances/"
        let reply = try await stage.send(.post, path + "pause", as: stage.operatorKey, body: #"{"reason":"x"}"#)
        #expect(reply.status == status)
        if status != .conflict, status != .unprocessableContent {
            #expect(try await stage.send(.get, path + "rebuilds", as: stage.auditorKey).status == status)
        }
    }

    @Test("one key is one deed, and says so with what was asked")
    func keys() async throws {
        let seen = Mutex<[Deed]>([])
        let box = Box(seen: { deed in seen.withLock { $0.append(deed) } })
        var stage = try await Stage()
        stage.backend.projections.act = { verb, name, deed in
            box.seen((verb, name, deed))
            return .success(ProjectionReceipt(name: name, build: 2))
        }
        let target = "/v1/admin/projections/instances/rebuild"
        for (body, key) in [(#"{"reason":"why"}"#, "k"), (#"{"reason":"why"}"#, "k"), (#"{"reason":"other"}"#, "k")] {
            let headers: HTTPFields = [.idempotencyKey: key]
            let reply = try await stage.send(.post, target, as: stage.operatorKey, headers: headers, body: body)
            #expect(reply.status == .accepted)
        }
        _ = try await stage.send(.post, target, as: stage.operatorKey, body: #"{"reason":"why"}"#)
        let deeds = seen.withLock { $0.map(\.deed) }
        #expect(Set(deeds.prefix(3).map(\.command)).count == 1 && deeds[3].command != deeds[0].command)
        #expect(deeds[0].requestHash == deeds[1].requestHash && deeds[0].requestHash != deeds[2].requestHash)
        #expect(deeds[0].requestHash?.count == 32 && deeds[3].requestHash == nil)
    }

    @Test("a read model is shown with its builds, slices and blocked organizations; there is no other")
    func show() async throws {
        var stage = try await Stage()
        let blocked = BlockedOrganization(
            organizationId: OrganizationID(7),
            position: 3,
            error: "instance.running: no field"
        )
        let state = ProjectionState(
            name: "instances",
            shape: 1,
            build: 2,
            live: true,
            position: 4,
            lag: 5,
            lagSeconds: 1,
            blockedOrganizations: [blocked],
            slices: [4, 9]
        )
        stage.backend.reads.projections = { () throws(ReadError) in [state] }
        let path = "/v1/admin/projections/"
        let reply = try await stage.send(.get, path + "instances", as: stage.auditorKey)
        let found = try #require(reply.json["data"]?.array?.first)
        #expect(found["slices"]?.array?.map { $0["lag"] } == [.integer(5), .integer(0)])
        #expect(found["blockedOrganizations"]?.array?.first?["organizationId"] == .string("7"))
        #expect(try await stage.send(.get, path + "nothing", as: stage.auditorKey).status == .notFound)
        #expect(try await stage.send(.get, path + "instances", as: stage.ana).status == .forbidden)
    }

    private struct Box: Sendable {
        let seen: @Sendable (Deed) -> Void
    }
}
