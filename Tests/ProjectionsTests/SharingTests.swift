import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("Processes that share the slices")
struct SharingTests {
    private let build = Build(name: Counts.name, shape: Counts.shape, number: 1)

    /// Who holds how many slices of a kind.
    private func owners(_ projection: any Projection.Type, in stage: Stage) async throws -> [String: Int] {
        let kind = projection.workKind
        let rows = try await stage.pool.with { connection throws(PostgresError) in
            try connection.run(
                """
                SELECT owner, count(*) FROM log.work
                 WHERE kind = \(kind) AND lease_until > clock_timestamp() GROUP BY owner
                """
            ).all(String.self, Int.self)
        }
        return Dictionary(rows) { first, _ in first }
    }

    @Test("whatever is erased while two feed and somebody appends, every event that is left counts once")
    func erasing() async throws {
        let story = try Story.crowd(20)
        let wanted = story.events.filter { Counts.reads.contains($0.type) }
        try await Stage.with { stage in
            func runner(_ name: String) -> ProjectionRunner {
                stage.runner(name, of: [Counts.self, Total.self], lease: .seconds(1), pageLimit: 5)
            }
            try await stage.running(runner("a")) {
                try await stage.running(runner("b")) {
                    try await eventually { try await owners(Counts.self, in: stage) == ["a": 2, "b": 2] }
                    let models: [any Projection.Type] = [Counts.self, Total.self]
                    func check() async throws {
                        let end = try await stage.log.frontier()
                        try await stage.readModels.wait(for: end, timeout: .seconds(30), models: models)
                        let counts = try await stage.counts()
                        #expect(try await stage.counted() == counts)
                        // Rows that many organizations make belong to one slice.
                        let total = try await stage.rows(of: Total.self)["all"]?.count
                        #expect(total == counts.values.reduce(0, +))
                    }
                    try await stage.append(story.events)
                    try await check()
                    try await withThrowingTaskGroup { group in
                        group.addTask {
                            for id in 1...60 { try await stage.appendInstance(20_000 + Int64(id)) }
                        }
                        for event in stride(from: 0, to: wanted.count, by: wanted.count / 4).map({ wanted[$0] }) {
                            try await stage.erase(event.position)
                        }
                        try await group.waitForAll()
                    }
                    try await check()
                }
            }
        }
    }

    @Test("a process that knows other read models too starves none")
    func kinds() async throws {
        let story = try Story.crowd(4)
        let end = Int64(story.events.count)
        try await Stage.with { stage in
            try await stage.append(story.events)
            let old = stage.runner("old", of: [Instances.self], lease: .seconds(1))
            let new = stage.runner("new", of: [Instances.self, Counts.self], lease: .seconds(1))
            try await stage.running(old) {
                try await stage.running(new) {
                    let models: [any Projection.Type] = [Instances.self, Counts.self]
                    try await stage.readModels.wait(for: end, timeout: .seconds(20), models: models)
                    try await eventually {
                        let shared = try await owners(Instances.self, in: stage)
                        let alone = try await owners(Counts.self, in: stage)
                        return shared == ["old": 2, "new": 2] && alone == ["new": 4]
                    }
                }
            }
        }
    }

    @Test("leases are held however long it takes to see who else feeds")
    func steady() async throws {
        try await Stage.with { stage in
            try await stage.running(stage.runner("a", of: [Counts.self], lease: .seconds(1))) {
                try await eventually { try await owners(Counts.self, in: stage) == ["a": 4] }
                let blocker = try await Connection.open(stage.database.superuser)
                try await blocker.script("BEGIN; LOCK TABLE rm.feeder IN ACCESS EXCLUSIVE MODE")
                func until() async throws -> [Timestamp] {
                    try await stage.pool.with { connection throws(PostgresError) in
                        try connection.run(
                            "SELECT lease_until FROM log.work WHERE kind = 'projection.rollouts.v1' ORDER BY stream_id"
                        ).column(Timestamp.self)
                    }
                }
                for _ in 0..<4 {
                    let before = try await until()
                    try await eventually { zip(before, try await until()).allSatisfy { $0 < $1 } }
                }
                await blocker.close()
            }
        }
    }

    @Test("a rebuild that has ended is nobody's, and takes no slice from those who feed what came of it")
    func adopted() async throws {
        try await Stage.with { stage in
            try await stage.runner("a", of: [Counts.self]).prepare()
            let rebuilt = try await stage.pool.with { connection throws(PostgresError) in
                try connection.openRebuild(of: Counts.self, RebuildOrder(), goal: 1, slices: 4)
            }
            let build = try #require(rebuilt)
            let outcome = try await stage.pool.with { connection throws(PostgresError) -> [Bool] in
                var outcome = [try connection.adoptRebuild(build, fence: 40) != nil]
                try connection.end(build, as: .done)
                outcome.append(try connection.adoptRebuild(build, fence: 41) != nil)
                outcome.append(try connection.adopt(build, [0: 1, 1: 1, 2: 1, 3: 1]).areAll)
                return outcome
            }
            #expect(outcome == [true, false, true])
        }
    }

    @Test("the first build has as many slices as it should, also when a rebuild is what makes it")
    func count() async throws {
        try await Stage.with { stage in
            let runner = stage.runner("a", of: [Counts.self], slices: 3)
            _ = try await ProjectionDesk(runner).rebuild("rollouts", RebuildOrder(), by: RebuildTests.deed)
            #expect(try await stage.positions(build).count == 3)
        }
    }

    @Test("an answer of two read models, one of which was never made, reflects nothing")
    func unmade() async throws {
        try await Stage.counting(crowd: 1) { stage, _ in
            try await stage.feed(Counts.self, through: 3)
            #expect(try await stage.readModels.position(of: [Counts.self]) == 3)
            #expect(try await stage.readModels.position(of: [Counts.self, Instances.self]) == 0)
        }
    }
}
