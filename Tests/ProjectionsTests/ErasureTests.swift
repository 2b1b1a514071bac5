import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("Read models of a log that was made to forget")
struct ErasureTests {
    @Test("no row says any more what an erased payload said, and nobody is blocked by what is missing")
    func forgets() async throws {
        var story = Story()
        try story.onboard(1, instance: 501, owner: 1)
        try story.provision(cause: Int64(story.events.count), instance: 501, org: 1)
        try story.onboard(2, instance: 502, owner: 2)
        let created = try #require(story.events.first { $0.type == "organization.created" })
        let requested = try #require(story.events.first { $0.type == "instance.requested" })
        try await Stage.with { stage in
            try await stage.running(stage.runner("a", pageLimit: 5)) {
                try await stage.append(story.events)
                try await stage.readModels.wait(for: Int64(story.events.count), timeout: .seconds(20))
                let before = try await stage.rows(of: Timeline.self)
                #expect(before[String(requested.position)] != nil)
                _ = try await stage.erase(created.position)
                let end = try await stage.erase(requested.position)
                try await stage.readModels.wait(for: end, timeout: .seconds(20))

                #expect(try await stage.rows(of: Organizations.self).keys.sorted() == ["2"])
                #expect(try await stage.rows(of: Members.self).keys.sorted() == ["2.2"])
                let timeline = try await stage.rows(of: Timeline.self)
                #expect(timeline.count == before.count - 1)
                #expect(timeline[String(requested.position)] == nil)
                #expect(try await stage.rows(of: Instances.self).keys.sorted() == ["502"])
                #expect(try await stage.readModels.projections().map(\.blocked).allSatisfy { $0 == 0 })
            }
            // Whoever folds from the beginning comes to the same.
            let rows = try await stage.rows(of: Timeline.self)
            try await stage.pool.with { connection throws(PostgresError) in
                _ = try connection.run("UPDATE rm.checkpoint SET position = 0 WHERE name = 'instance_timeline'")
                _ = try connection.run("DELETE FROM rm_instance_timeline_v1_b1.record")
            }
            try await stage.running(stage.runner("b", pageLimit: 5)) {
                try await eventually { try await stage.rows(of: Timeline.self) == rows }
            }
        }
    }

    @Test("a log in which something was erased long ago is rebuilt in one go, stretch by stretch")
    func longAgo() async throws {
        let story = try Story.crowd(3)
        let end = Int64(story.events.count)
        let created = try #require(story.events.first { $0.type == "organization.created" })
        try await Stage.with { stage in
            try await stage.append(story.events)
            let record = try await stage.erase(created.position)
            try await stage.runner("a").prepare()
            for parallel in 1...2 {
                let order = RebuildOrder(until: record, parallel: parallel)
                let settings = RebuildSettings(stretch: 3, mostRows: 2, flushEvery: .zero)
                let faults = Faults(every: parallel == 1 ? .max : 5)
                let found = try await stage.rebuilt(Organizations.self, order, settings, faults)
                #expect(found.count == 2 && record > end)
            }
        }
    }

    @Test("what is shown stays while it is folded anew, and what a dead process left is no obstacle")
    func beside() async throws {
        var story = Story()
        try story.onboard(1, instance: 501, owner: 1)
        try await Stage.with { stage in
            try await stage.running(stage.runner("a", of: [Organizations.self])) {
                try await stage.append(story.events)
                try await eventually { try await stage.rows(of: Organizations.self).count == 1 }
            }
            let build = Build(name: Organizations.name, shape: Organizations.shape, number: 1)
            try await stage.pool.with { connection throws(PostgresError) in
                _ = try connection.adopt(build, [0: 7])
                _ = try connection.beginAnew(Organizations.self, build, fence: 7)
                // Somebody died here; the next one begins again.
                _ = try connection.beginAnew(Organizations.self, build, fence: 7)
            }
            #expect(try await stage.rows(of: Organizations.self).count == 1)
            await #expect(throws: PostgresError.overtaken) {
                try await stage.pool.with { connection throws(PostgresError) in
                    try connection.replace(Organizations.self, build, fence: 6, to: 1, poisoned: [], skipped: [])
                }
            }
            #expect(try await stage.rows(of: Organizations.self).count == 1)
        }
    }
}
