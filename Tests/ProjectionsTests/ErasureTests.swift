import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("Read models of a log that was made to forget")
struct ErasureTests {
    /// Erases one event's payload, as an operator would.
    private func erase(_ position: Int64, in stage: Stage) async throws -> Int64 {
        let page = try await stage.log.read(after: position - 1, through: position, matching: .everything, limit: 1)
        let event = try #require(page.events.first)
        let fact = ErasureEvent.payloadErased(
            .init(
                position: position,
                event: event.id,
                stream: event.stream.text,
                version: event.version,
                type: event.type,
                reason: "a test"
            )
        )
        let record = NewEvent(id: IDSource.system.unique(), type: fact.name.rawValue, payload: try fact.payload())
        let write = StreamWrite(
            StreamName(category: ErasureEvent.category, id: position),
            organization: event.organization,
            expecting: .none,
            events: [record]
        )
        let pool = Pool(conninfo: stage.database.application, size: 1, role: "signalbox_append")
        let appended = try await PostgresEraser(pool: pool).erase(
            Erasure(positions: [position]),
            recording: AppendRequest(
                causation: Causation(actor: "system", command: IDSource.system.unique()),
                writes: [write]
            )
        )
        await pool.close()
        return appended.lastPosition
    }

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
                _ = try await erase(created.position, in: stage)
                let end = try await erase(requested.position, in: stage)
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
                try connection.beginAnew(build)
                // Somebody died here; the next one begins again.
                try connection.beginAnew(build)
            }
            #expect(try await stage.rows(of: Organizations.self).count == 1)
            let lost = try await stage.pool.with { connection throws(PostgresError) in
                let stranger = Slice(build: build, number: 0, fence: -1)
                return try connection.replace(stranger, from: 0, to: 1, poisoned: [])
            }
            #expect(!lost)
            #expect(try await stage.rows(of: Organizations.self).count == 1)
        }
    }
}
