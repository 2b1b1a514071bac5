import DevPlane
import FoundationEssentials
import Kernel
import SignalboxTestKit
import Subprocess
import Testing

@Suite("Agent: what runs (a.6, a.10, a.13)")
struct AgentRunTests {
    @Test("a job becomes healthy by its own checks, and is found as a service")
    func healthy() async throws {
        try await withAgent { world in
            let reply = try await world.register(TestJob.json("well", environment: ["GREETING": "hello"]))
            let id = try #require(reply.json["EvalID"]?.string)
            try await eventually { try await world.agent.get("/v1/evaluation/\(id)").json["Status"] == "complete" }
            let deployment = try await world.agent.get("/v1/evaluation/\(id)").json["DeploymentID"]?.string ?? ""
            try await eventually {
                try await world.agent.get("/v1/deployment/\(deployment)").json["Status"] == "successful"
            }
            let allocation = try #require(try await world.allocations("well").first)
            #expect(allocation["ClientStatus"] == "running")
            #expect(allocation["DeploymentStatus"]?["Healthy"]?.bool == true)
            #expect(allocation["TaskStates"]?["railzway"]?["State"] == "running")
            let job = try await world.job("well")
            #expect(job["Stable"]?.bool == true)
            #expect(job["Status"] == "running")
            let environment = try await world.tenant("well").get("/").json["environment"]
            #expect(environment?["GREETING"] == "hello")
            #expect(environment?["NOMAD_JOB_NAME"] == "well")
            #expect(environment?["NOMAD_PORT_http"] == "8080")
            let checks = try await world.agent.get("/v1/client/allocation/\(allocation["ID"]?.string ?? "")/checks")
                .json
            #expect(checks.object?.values.first?["Status"] == "success")
            let filter = "Tags%20contains%20%22traefik.enable%3Dtrue%22"
            #expect(try await world.agent.get("/v1/service/well?filter=\(filter)").json.array?.count == 1)
            #expect(
                try await world.agent.get("/v1/service/well?filter=\(filter.replacing("true", with: "false"))").json
                    == []
            )
        }
    }

    @Test("a task waits for its variable, and starts anew when it changes")
    func variable() async throws {
        try await withAgent { world in
            let template: JSONValue = [
                "DestPath": "secrets/tenant.env", "Envvars": true, "ChangeMode": "restart", "ErrMissingKey": true,
                "EmbeddedTmpl": """
                {{ with nomadVar "nomad/jobs/secretive" }}
                DB_PASSWORD={{ .db_password.Value | toJSON }}
                {{ end }}
                """,
            ]
            _ = try await world.register(TestJob.json("secretive", task: ["Templates": [template]]))
            try await eventually {
                let events = try await world.allocations("secretive").first?["TaskStates"]?["railzway"]?["Events"]
                return events?.array?.contains { $0["DisplayMessage"]?.string?.hasPrefix("Missing: nomad.var") == true }
                    ?? false
            }
            #expect(try await world.allocations("secretive").first?["ClientStatus"] == "pending")
            func put(_ password: JSONValue) async throws {
                let body: JSONValue = ["Items": ["db_password": password]]
                #expect(try await world.agent.send("PUT", "/v1/var/nomad/jobs/secretive", body).status == 200)
            }
            try await put(#"a "quoted" one"#)
            try await world.deployed("secretive")
            let tenant = try await world.tenant("secretive")
            let first = try await tenant.get("/").json
            #expect(first["environment"]?["DB_PASSWORD"] == #"a "quoted" one"#)
            try await put("another")
            try await eventually { (try? await tenant.get("/").json["environment"]?["DB_PASSWORD"]) == "another" }
            #expect(try await world.job("secretive")["Version"]?.integer == 0)
        }
    }

    @Test("a process that dies is started again")
    func restart() async throws {
        try await withAgent { world in
            _ = try await world.register(TestJob.json("mortal"))
            try await world.deployed("mortal")
            let tenant = try await world.tenant("mortal")
            let pid = try await tenant.get("/").json["pid"]
            _ = try? await tenant.get("/exit")
            try await eventually {
                guard let now = try? await tenant.get("/").json["pid"] else { return false }
                return now != pid
            }
            try await eventually {
                try await world.allocations("mortal").first?["TaskStates"]?["railzway"]?["Restarts"]?.integer == 1
            }
        }
    }

    @Test("a version that never gets well fails by its deadline, and the last stable one comes back")
    func reverted() async throws {
        try await withAgent { world in
            let update: [String: JSONValue] = [
                // Long enough for the version that does get well, on a machine that does much else.
                "AutoRevert": true, "HealthyDeadline": .integer(6 * TestJob.second),
                "ProgressDeadline": .integer(8 * TestJob.second),
                "MinHealthyTime": .integer(TestJob.second / 10),
            ]
            let task: [String: JSONValue] = ["KillTimeout": .integer(TestJob.second / 2)]
            _ = try await world.register(TestJob.json("careful", update: update, task: task))
            try await world.deployed("careful")
            let sick = TestJob.json("careful", environment: ["BROKEN": "sick"], update: update, task: task)
            _ = try await world.register(sick)
            try await world.deployed("careful", "successful", version: 2)
            let deployments = try await world.agent.get("/v1/job/careful/deployments").json.array ?? []
            let failed = try #require(deployments.first { $0["JobVersion"]?.integer == 1 })
            #expect(failed["Status"] == "failed")
            #expect(failed["StatusDescription"] == "Failed due to progress deadline - rolling back to job version 0")
            #expect(try await world.tenant("careful").get("/").status == 200)
        }
    }

    @Test("a canary runs beside the old version until it is promoted")
    func canary() async throws {
        try await withAgent { world in
            _ = try await world.register(TestJob.json("cautious", update: ["Canary": 1]))
            try await world.deployed("cautious")
            let old = try #require(try await world.allocations("cautious").first?["ID"]?.string)
            _ = try await world.register(TestJob.json("cautious", environment: ["NEW": "1"], update: ["Canary": 1]))
            try await eventually {
                let deployment = try await world.deployment("cautious")
                let healthy = deployment["TaskGroups"]?["cautious"]?["HealthyAllocs"]?.integer
                return deployment["JobVersion"]?.integer == 1 && healthy == 1
            }
            let deployment = try await world.deployment("cautious")
            #expect(deployment["Status"] == "running")
            #expect(deployment["StatusDescription"] == "Deployment is running but requires manual promotion")
            #expect(try await world.allocations("cautious").filter { $0["ClientStatus"] == "running" }.count == 2)
            let id = deployment["ID"]?.string ?? ""
            let promoted = try await world.agent.send(
                "PUT",
                "/v1/deployment/promote/\(id)",
                ["DeploymentID": .string(id), "All": true]
            )
            #expect(promoted.status == 200)
            try await world.deployed("cautious", version: 1)
            try await eventually {
                try await world.agent.get("/v1/allocation/\(old)").json["ClientStatus"] == "complete"
            }
            #expect(try await world.allocations("cautious").filter { $0["ClientStatus"] == "running" }.count == 1)
            let again = try await world.agent.send("PUT", "/v1/deployment/fail/\(id)")
            #expect(again.status == 500)
            #expect(again.text == "can't fail terminal deployment")
        }
    }

    @Test("changed tags reach the registry without a new process")
    func inPlace() async throws {
        try await withAgent { world in
            _ = try await world.register(TestJob.json("tagged"))
            try await world.deployed("tagged")
            let pid = try await world.tenant("tagged").get("/").json["pid"]
            let service: JSONValue = [
                "Provider": "nomad", "Name": "tagged", "PortLabel": "http", "Tags": ["traefik.enable=false"],
                "Checks": [],
            ]
            _ = try await world.register(TestJob.json("tagged", group: ["Services": [service]]))
            try await eventually {
                try await world.agent.get("/v1/service/tagged").json.array?.first?["Tags"] == ["traefik.enable=false"]
            }
            #expect(try await world.tenant("tagged").get("/").json["pid"] == pid)
            try await world.deployed("tagged", version: 1)
        }
    }

    @Test("what fits nowhere waits, says why, and goes on when there is room")
    func capacity() async throws {
        try await withAgent({ $0.memory = 100 }) { world in
            _ = try await world.register(TestJob.json("first"))
            try await world.deployed("first")
            let reply = try await world.register(TestJob.json("second"))
            let id = reply.json["EvalID"]?.string ?? ""
            try await eventually {
                try await world.agent.get("/v1/evaluation/\(id)").json["BlockedEval"]?.string?.isEmpty == false
            }
            let evaluation = try await world.agent.get("/v1/evaluation/\(id)").json
            #expect(evaluation["FailedTGAllocs"]?["second"]?["DimensionExhausted"] == ["memory": 1])
            _ = try await world.agent.send("DELETE", "/v1/job/first")
            try await world.deployed("second")
        }
    }

    @Test("a constraint that no node meets is named")
    func constraint() async throws {
        try await withAgent({ $0.nodeMeta = ["tier": "starter"] }) { world in
            let constraint: JSONValue = [["LTarget": "${meta.tier}", "RTarget": "team", "Operand": "="]]
            let reply = try await world.register(TestJob.json("choosy", group: ["Constraints": constraint]))
            let id = reply.json["EvalID"]?.string ?? ""
            try await eventually { try await world.agent.get("/v1/evaluation/\(id)").json["Status"] == "complete" }
            let failed = try await world.agent.get("/v1/evaluation/\(id)").json["FailedTGAllocs"]?["choosy"]
            #expect(failed?["ConstraintFiltered"] == ["${meta.tier} = team": 1])
            let nodes = try await world.agent.get("/v1/nodes?filter=Meta%5B%22tier%22%5D%3D%3D%22starter%22").json.array
            #expect(nodes?.count == 1)
            #expect(try await world.agent.get("/v1/nodes?filter=Meta%5B%22tier%22%5D%3D%3D%22team%22").json == [])
        }
    }
}
