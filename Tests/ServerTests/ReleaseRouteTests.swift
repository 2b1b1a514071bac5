import Domain
import HTTPTypes
import Kernel
import Testing

@testable import Server

@Suite("Routes of releases")
struct ReleaseRouteTests {
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
    @Test("a digest is what a registry would say, or refused")
    func digests() async throws {
        let stage = try await Stage()
        let good = "sha256:" + String(repeating: "0a", count: 32)
        let wrong = [
            String(repeating: "0", count: 71), good.uppercased(), "sha256:" + String(repeating: "g", count: 64),
        ]
        for (number, digest) in ([good] + wrong).enumerated() {
            let reply = try await stage.send(
                .post,
                "/v1/admin/releases",
                as: stage.operatorKey,
                body: #"{"version":"v\#(number)","image":"railzway:v2","digest":"\#(digest)"}"#
            )
            #expect(reply.status == (digest == good ? .noContent : .unprocessableContent), "\(digest)")
        }
    }
}
