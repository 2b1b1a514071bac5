import DevPlane
import Kernel
import SignalboxTestKit
import Testing

@Suite("Agent: register, plan, stop (a.2, a.3, a.5)")
struct AgentJobTests {
    @Test("an enforced index refuses in Nomad's words, with 500")
    func enforced() async throws {
        try await withAgent { world in
            let absent = try await world.register(TestJob.json("cas"), index: 7)
            #expect(absent.status == 500)
            #expect(absent.text == "Enforcing job modify index 7: job does not exist")
            let first = try await world.register(TestJob.json("cas"), index: 0)
            #expect(first.status == 200)
            let index = try #require(first.json["JobModifyIndex"]?.integer)
            #expect(first.json["EvalCreateIndex"]?.integer == index)
            #expect(first.json["Index"]?.integer == index)
            let again = try await world.register(TestJob.json("cas"), index: 0)
            #expect(again.text == "Enforcing job modify index 0: job already exists")
            let stale = try await world.register(TestJob.json("cas"), index: index + 1)
            #expect(
                stale.text
                    == "Enforcing job modify index \(index + 1): job exists with conflicting job modify index: \(index)"
            )
            #expect(try await world.register(TestJob.json("cas", environment: ["A": "b"]), index: index).status == 200)
            #expect(try await world.job("cas")["Version"]?.integer == 1)
        }
    }

    @Test("registering the same again keeps the version, evaluates again, and answers with the ModifyIndex")
    func unchanged() async throws {
        try await withAgent { world in
            let first = try await world.register(TestJob.json("same"))
            try await world.deployed("same")
            let before = try await world.job("same")
            let again = try await world.register(TestJob.json("same"))
            #expect(again.json["EvalID"]?.string != first.json["EvalID"]?.string)
            #expect(again.json["JobModifyIndex"] == before["ModifyIndex"])
            #expect(before["ModifyIndex"] != before["JobModifyIndex"])
            let after = try await world.job("same")
            #expect(after["Version"] == before["Version"])
            #expect(after["JobModifyIndex"] == before["JobModifyIndex"])
            #expect(try await world.allocations("same").count == 1)
        }
    }

    @Test("an invalid job is a 500 with every reason; a wrong type a 400")
    func invalid() async throws {
        try await withAgent { world in
            let constraint: JSONValue = [["LTarget": "${node.meta.tier}", "RTarget": "team", "Operand": "="]]
            let wrong = try await world.register(
                TestJob.json("bad", group: ["Constraints": constraint], job: ["Priority": 0])
            )
            #expect(wrong.status == 500)
            #expect(wrong.text.hasPrefix("2 errors occurred:\n\t* "))
            #expect(wrong.text.contains("job priority must be between [1, 100]"))
            #expect(wrong.text.contains(#"unsupported attribute "${node.meta.tier}""#))
            let text = try await world.register(TestJob.json("bad", task: ["KillTimeout": "5s"]))
            #expect(text.status == 400)
            #expect(text.text.hasPrefix("json: cannot unmarshal string into Go struct field"))
            #expect(try await world.agent.send("PUT", "/v1/jobs", ["Job": nil]).text == "Job must be specified")
            #expect(try await world.agent.send("PUT", "/v1/jobs").text == "Request body is empty")
            #expect(
                try await world.agent.send("PUT", "/v1/job/other", ["Job": TestJob.json("bad")]).text
                    == "Job ID does not match name"
            )
            #expect(try await world.agent.get("/v1/jobs").json == [])
            let checked = try await world.agent.send(
                "PUT",
                "/v1/validate/job",
                ["Job": TestJob.json("bad", job: ["Priority": 0])]
            )
            #expect(checked.status == 200)
            #expect(checked.json["ValidationErrors"] == ["job priority must be between [1, 100]"])
        }
    }

    @Test("what is read back is completed, not what was sent")
    func completed() async throws {
        try await withAgent { world in
            _ = try await world.register(TestJob.json("full"))
            let job = try await world.job("full")
            #expect(job["Priority"]?.integer == 50)
            let constraints = job["TaskGroups"]?.array?[0]["Constraints"]?.array ?? []
            #expect(constraints.contains { $0["LTarget"] == "${attr.nomad.service_discovery}" })
        }
    }

    @Test("a plan tells what would change, and changes nothing")
    func plan() async throws {
        try await withAgent { world in
            func plan(_ job: JSONValue) async throws -> JSONValue {
                try await world.agent.send("PUT", "/v1/job/planned/plan", ["Job": job, "Diff": true]).json
            }
            let new = try await plan(TestJob.json("planned"))
            #expect(new["Diff"]?["Type"] == "Added")
            #expect(new["JobModifyIndex"]?.integer == 0)
            #expect(new["Annotations"]?["DesiredTGUpdates"]?["planned"]?["Place"]?.integer == 1)
            #expect(try await world.agent.get("/v1/job/planned").status == 404)
            let index = try await world.register(TestJob.json("planned")).json["JobModifyIndex"]
            try await world.deployed("planned")
            let same = try await plan(TestJob.json("planned"))
            #expect(same["Diff"]?["Type"] == "None")
            #expect(same["JobModifyIndex"] == index)
            let edited = try await plan(TestJob.json("planned", environment: ["A": "b"]))
            #expect(edited["Diff"]?["Type"] == "Edited")
            #expect(edited["Diff"]?["TaskGroups"]?.array?[0]["Updates"] == ["create/destroy update": 1])
            #expect(edited["Annotations"]?["DesiredTGUpdates"]?["planned"]?["DestructiveUpdate"]?.integer == 1)
            #expect(try await world.job("planned")["Version"]?.integer == 0)
        }
    }

    @Test("stopping ends the process and keeps the job; registering starts it as a new version")
    func stop() async throws {
        try await withAgent { world in
            _ = try await world.register(TestJob.json("stopped"))
            try await world.deployed("stopped")
            let tenant = try await world.tenant("stopped")
            let reply = try await world.agent.send("DELETE", "/v1/job/stopped")
            #expect(reply.json["EvalID"]?.string?.isEmpty == false)
            try await eventually { try await world.job("stopped")["Status"] == "dead" }
            #expect(!Client.isListening(tenant.port))
            #expect(try await world.agent.get("/v1/service/stopped").json == [])
            #expect(try await world.job("stopped")["Stop"]?.bool == true)
            let version = try #require(try await world.job("stopped")["Version"]?.integer)
            _ = try await world.register(TestJob.json("stopped"))
            try await world.deployed("stopped", version: version + 1)
            #expect(try await world.tenant("stopped").get("/").status == 200)
        }
    }

    @Test("purging forgets the job at once and its process soon")
    func purge() async throws {
        try await withAgent { world in
            _ = try await world.register(TestJob.json("purged"))
            try await world.deployed("purged")
            _ = try await world.agent.send("DELETE", "/v1/job/purged?purge=True")
            #expect(try await world.agent.get("/v1/job/purged").status == 404)
            try await eventually {
                try await world.allocations("purged").allSatisfy { $0["ClientStatus"] == "complete" }
            }
            _ = try await world.register(TestJob.json("purged"))
            try await world.deployed("purged")
            #expect(try await world.job("purged")["Version"]?.integer == 0)
            #expect(try await world.agent.get("/v1/job/purged/allocations").json.array?.count == 1)
        }
    }

    @Test("what is not there is stopped with 200 and no evaluation, and has no allocations")
    func unknown() async throws {
        try await withAgent { world in
            let reply = try await world.agent.send("DELETE", "/v1/job/nobody")
            #expect(reply.status == 200)
            #expect(reply.json["EvalID"] == "")
            #expect(try await world.agent.get("/v1/job/nobody/allocations").json == [])
            #expect(try await world.agent.get("/v1/job/nobody/deployment").json == nil)
        }
    }
}
