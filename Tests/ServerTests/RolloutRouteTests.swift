import Domain
import HTTPTypes
import Kernel
import Testing

@testable import Server

@Suite("Routes of roll-outs")
struct RolloutRouteTests {
    @Test("a roll-out is started, shown, paused, resumed and aborted by operators only")
    func rollouts() async throws {
        let stage = try await Stage()
        let release = #"{"version":"v2","image":"railzway:v2"}"#
        _ = try await stage.send(.post, "/v1/admin/releases", as: stage.operatorKey, body: release)
        let body = #"{"version":"v2","waves":["1","100%"],"bakeSeconds":60}"#
        #expect(try await stage.send(.post, "/v1/admin/rollouts", as: stage.ana, body: body).status == .forbidden)
        let started = try await stage.send(.post, "/v1/admin/rollouts", as: stage.operatorKey, body: body)
        #expect(started.status == .accepted, "\(started.text)")
        let id = started.json["rollout"]?["id"]?.string ?? ""
        let operation = started.json["operation"]?["id"]?.string ?? ""
        let path = "/v1/admin/rollouts/" + id
        let shown = try await stage.send(.get, path, as: stage.auditorKey)
        #expect(shown.json["status"] == "running" && shown.json["operationId"] == .string(operation))
        #expect(shown.json["waves"]?.array?.map { $0["target"] } == ["1", "100%"])
        func say(_ verb: String) async throws -> HTTPResponse.Status {
            try await stage.send(.post, path + "/" + verb, as: stage.operatorKey, body: #"{"reason":"asked"}"#).status
        }
        #expect(try await say("resume") == .conflict)
        #expect(try await say("pause") == .noContent)
        #expect(try await say("resume") == .noContent)
        #expect(try await say("abort") == .noContent)
        #expect(try await say("pause") == .conflict)
        let list = try await stage.send(.get, "/v1/admin/rollouts", as: stage.operatorKey)
        #expect(list.json["data"]?.array?.first?["status"] == "aborted")
        let shapes: [(String, Stage.Reply)] = [("RolloutStarted", started), ("Rollout", shown), ("Rollouts", list)]
        for (name, reply) in shapes { #expect(API.shapes[name] != nil && reply.status.kind == .successful) }
        let wrong = #"{"version":"v2","waves":["50%","10%"]}"#
        let malformed = try await stage.send(.post, "/v1/admin/rollouts", as: stage.operatorKey, body: wrong)
        #expect(malformed.status == .unprocessableContent, "\(malformed.text)")
        let unknown = try await stage.send(
            .post,
            "/v1/admin/rollouts",
            as: stage.operatorKey,
            body: #"{"version":"v7"}"#
        )
        #expect(unknown.status == .conflict)
    }
}
