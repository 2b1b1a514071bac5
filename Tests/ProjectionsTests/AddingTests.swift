import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

/// docs/how-to/add-a-projection.md, done; HouseTests see to it that nothing else knows what was added.
@Suite("A read model is added")
struct AddingTests {
    @Test("by a file, an SQL file and two lines: it is fed, listed, asked, rebuilt, gone back to, and shown as it was")
    func added() async throws {
        var story = try Story.crowd(3)
        try story.tell(OrganizationEvent.renamed(.init(name: "Acme & Sons")), of: 2, org: 2)
        let end = Int64(story.events.count)
        try await Stage.with { stage in
            let runner = stage.runner("a", of: TestRegistry.all)
            let desk = ProjectionDesk(runner)
            try await stage.running(runner) {
                try await stage.append(story.events)
                try await stage.readModels.wait(for: end, timeout: .seconds(20), models: TestRegistry.all)
                #expect(try await stage.rows(of: Renames.self) == story.rows(of: Renames.self))
                let states = try await stage.readModels.projections().filter { $0.name == "renames" }
                #expect(states.map(\.live) == [true] && states.first?.slices.count == 4)
                #expect(try await named("Acme & Sons", in: stage) == ["2"])

                _ = try await desk.rebuild("renames", RebuildOrder(), by: RebuildTests.deed)
                try await stage.reach(.done, of: desk, "renames")
                #expect(try await desk.newest("renames").verdict?.rows == 3)
                #expect(try await desk.rollBack("renames", by: RebuildTests.deed) == 1)
                #expect(try await named("Acme & Sons", in: stage) == ["2"])
            }
            let shadow = ShadowBuild(log: stage.log, projections: TestRegistry.all)
            let past = try await shadow.rows(of: "renames", at: .position(end - 1))?.value.rows
            #expect(past?.map(\.key) == ["1", "2", "3"])
            #expect(past?.map { $0.row["names"] } == Array(repeating: .array(["Acme"]), count: 3))
        }
    }

    @Test("at any prefix, in pages of any size, its bytes are the same")
    func pages() throws {
        var story = try Story.crowd(2)
        try story.tell(OrganizationEvent.renamed(.init(name: "Beta")), of: 1, org: 1)
        let whole = try Story.fold(Renames.self, story.events, pages: []).documents
        for size in [1, 2, 7] {
            let pages = Array(repeating: size, count: story.events.count)
            #expect(try Story.fold(Renames.self, story.events, pages: pages).documents == whole)
        }
        #expect(whole.count == 2)
    }

    /// A query over a column of its own file.
    private func named(_ name: String, in stage: Stage) async throws -> [String] {
        try await stage.pool.with { connection throws(PostgresError) in
            try connection.run("SELECT key FROM rm.renames_v1 WHERE name = \(name)").column(String.self)
        }
    }
}
