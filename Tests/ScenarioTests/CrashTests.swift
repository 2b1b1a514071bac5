import Kernel
import Testing

/// The process is killed after each append of a provisioning, and the next one finishes what it left.
@Suite("Crashes", .wholeMachine, .timeLimit(.minutes(15)))
struct CrashTests {
    /// How many appends a provisioning makes at most; more than there are never crash, and the test ends early.
    private static let most = 24

    /// Machines at once: each waits most of the time.
    private static let machines = 3

    @Test("whichever append is the last before kill -9, the next start ends with one of everything")
    func everyAppend() async throws {
        let crashes = try await withThrowingTaskGroup(of: Int.self) { group in
            for first in 1...Self.machines {
                group.addTask { try await crash(after: stride(from: first, through: Self.most, by: Self.machines)) }
            }
            return try await group.reduce(0, +)
        }
        #expect(crashes >= 10, "only \(crashes) appends were crashed after")
    }

    /// Crashes one machine after the appends, one after the other, until a provisioning has fewer; returns how often.
    private func crash(after appends: StrideThrough<Int>) async throws -> Int {
        let dev = try DevProcess()
        defer { dev.remove() }
        var crashes = 0
        for append in appends {
            let slug = "crash-\(append)"
            let (ids, crashed) = try await dev.crash(after: append, operation: \Story.Onboarded.operation) { story in
                try await story.onboard(slug)
            }
            if crashed { crashes += 1 }
            try await dev.run { running in
                let story = Story(running: running)
                #expect(try await story.ended(ids.operation) == "completed", "append \(append)")
                _ = try await story.instance(ids.instance, becomes: "running")
                _ = try await story.reached(slug)
                try await story.expectOneOfEverything(ids, billingKey: dev.key("billing"))
            }
            if !crashed { break }
        }
        #expect(dev.survivors == [])
        return crashes
    }
}
