import Commands
import Domain
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import Testing

@Suite("Feeds of one thing")
struct FeedTests {
    @Test("an organization's feed has its events and nobody else's, and ends for who is removed")
    func organization() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let id = try #require(made.json["organization"]?["id"]?.string)
        let path = "/v1/organizations/\(id)"
        let invitation = try await stage.send(.post, path + "/invitations", as: stage.ana, body: #"{"role":"auditor"}"#)
        let token = try #require(invitation.json["token"]?.string)
        _ = try await stage.send(.post, "/v1/invitations/\(token)/accept", as: stage.bob)
        let seen = try await stage.size
        try await stage.serving { live in
            let stream = try await live.open(path + "/stream", as: stage.bob, lastEventID: String(seen))
            try await stage.onboard("other", as: stage.bob)
            let headers: HTTPFields = [.ifMatch: "*"]
            _ = try await stage.send(.patch, path, as: stage.ana, headers: headers, body: #"{"name":"Emca"}"#)
            var lines = lines(stream).makeAsyncIterator()
            var types: [String] = []
            while types.isEmpty, let line = try await lines.next() {
                guard line.hasPrefix("data: ") else { continue }
                let event = try JSON.decode(JSONValue.self, from: Array(line.dropFirst(6).utf8))
                types.append(event["type"]?.string ?? "")
            }
            #expect(types == ["organization.renamed"])
            _ = try await stage.send(.delete, path + "/members/\(stage.bobID)", as: stage.ana)
            var after: [String] = []
            do {
                while let line = try await lines.next() { after.append(line) }
            } catch {
                // Cut off: it has told nothing more.
            }
            #expect(!after.contains { $0.hasPrefix("data: ") })
        }
    }

    @Test("an instance's feed shows it as it is, and again whenever it changes")
    func instance() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let instance = try #require(made.json["instance"]?["id"]?.string)
        try await stage.serving { live in
            let stream = try await live.open("/v1/instances/\(instance)/stream", as: stage.ana, lastEventID: nil)
            var lines = lines(stream).makeAsyncIterator()
            var states: [String] = []
            while states.count < 2, let line = try await lines.next() {
                guard line.hasPrefix("data: ") else { continue }
                let shown = try JSON.decode(JSONValue.self, from: Array(line.dropFirst(6).utf8))
                states.append(shown["status"]?.string ?? "")
                if states.count == 1 {
                    _ = try await stage.send(.post, "/v1/instances/\(instance)/terminate", as: stage.ana, body: "{}")
                }
            }
            #expect(states == ["provisioning", "terminating"])
        }
    }
}
