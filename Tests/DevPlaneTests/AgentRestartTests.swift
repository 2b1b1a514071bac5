import DevPlane
import FoundationEssentials
import Kernel
import SignalboxTestKit
import Subprocess
import Testing

@Suite("Agent: restarts")
struct AgentRestartTests {
    @Test("after a clean stop no process is left, and the next start brings everything back")
    func cleanStop() async throws {
        try await withFolder { folder in
            let (port, before) = try await withAgent(in: folder) { world in
                _ = try await world.register(TestJob.json("lasting"))
                _ = try await world.agent.send("PUT", "/v1/var/nomad/jobs/lasting", ["Items": ["k": "v"]])
                try await world.deployed("lasting")
                return (try await world.tenant("lasting").port, try await world.job("lasting"))
            }
            #expect(!Client.isListening(port))
            #expect(RunDirectory(folder + "/run").entries().isEmpty)
            try await withAgent(in: folder, { $0.ports = port...port }) { world in
                try await eventually { (try? await Client(port: port).get("/").status) == 200 }
                let after = try await world.job("lasting")
                #expect(after["JobModifyIndex"] == before["JobModifyIndex"])
                #expect(after["Version"] == before["Version"])
                #expect(try await world.agent.get("/v1/var/nomad/jobs/lasting").json["Items"] == ["k": "v"])
                #expect(try await world.allocations("lasting").count == 1)
                _ = try await world.register(TestJob.json("lasting"))
                #expect(try await world.job("lasting")["Version"] == before["Version"])
            }
        }
    }

    @Test(
        "a process that outlived a killed agent is adopted, written down or not, and ended with the job",
        arguments: [true, false]
    )
    func adoption(isWrittenDown: Bool) async throws {
        try await withFolder { folder in
            let (port, allocation) = try await withAgent(in: folder) { world in
                _ = try await world.register(TestJob.json("orphan"))
                try await world.deployed("orphan")
                let id = try #require(try await world.allocations("orphan").first?["ID"]?.string)
                return (try await world.tenant("orphan").port, id)
            }
            // As a kill leaves it: the process runs, and its entry names it.
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    _ = try await Subprocess.run(
                        .name("python3"),
                        arguments: ["-c", TestJob.command[2]],
                        environment: .inherit.updating([
                            "NOMAD_HOST_PORT_http": "\(port)", "NOMAD_ALLOC_ID": allocation,
                        ]),
                        output: .discarded
                    )
                }
                try await eventually { (try? await Client(port: port).get("/").status) == 200 }
                let pid = try #require(try await Client(port: port).get("/").json["pid"]?.integer)
                let entry = RunEntry(name: "alloc-\(allocation)", pid: Int32(pid), port: port, command: ["python3"])
                #expect(entry.isAlive)
                if isWrittenDown {
                    try RunDirectory(folder + "/run").write(entry)
                } else {
                    let file = URL(filePath: folder + "/agent/alloc/\(allocation)/pid")
                    try Data("\(pid)\n".utf8).write(to: file)
                }
                try await withAgent(in: folder) { world in
                    try await eventually { try await world.agent.get("/v1/service/orphan").json.array?.count == 1 }
                    #expect(try await world.tenant("orphan").get("/").json["pid"]?.integer == pid)
                    #expect(try await world.allocations("orphan").count == 1)
                    _ = try await world.agent.send("DELETE", "/v1/job/orphan")
                    try await eventually { try await world.job("orphan")["Status"] == "dead" }
                    #expect(!entry.isAlive)
                }
                try await tasks.waitForAll()
            }
        }
    }

    @Test("an entry whose process is another one by now is dropped, and the task started")
    func reusedPid() async throws {
        try await withFolder { folder in
            let allocation = try await withAgent(in: folder) { world in
                _ = try await world.register(TestJob.json("reused"))
                try await world.deployed("reused")
                return try #require(try await world.allocations("reused").first?["ID"]?.string)
            }
            let entry = RunEntry(name: "alloc-\(allocation)", pid: 1, started: "1@elsewhere", port: nil, command: [])
            try RunDirectory(folder + "/run").write(entry)
            try await withAgent(in: folder) { world in
                try await eventually { (try? await world.tenant("reused").get("/").status) == 200 }
            }
        }
    }
}
