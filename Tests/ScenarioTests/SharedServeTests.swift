import Glibc
import Kernel
import Testing

/// Two processes share the work of one log; one of them goes.
@Suite("Two servers", .wholeMachine, .timeLimit(.minutes(15)))
struct SharedServeTests {
    @Test(
        "share the work, and whether one is killed or told to end, the other finishes what it had, once",
        arguments: [SIGKILL, SIGTERM]
    )
    func shared(signal: Int32) async throws {
        try await Story.told { story, dev in
            let second = ServeProcess(dev: dev, running: story.running)
            let (made, status) = try await second.run(ending: signal) { server in
                var made: [Story.Onboarded] = []
                // The work is whoever's who is faster: more of it comes until the one that will go has some.
                for number in 1...20 {
                    made.append(try await story.onboard("shared-\(number)", price: "starter-monthly"))
                    for _ in 0..<20 where try await story.leases(of: server.pid) == 0 {
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    if try await story.leases(of: server.pid) > 0, made.count >= 3 { return made }
                }
                Issue.record("the second server never had any work")
                return made
            }
            #expect(status == (signal == SIGKILL ? 128 + Int(SIGKILL) : 0))
            for ids in made {
                #expect(try await story.ended(ids.operation) == "completed")
                _ = try await story.instance(ids.instance, becomes: "running")
                try await story.expectOneOfEverything(ids, billingKey: dev.key("billing"))
            }
            #expect(try await story.repeatedSteps() == [])
        }
    }
}
