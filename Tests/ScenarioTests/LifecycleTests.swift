import Glibc
import Kernel
import Testing

/// What becomes of an instance after it runs, over HTTP and from the command line.
@Suite("Lifecycle", .timeLimit(.minutes(5)))
struct LifecycleTests {
    @Test("an instance is stopped and cannot be reached or billed, and is started again with its data")
    func stopAndStart() async throws {
        let dev = try DevProcess()
        defer { dev.remove() }
        try await dev.run { running in
            let story = Story(running: running)
            let made = try await story.onboard("acme")
            #expect(try await story.ended(made.operation) == "completed")
            _ = try await story.reached("acme")

            let stop = try await story.client.post(
                "/v1/instances/\(made.instance)/stop",
                headers: ["Prefer": "wait=30"]
            )
            #expect(stop.status == 202, "\(stop.text)")
            let operation = try #require(stop.json["operation"]?["id"]?.string)
            #expect(stop["Location"] == "/v1/operations/\(operation)")
            #expect(try await story.ended(operation) == "completed")
            let stopped = try await story.instance(made.instance, becomes: "stopped")
            #expect(stopped["subscription"]?["status"] == "paused")
            try await story.gone("acme")
            let again = try await story.client.post("/v1/instances/\(made.instance)/stop")
            #expect(again.status == 409, "\(again.text)")

            // The subscription's command is the same one; and so is that of the command line.
            let resumed = try await story.client.post("/v1/subscriptions/\(made.subscription)/resume")
            #expect(resumed.status == 202, "\(resumed.text)")
            #expect(try await story.ended(try #require(resumed.json["operation"]?["id"]?.string)) == "completed")
            let started = try await story.instance(made.instance, becomes: "running")
            #expect(started["subscription"]?["status"] == "active")
            _ = try await story.reached("acme")

            let tool = CommandLine(database: running.databaseUrl)
            let paused = try await tool("instance", "stop", made.instance, "--data", dev.directory, "--json")
            #expect(paused.code == 0, "\(paused.errors)")
            #expect(paused.json["status"] == "stopped")
            let resume = try await tool("instance", "start", made.instance, "--data", dev.directory, "--json")
            #expect(resume.code == 0, "\(resume.errors)")
            #expect(resume.json["status"] == "running")
            let refused = try await tool("instance", "start", made.instance, "--data", dev.directory)
            #expect(refused.code == 4, "\(refused.errors)")
        }
        #expect(dev.survivors == [])
    }
}
