import Kernel
import Testing

/// A release for everybody, over HTTP and from the command line, with tenants that really run.
@Suite("Roll-outs", .wholeMachine, .timeLimit(.minutes(15)))
struct RolloutTests {
    @Test("a release that is no good stops at the first wave, and one that is good reaches everybody who may have it")
    func waves() async throws {
        try await Story.told { story, dev in
            var made: [Story.Onboarded] = []
            for slug in ["acme", "bolt", "cord"] { made.append(try await story.provisioned(slug)) }
            let tool = CommandLine(database: story.running.databaseUrl)
            let rollouts: @Sendable ([String]) async throws -> CommandLine.Outcome = { words in
                try await tool.call(["rollouts"] + words + ["--data", dev.directory, "--json"])
            }

            // One failure is one too many, so nobody but the first is bothered, and that one has what it had.
            try await story.register("v2-unready")
            var begun = try await rollouts(["start", "--release", "v2-unready", "--waves", "1,100%", "--bake", "0"])
            #expect(begun.code == 0, "\(begun.errors)")
            let bad = try #require(begun.json["rollout"]?["id"]?.string)
            let paused = try await story.rollout(bad, becomes: "paused")
            #expect(paused["waves"]?.array?.map { $0["status"] } == ["finished", "planned"], "\(paused)")
            #expect(paused["waves"]?.array?.first?["failed"]?.array?.compactMap(\.string) == [made[0].instance])
            #expect(paused["reason"]?.string == "1 of 1 instances of wave 1 could not be changed")
            #expect(try await rollouts(["abort", bad, "--reason", "never ready"]).code == 0)
            let operation = try #require(begun.json["operation"]?["id"]?.string)
            #expect(try await story.ended(operation, for: story.desk) == "completed")
            #expect(try await rollouts(["resume", bad, "--reason", "after all"]).code != 0)

            // Whoever is stopped when its turn comes is passed over.
            let stop = try await story.start("/v1/instances/\(made[2].instance)/stop")
            #expect(try await story.ended(stop) == "completed")
            try await story.register("v2")
            begun = try await rollouts(
                ["start", "--release", "v2", "--waves", "1,100%", "--bake", "1", "--strategy", "rolling"]
            )
            let good = try #require(begun.json["rollout"]?["id"]?.string, "\(begun.errors)")
            let finished = try await story.rollout(good, becomes: "finished")
            #expect(finished["total"] == 3)
            #expect(finished["waves"]?.array?.map { $0["changed"] } == [1, 1])
            let skipped = finished["waves"]?.array?.last?["skipped"]?.array?.first
            #expect(skipped?["instance"]?.string == made[2].instance && skipped?["reason"] == "it is stopped")
            for one in made.prefix(2) {
                let shown = try await story.instance(one.instance, becomes: "running")
                #expect(shown["release"]?["version"] == "v2")
            }

            // Bad input, and whoever is not allowed to.
            let none = try await rollouts(["start", "--release", "v9"])
            #expect(none.code != 0)
            #expect(try await rollouts(["start", "--release", "v2", "--waves", "50%,10%"]).code != 0)
            let refused = try await story.client.post("/v1/admin/rollouts", ["version": "v2"])
            #expect(refused.status == 403, "\(refused.text)")
        }
    }
}

extension Story {
    /// Waits until the roll-out has this status.
    fileprivate func rollout(_ id: String, becomes status: String) async throws -> JSONValue {
        try await eventually(within: .seconds(120), { "roll-out \(id) is not \(status)" }) {
            let shown = try await desk.get("/v1/admin/rollouts/" + id).json
            guard shown["status"]?.string == status else { return nil }
            return shown
        }
    }
}
