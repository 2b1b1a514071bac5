import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("The same deed upon a read model again")
struct RepeatedDeedTests {
    private func deed(_ number: UInt128, asking hash: UInt8 = 1) -> ProjectionDeed {
        ProjectionDeed(
            actor: "operator-1",
            reason: "a test",
            command: UniqueID(9_000 + number),
            requestHash: Array(repeating: hash, count: 32)
        )
    }

    /// What stands in the log of deeds.
    private func verbs(in stage: Stage) async throws -> [String?] {
        let stream = try #require(StreamName(PlatformEvent.projectionStream))
        return try await stage.log.read(stream, after: 0, limit: 20).map { event in
            try JSON.decode(JSONValue.self, from: event.payload ?? [])["verb"]?.string
        }
    }

    private func shown(in stage: Stage) async throws -> Int? {
        try await stage.readModels.projections().first { $0.name == "instances" && $0.live }?.build
    }

    @Test("is not done again, and answered the same; something else in its place is refused")
    func again() async throws {
        let story = try Story.crowd(2)
        try await Stage.showing(story) { stage, desk in
            func twice(_ verb: ProjectionVerb, _ deed: ProjectionDeed) async throws -> ProjectionReceipt {
                let first = try await desk.act(verb, on: "instances", by: deed)
                if case .rebuild = verb { try await stage.reach(.ready, of: desk) }
                #expect(try await desk.act(verb, on: "instances", by: deed) == first)
                return first
            }
            let order = RebuildOrder(switches: false)
            let receipt = try await twice(.rebuild(order), deed(1))
            #expect(receipt.rebuild?.phase == .loading && receipt.build == 2)
            await #expect(throws: RebuildError.commandReused) {
                try await desk.act(.rebuild(order), on: "instances", by: deed(1, asking: 2))
            }
            #expect(try await twice(.show(build: nil, acceptingDifferences: false), deed(2)).build == 2)
            #expect(try await twice(.rollBack, deed(3)).build == 1)
            #expect(try await shown(in: stage) == 1)
            #expect(try await twice(.cancel(build: 2), deed(4)).build == 2)
            #expect(try await stage.builds("instances") == [1])
            #expect(try await verbs(in: stage) == ["rebuild", "switch", "rollback", "cancel"])
        }
    }

    @Test("is done to its end when nobody was answered, and to what it was about at first")
    func unanswered() async throws {
        let story = try Story.crowd(2)
        try await Stage.showing(story) { stage, desk in
            func twice(_ verb: ProjectionVerb, _ deed: ProjectionDeed) async throws {
                let first = try await desk.act(verb, on: "instances", by: deed)
                // As if the process had died just before.
                try await stage.pool.with { connection throws(PostgresError) in
                    _ = try connection.run("DELETE FROM rm.deed")
                }
                #expect(try await desk.act(verb, on: "instances", by: deed).build == first.build)
            }
            try await twice(.rebuild(RebuildOrder()), deed(1))
            try await stage.reach(.done, of: desk)
            try await twice(.rollBack, deed(2))
            #expect(try await shown(in: stage) == 1)
            try await twice(.cancel(build: 2), deed(3))
            #expect(try await stage.builds("instances") == [1])
            #expect(try await verbs(in: stage) == ["rebuild", "rollback", "cancel"])
        }
    }

    @Test("is given the build that was made for it, although it was not noted yet")
    func unnoted() async throws {
        let story = try Story.crowd(1)
        try await Stage.showing(story) { stage, desk in
            let deed = deed(1)
            let made = try await stage.pool.with { connection throws(PostgresError) in
                try connection.openRebuild(
                    of: Instances.self,
                    RebuildOrder(),
                    goal: 1,
                    slices: 4,
                    command: deed.command
                )
            }
            await #expect(throws: RebuildError.self) {
                try await desk.act(.rebuild(RebuildOrder()), on: "instances", by: self.deed(2))
            }
            let receipt = try await desk.act(.rebuild(RebuildOrder()), on: "instances", by: deed)
            #expect(receipt.build == made?.number && made?.number == 2)
            try await stage.reach(.done, of: desk)
        }
    }

    @Test("is not in the way of others when whoever asked was gone before it was noted, and does not come again")
    func abandoned() async throws {
        let story = try Story.crowd(1)
        try await Stage.showing(story) { stage, desk in
            let lost = try await stage.pool.with { connection throws(PostgresError) in
                try connection.openRebuild(of: Instances.self, RebuildOrder(), goal: 1, slices: 4, command: UniqueID(7))
            }
            #expect(lost?.number == 2)
            await desk.runner.abandonUnnoted(after: .seconds(3600))
            #expect(try await desk.newest("instances").phase == .loading)
            await desk.runner.abandonUnnoted(after: .zero)
            let state = try await desk.newest("instances")
            #expect(state.phase == .failed && state.error == "it was asked for, and never noted in the log")
            #expect(try await stage.builds("instances") == [1])

            // One that was noted is left to whoever drives it.
            #expect(
                try await desk.act(.rebuild(RebuildOrder(switches: false)), on: "instances", by: deed(1)).build == 3
            )
            await desk.runner.abandonUnnoted(after: .zero)
            try await stage.reach(.ready, of: desk)
        }
    }
}
