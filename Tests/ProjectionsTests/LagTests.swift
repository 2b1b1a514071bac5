import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("How far read models are behind")
struct LagTests {
    @Test("a slice that nobody feeds falls behind event by event, and has nothing to say once it was fed")
    func lag() async throws {
        var story = Story()
        try story.onboard(7, instance: 507, owner: 7)
        let events = story.events
        try await Stage.with { stage in
            let runner = stage.runner("me")
            try await runner.prepare()
            func lags() async throws -> [SliceLag] {
                try await stage.pool.with { connection throws(PostgresError) in try connection.lags() }
            }
            let names = Set(Registry.all.map { $0.name })
            let fresh = try await lags()
            #expect(Set(fresh.map(\.projection)) == names)
            #expect(fresh.allSatisfy { $0.events == 0 && $0.seconds == 0 })
            #expect(fresh.count == 4 * names.count && Set(fresh.map(\.slice)) == [0, 1, 2, 3])

            try await stage.append(events)
            let behind = try await lags()
            #expect(behind.allSatisfy { $0.events == events.count && $0.seconds > 0 })

            try await stage.running(runner) {
                try await eventually { try await lags().allSatisfy { $0.events == 0 && $0.seconds == 0 } }
            }
        }
    }
}
