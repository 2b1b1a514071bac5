import AsyncHTTPClient
import DevPlane
import Kernel
import NIOCore
import SignalboxTestKit
import Testing

@Suite("Agent: variables and events (a.8, a.9)")
struct AgentVariableTests {
    private let path = "/v1/var/nomad/jobs/x"

    @Test("a variable is written by compare-and-set; a conflict answers with what is there")
    func variables() async throws {
        try await withAgent { world in
            let agent = world.agent
            #expect(try await agent.get(path).text == "variable not found")
            let created = try await agent.send("PUT", path + "?cas=0", ["Items": ["a": "1"]])
            #expect(created.status == 200)
            let index = try #require(created.json["ModifyIndex"]?.integer)
            let conflict = try await agent.send("PUT", path + "?cas=0", ["Items": ["a": "2"]])
            #expect(conflict.status == 409)
            #expect(conflict.json["Items"] == ["a": "1"])
            #expect(conflict.index == index)
            #expect(conflict.headers["content-type"] != "application/json")
            let updated = try await agent.send("PUT", path + "?cas=\(index)", ["Items": ["a": "1"]])
            let later = try #require(updated.json["ModifyIndex"]?.integer)
            #expect(later > index)
            #expect(try await agent.get("/v1/vars?prefix=nomad/jobs/").json.array?.first?["Items"] == nil)
            #expect(try await agent.send("DELETE", path + "?cas=1").status == 409)
            let gone = try await agent.send("DELETE", path)
            #expect(gone.status == 204)
            #expect(gone.text.isEmpty)
            #expect(try await agent.send("DELETE", path).status == 204)
            let absent = try await agent.send("PUT", path + "?cas=5", ["Items": ["a": "2"]])
            #expect(absent.status == 409)
            #expect(absent.json["ModifyIndex"]?.integer == 0)
        }
    }

    @Test(
        "what no variable may be is a 400",
        arguments: [
            ("/v1/var/nomad/jobs/x", ["Path": "x"], "variable missing required Items object"),
            ("/v1/var/nomad/jobs/x", ["Items": [:]], "RPC Error:: 400,empty variables are invalid"),
            ("/v1/var/nomad/jobs/a.b", ["Items": ["a": "b"]], #"RPC Error:: 400,invalid path "nomad/jobs/a.b""#),
            (
                "/v1/var/x", ["Items": ["a": .string(String(repeating: "x", count: 65536))]],
                "RPC Error:: 400,variables are limited to 64KiB in total size"
            ),
        ] as [(String, JSONValue, String)]
    )
    func invalid(path: String, body: JSONValue, text: String) async throws {
        try await withAgent { world in
            let reply = try await world.agent.send("PUT", path, body)
            #expect(reply.status == 400)
            #expect(reply.text == text)
        }
    }

    @Test("the event stream begins with {}, says {} while nothing happens, and tells of services")
    func events() async throws {
        try await withAgent({ $0.heartbeat = .milliseconds(200) }) { world in
            let url = "http://127.0.0.1:\(world.agent.port)/v1/event/stream?index=0&topic=Service:*"
            let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
            var lines: [String] = []
            var rest = ""
            for try await piece in response.body {
                rest += String(buffer: piece)
                let parts = rest.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                lines += parts.dropLast()
                rest = parts.last ?? ""
                if lines == ["{}", "{}"] { _ = try await world.register(TestJob.json("told")) }
                if let last = lines.last, last != "{}" { break }
            }
            #expect(lines.prefix(2) == ["{}", "{}"])
            let seen = try #require(lines.first { $0 != "{}" })
            let batch = try JSON.decode(JSONValue.self, from: seen.utf8)
            let event = try #require(batch["Events"]?.array?.first)
            #expect(event["Topic"] == "Service")
            #expect(event["Type"] == "ServiceRegistration")
            #expect(event["Payload"]?["Service"]?["ServiceName"] == "told")
            #expect(event["FilterKeys"] == ["told", "told"])
        }
    }
}
