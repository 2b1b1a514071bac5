import Domain
import HTTPTypes
import Kernel
import Testing

@testable import Server

@Suite("Routes of releases and roll-outs")
struct RolloutRouteTests {
    @Test("a release is registered, recommended and ended by operators only")
    func releases() async throws {
        let stage = try await Stage()
        let body = #"{"version":"v2","image":"railzway:v2"}"#
        let refused = try await stage.send(.post, "/v1/admin/releases", as: stage.ana, body: body)
        #expect(refused.status == .forbidden)
        let made = try await stage.send(.post, "/v1/admin/releases", as: stage.operatorKey, body: body)
        #expect(made.status == .noContent, "\(made.text)")
        for (path, body) in [("default", "{}"), ("status", #"{"status":"deprecated"}"#)] {
            let reply = try await stage.send(
                .post,
                "/v1/admin/releases/v2/\(path)",
                as: stage.operatorKey,
                body: body
            )
            #expect(reply.status == .noContent, "\(reply.text)")
        }
        let all = try await stage.send(.get, "/v1/admin/releases", as: stage.operatorKey).json["data"]?.array ?? []
        let v2 = all.first { $0["version"] == "v2" }
        #expect(v2?["default"]?.bool == true && v2?["status"] == "deprecated")
        let ended = try await stage.send(
            .post,
            "/v1/admin/releases/v2/status",
            as: stage.operatorKey,
            body: #"{"status":"eol"}"#
        )
        #expect(ended.status == .conflict)
    }

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
