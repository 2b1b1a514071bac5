import Commands
import Domain
import EventStore
import HTTPTypes
import Kernel
@testable import Server
import SignalboxTestKit
import Testing

@Suite("What auditors look back at")
struct AuditorTests {
    /// An organization that was renamed, and what it was called before.
    private func renamed(_ stage: Stage) async throws -> (id: String, created: Int64) {
        let made = try await stage.onboard("acme")
        let id = try #require(made.json["organization"]?["id"]?.string)
        let created = try #require(stage.log.events.first { $0.type == "organization.created" })
        let path = "/v1/organizations/\(id)"
        for (version, name) in [(1, "Second"), (2, "Third")] {
            let reply = try await stage.send(
                .patch,
                path,
                as: stage.ana,
                headers: [.ifMatch: "\"\(version)\""],
                body: #"{"name":"\#(name)"}"#
            )
            #expect(reply.status == .ok, "\(reply.text)")
        }
        return (id, created.position)
    }

    @Test("a stream's history comes in pages that join")
    func history() async throws {
        let stage = try await Stage()
        let (id, _) = try await renamed(stage)
        let path = "/v1/streams/organization-\(id)/history"
        let first = try await stage.send(.get, path + "?limit=2", as: stage.ana)
        #expect(first.json["data"]?.array?.compactMap { $0["version"]?.integer } == [1, 2])
        let next = try #require(first.json["next"]?.string)
        let second = try await stage.send(.get, path + "?limit=2&after-version=\(next)", as: stage.ana)
        #expect(second.json["data"]?.array?.compactMap { $0["data"]?["name"]?.string } == ["Third"])
        #expect(second.json["next"] == .null)
        let end = try await stage.send(.get, path + "?after-version=3", as: stage.ana)
        #expect(end.json["data"] == [])
        // A version is no position, and what the stream has not got to is no place to go on from.
        for (query, parameter) in [("after=1", "after"), ("after-version=4", "after-version")] {
            let refused = try await stage.send(.get, path + "?" + query, as: stage.ana)
            #expect(refused.status == .unprocessableContent)
            #expect(refused.parameters == [parameter])
        }
    }

    @Test("what has not happened yet is not answered with what has")
    func notYet() async throws {
        let stage = try await Stage()
        let (id, _) = try await renamed(stage)
        let size = try await stage.size
        let path = "/v1/streams/organization-\(id)"
        for query in ["/state?version=4", "/state?position=\(size + 1)", "/diff?to=4", "/diff?to=position:\(size + 1)"]
        {
            let reply = try await stage.send(.get, path + query, as: stage.ana)
            #expect(reply.status == .notFound, "\(query)")
            #expect(reply.problem == "not-yet", "\(query)")
        }
        let own = "/v1/organizations/\(id)"
        for query in ["position=\(size + 1)", "as_of=2999-01-01T00:00:00Z"] {
            for (path, key) in [
                (own, stage.ana), ("\(own)/instances", stage.ana), ("/v1/organizations", stage.operatorKey),
            ] {
                let view = try await stage.send(.get, path + "?" + query, as: key)
                #expect(view.status == .notFound && view.problem == "not-yet", "\(path) \(query)")
            }
        }
        #expect(try await stage.send(.get, path + "/state?position=\(size)", as: stage.ana).status == .ok)
        for list in ["/v1/events", "/v1/events/export"] {
            let reply = try await stage.send(.get, list + "?after=\(size + 1)", as: stage.operatorKey)
            #expect(reply.parameters == ["after"])
            #expect(try await stage.send(.get, list + "?after=\(size)", as: stage.operatorKey).status == .ok)
        }
    }

    @Test("what is no name of a stream is said, and not taken for a stream without events")
    func malformed() async throws {
        let stage = try await Stage()
        for path in ["/v1/events", "/v1/events/export", "/v1/events/stream"] {
            for name in ["Nonsense", "nodash", "a--", "a%20b-1"] {
                let reply = try await stage.send(.get, path + "?stream=" + name, as: stage.operatorKey)
                #expect(reply.status == .unprocessableContent, "\(path) \(name)")
                #expect(reply.parameters == ["stream"])
            }
        }
        let none = try await stage.send(.get, "/v1/events?stream=instance-7", as: stage.operatorKey)
        #expect(none.status == .ok && none.json["data"] == [])
    }

    @Test("a state is the one of the version, position or time that is asked for")
    func state() async throws {
        let stage = try await Stage()
        let (id, created) = try await renamed(stage)
        let path = "/v1/streams/organization-\(id)/state"
        func name(_ query: String) async throws -> String? {
            let reply = try await stage.send(.get, path + query, as: stage.ana)
            #expect(reply.status == .ok, "\(query) \(reply.text)")
            return reply.json["state"]?["name"]?.string
        }
        #expect(try await name("") == "Third")
        #expect(try await name("?version=1") == "Acme")
        #expect(try await name("?version=2") == "Second")
        #expect(try await name("?position=\(created)") == "Acme")
        let second = stage.log.events[stage.log.events.count - 2].recordedAt
        #expect(try await name("?as_of=\(second)") == "Second")
        let early = try await stage.send(.get, path + "?position=\(created - 1)", as: stage.ana)
        #expect(early.status == .notFound)
        let both = try await stage.send(.get, path + "?version=1&position=2", as: stage.ana)
        #expect(both.status == .unprocessableContent)
        let never = try await stage.send(.get, path + "?as_of=tomorrow-or-never-at-all", as: stage.ana)
        #expect(never.status == .unprocessableContent)
        let unknown = try await stage.send(.get, "/v1/streams/organization-7/state", as: stage.operatorKey)
        #expect(unknown.status == .notFound)
    }

    @Test("a difference says what changed, and only that")
    func difference() async throws {
        let stage = try await Stage()
        let (id, _) = try await renamed(stage)
        let path = "/v1/streams/organization-\(id)/diff"
        let reply = try await stage.send(.get, path + "?from=1&to=3", as: stage.ana)
        #expect(
            reply.json == [
                "stream": .string("organization-\(id)"), "from": 1, "to": 3,
                "changes": [["path": "/name", "before": "Acme", "after": "Third"]],
            ]
        )
        let whole = try await stage.send(.get, path, as: stage.ana)
        let paths = whole.json["changes"]?.array?.compactMap { $0["path"]?.string } ?? []
        #expect(paths.contains("/members") && paths.contains("/stage"))
        let bad = try await stage.send(.get, path + "?from=yesterday", as: stage.ana)
        #expect(bad.parameters == ["from"])
    }

    @Test("organizations, instances and subscriptions are shown as they were")
    func asOf() async throws {
        let stage = try await Stage()
        let (id, created) = try await renamed(stage)
        let then = try await stage.send(.get, "/v1/organizations/\(id)?position=\(created)", as: stage.ana)
        #expect(then.json["name"]?.string == "Acme")
        #expect(then.headers[.eTag] == "\"1\"")
        #expect(then.headers[.logPosition] == String(created))
        let now = try await stage.send(.get, "/v1/organizations/\(id)", as: stage.ana)
        #expect(now.json["name"]?.string == "Third")
    }

    @Test("an instance and its subscription are of the same moment")
    func pair() async throws {
        let stage = try await Stage()
        let made = try await stage.onboard("acme")
        let instance = try #require(made.json["instance"]?["id"]?.string)
        let subscription = try #require(made.json["subscription"]?["id"]?.string)
        let end = try await stage.size
        for path in ["/v1/instances/\(instance)", "/v1/subscriptions/\(subscription)"] {
            let now = try await stage.send(.get, path, as: stage.ana)
            let then = try await stage.send(.get, path + "?position=\(end)", as: stage.ana)
            #expect(then.status == .ok)
            #expect(then.json["version"] == now.json["version"])
            #expect(then.json["status"] == now.json["status"])
            let before = try await stage.send(.get, path + "?position=1", as: stage.ana)
            #expect(before.status == .notFound)
            let time = try #require(stage.log.events.last).recordedAt
            #expect(try await stage.send(.get, path + "?as_of=\(time)", as: stage.ana).status == .ok)
        }
    }

    @Test("an export is every event that is wanted, one on each line", arguments: EventExport.allCases)
    func export(format: EventExport) async throws {
        let stage = try await Stage()
        let (id, _) = try await renamed(stage)
        let size = try await stage.size
        func lines(_ query: String, as key: IssuedKey) async throws -> [JSONValue] {
            let path = "/v1/events/export?format=\(format.rawValue)\(query)"
            let reply = try await stage.send(.get, path, as: key)
            #expect(reply.status == .ok, "\(reply.text)")
            #expect(reply.headers[.contentType] == "application/x-ndjson")
            #expect(reply.text.isEmpty || reply.text.hasSuffix("\n"))
            return try reply.text.split(separator: "\n").map { try JSON.decode(JSONValue.self, from: $0.utf8) }
        }
        let all = try await lines("", as: stage.operatorKey)
        #expect(all.count == Int(size))
        if format == .jsonl { #expect(all.compactMap { $0["position"]?.integer } == Array(1...size)) }
        let own = try await lines("&organization=\(id)&type=organization.renamed", as: stage.ana)
        #expect(own.compactMap { $0["data"]?["name"]?.string } == ["Second", "Third"])
        let part = try await lines("&after=2&through=4&category=release", as: stage.auditorKey)
        #expect(part.isEmpty)
        #expect(try await lines("&after=2&through=4", as: stage.auditorKey).count == 2)
        let stranger = try await stage.send(.get, "/v1/events/export", as: stage.ana)
        #expect(stranger.status == .unprocessableContent)
    }

    @Test("each line of a CloudEvents export is a CloudEvent 1.0")
    func cloudEvents() async throws {
        let stage = try await Stage()
        try await stage.onboard("acme")
        for event in stage.log.events {
            let reply = try await stage.send(
                .get,
                "/v1/events/export?format=cloudevents&after=\(event.position - 1)&through=\(event.position)",
                as: stage.operatorKey
            )
            let cloud = try #require(reply.json.object)
            #expect(cloud["specversion"] == "1.0")
            #expect(cloud["id"]?.string == event.id.description)
            #expect(cloud["type"]?.string == event.type)
            #expect(cloud["subject"]?.string == event.stream.text)
            #expect(cloud["time"]?.string.flatMap { Timestamp($0) } == event.recordedAt)
            #expect(cloud["sequence"]?.string?.count == 19)
            #expect(cloud["sequence"]?.string.flatMap { Int64($0) } == event.position)
            for (name, value) in cloud where name != "data" {
                #expect(name.utf8.allSatisfy { 97...122 ~= $0 || 48...57 ~= $0 }, "\(name)")
                switch value {
                case .string(let text): #expect(!text.isEmpty, "\(name)")
                case .integer(let number): #expect(Int32(exactly: number) != nil, "\(name)")
                default: Issue.record("\(name) is no attribute of CloudEvents")
                }
            }
        }
    }

    @Test("who may read the events may look back, and nobody else")
    func access() async throws {
        let stage = try await Stage()
        let (id, _) = try await renamed(stage)
        let issued = try await stage.send(
            .post,
            "/v1/organizations/\(id)/api-keys",
            as: stage.ana,
            body: #"{"role":"viewer","scopes":["read"]}"#
        )
        let viewer = try #require(issued.json["key"]?.string.flatMap { IssuedKey($0) })
        for path in ["history", "state", "diff"].map({ "/v1/streams/organization-\(id)/\($0)" }) {
            #expect(try await stage.send(.get, path, as: viewer).status == .forbidden)
            #expect(try await stage.send(.get, path, as: stage.bob).status == .notFound)
            #expect(try await stage.send(.get, path, as: stage.auditorKey).status == .ok)
            #expect(try await stage.send(.get, path).status == .unauthorized)
        }
        // What belongs to no organization is for the platform.
        for stream in ["user-\(stage.anaID)", "platform-keys", "release-railzway"] {
            let path = "/v1/streams/\(stream)/state"
            #expect(try await stage.send(.get, path, as: stage.ana).status == .notFound)
            #expect(try await stage.send(.get, path, as: stage.auditorKey).status == .ok, "\(stream)")
        }
    }
}
