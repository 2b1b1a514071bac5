import AsyncHTTPClient
import DevPlane
import Kernel
import SignalboxTestKit
import Testing

@Suite("Agent: conventions (a.1)")
struct AgentConventionsTests {
    @Test("errors are bare text, without a line's end")
    func errors() async throws {
        try await withAgent { world in
            let missing = try await world.agent.get("/v1/job/nobody")
            #expect(missing.status == 404)
            #expect(missing.text == "job not found")
            #expect(missing.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(missing.index > 0)
        }
    }

    @Test(
        "wrong methods, paths and parameters are refused as Nomad does",
        arguments: [
            ("PATCH", "/v1/jobs", 405, "Invalid method"), ("PATCH", "/v1/var/nomad/jobs/x", 400, "Invalid method"),
            ("GET", "/v1/nothing", 404, ""), ("GET", "/v1/jobs?index=x", 400, "Invalid index"),
            ("GET", "/v1/jobs?index=5&wait=soon", 400, "Invalid wait time"),
            ("GET", "/v1/jobs?stale=x", 400, "Expect `true` or `false` for `stale` query string parameter"),
            ("GET", "/v1/jobs?per_page=x", 400, "Expect a number for `per_page` query string parameter"),
            (
                "GET", "/v1/event/stream?index=x", 400,
                #"Unable to parse index: strconv.ParseUint: parsing "x": invalid syntax"#
            ),
        ]
    )
    func refusals(method: String, path: String, status: Int, text: String) async throws {
        try await withAgent { world in
            let reply = try await world.agent.send(method, path)
            #expect(reply.status == status)
            #expect(reply.text == text)
        }
    }

    @Test("a bad boolean is a 500")
    func badBoolean() async throws {
        try await withAgent { world in
            let reply = try await world.agent.send("DELETE", "/v1/job/x?purge=x")
            #expect(reply.status == 500)
            #expect(reply.text.hasPrefix(#"Failed to parse value of "purge" ("x") as a bool"#))
        }
    }

    @Test("without the token nothing is said but who leads")
    func token() async throws {
        try await withAgent({ $0.token = "secret" }) { world in
            let agent = world.agent
            let denied = try await agent.get("/v1/jobs")
            #expect(denied.status == 403)
            #expect(denied.text == "Permission denied")
            #expect(
                try await agent.send("GET", "/v1/jobs", headers: ["X-Nomad-Token": "other"]).text
                    == "ACL token not found"
            )
            #expect(try await agent.send("GET", "/v1/jobs", headers: ["X-Nomad-Token": "secret"]).status == 200)
            #expect(try await agent.send("GET", "/v1/jobs", headers: ["Authorization": "Bearer secret"]).status == 200)
            #expect(try await agent.get("/v1/status/leader").json == "127.0.0.1:4647")
        }
    }

    @Test("a blocking read returns when its object changes, and not before")
    func blocking() async throws {
        try await withAgent { world in
            _ = try await world.register(TestJob.json("blocked-1"))
            try await world.deployed("blocked-1")
            let known = try await world.agent.get("/v1/job/blocked-1")
            let begun = ContinuousClock.now
            let idle = try await world.agent.get("/v1/job/blocked-1?index=\(known.index)&wait=300ms")
            #expect(ContinuousClock.now - begun >= .milliseconds(290))
            #expect(idle.index == known.index)
            async let waiting = world.agent.get("/v1/job/blocked-1?index=\(known.index)&wait=30s")
            _ = try await world.agent.send("DELETE", "/v1/job/blocked-1")
            let changed = try await waiting
            #expect(changed.index > known.index)
            #expect(changed.json["Stop"]?.bool == true)
            #expect(ContinuousClock.now - begun < .seconds(25))
        }
    }

    @Test("a test can have an answer lost after the deed, a refusal, and then nothing more")
    func faults() async throws {
        try await withAgent { world in
            world.faults.add(.dropAnswer, method: "PUT", path: "/v1/jobs")
            await #expect(throws: (any Error).self) { _ = try await world.register(TestJob.json("dropped")) }
            let job = try await world.job("dropped")
            #expect(job["Version"]?.integer == 0)
            world.faults.add(.refuse(status: 500, body: "No cluster leader"), path: "/v1/job/dropped")
            #expect(try await world.agent.get("/v1/job/dropped").text == "No cluster leader")
            #expect(try await world.agent.get("/v1/job/dropped").status == 200)
        }
    }
}
