import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("Slices of a build that are at different positions")
struct SlicesTests {
    private let build = Build(name: Counts.name, shape: Counts.shape, number: 1)

    /// A build to be caught up, with indexes, at the beginning of the log.
    private func opened(in stage: Stage) async throws -> Build {
        let opened = try await stage.pool.with { connection throws(PostgresError) -> Build? in
            let build = try connection.openRebuild(of: Counts.self, RebuildOrder(), goal: 1, slices: 4)
            guard let build, try connection.adoptRebuild(build, fence: 1) != nil else { return nil }
            return try connection.index(Counts.self, build, fence: 1) ? build : nil
        }
        return try #require(opened)
    }

    private func catchUp(_ build: Build, _ page: EventPage, in stage: Stage) async throws -> Leveling {
        try await stage.pool.with { connection throws(PostgresError) in
            try connection.catchUp(Counts.self, build, with: page, fence: 1)
        }
    }

    private func verify(
        _ build: Build,
        in stage: Stage
    ) async throws -> (leveling: Leveling, verdict: RebuildState.Verdict?) {
        try await stage.pool.with { connection throws(PostgresError) in
            try connection.verify(Counts.self, build, fence: 1)
        }
    }

    private func exchange(_ build: Build, fence: Int64?, in stage: Stage) async throws -> Leveling {
        try await stage.pool.with { connection throws(PostgresError) in
            try connection.exchange(Counts.self, for: build, fence: fence)
        }
    }

    @Test("fed by different holders, each in its own time, the rows are those of the log")
    func apart() async throws {
        try await Stage.counting(crowd: 12) { stage, story in
            let end = Int64(story.events.count)
            try await stage.feed(Counts.self, slices: [1, 3], through: end / 2)
            let half = try await stage.counted()
            let mine = Set(half.keys.compactMap { Int64($0) }.map { Slicing.slice(of: $0, among: 4) })
            #expect(!half.isEmpty && mine.isSubset(of: [1, 3]), "rows of a slice that somebody else feeds")
            try await stage.feed(Counts.self, slices: [0], through: end - 3)
            try await stage.feed(Counts.self, slices: [2], through: end)
            try await stage.feed(Counts.self, through: end)
            #expect(try await stage.counted() == stage.counts())
        }
    }

    @Test("a rebuild that was brought level with them folds nothing twice as it catches up, and begins again whole")
    func catchingUp() async throws {
        try await Stage.counting(crowd: 12) { stage, story in
            let end = Int64(story.events.count)
            let (near, far) = (end / 6, end - 4)
            try await stage.feed(Counts.self, slices: [0, 1], through: near)
            try await stage.feed(Counts.self, slices: [2, 3], through: far)
            let rebuilt = try await opened(in: stage)
            #expect(try await verify(rebuilt, in: stage).verdict?.isEqual == true)
            #expect(try await stage.positions(rebuilt) == [near, near, far, far])

            let page = try await stage.page(Counts.self, after: near)
            #expect(try await catchUp(rebuilt, page, in: stage) == .done)
            try await stage.feed(Counts.self, through: end)
            #expect(try await stage.bytes(rebuilt) == stage.bytes(build))
            #expect(try await stage.counted() == stage.counts())
            // The same page again is nobody's any more.
            #expect(try await catchUp(rebuilt, page, in: stage) == .lost)

            try await stage.pool.with { connection throws(PostgresError) in
                _ = try connection.run("UPDATE rm.checkpoint SET position = 7 WHERE build = 2 AND slice = 3")
                try connection.transaction { tx throws(PostgresError) in try tx.restart(Counts.self, rebuilt, fence: 1)
                }
            }
            #expect(try await stage.positions(rebuilt) == [0, 0, 0, 0])
            #expect(try await stage.bytes(rebuilt).isEmpty)
        }
    }

    @Test("a build that is switched to is at the positions of the one before, slice by slice")
    func exchange() async throws {
        try await Stage.counting(crowd: 12) { stage, story in
            let end = Int64(story.events.count)
            try await stage.feed(Counts.self, slices: [0, 1], through: end / 3)
            let rebuilt = try await opened(in: stage)
            #expect(try await verify(rebuilt, in: stage).verdict?.isEqual == true)
            try await stage.feed(Counts.self, slices: [1, 2], through: end / 2)
            #expect(try await exchange(rebuilt, fence: 1, in: stage) == .done)
            #expect(try await stage.positions(rebuilt) == [end / 3, end / 2, end / 2, 0])
            #expect(try await stage.bytes(rebuilt) == stage.bytes(build))
        }
    }

    @Test("what one slice folded in clear is not overlooked because another had not got there")
    func leveled() async throws {
        try await Stage.counting(crowd: 12) { stage, story in
            let end = Int64(story.events.count)
            let late = try #require(story.events.last { Counts.reads.contains($0.type) })
            let slice = Slicing.slice(of: late.organization?.value ?? 0, among: 4)
            let rebuilt = try await opened(in: stage)
            try await stage.feed(Counts.self, slices: [slice], through: end)
            #expect(try await verify(rebuilt, in: stage).leveling == .done)
            let record = try await stage.erase(late.position)
            let others = (0..<4).filter { $0 != slice }
            try await stage.feed(Counts.self, slices: others, through: record)
            #expect(try await verify(rebuilt, in: stage).leveling == .forgets)
            let page = try await stage.page(Counts.self, after: 0)
            #expect(try await catchUp(rebuilt, page, in: stage) == .forgets)
        }
    }

    @Test("a page that was read before an erasure is not written after it")
    func stale() async throws {
        try await Stage.counting(crowd: 4) { stage, story in
            let end = Int64(story.events.count)
            let late = try #require(story.events.last { Counts.reads.contains($0.type) })
            let slice = Slicing.slice(of: late.organization?.value ?? 0, among: 4)
            let page = try await stage.page(Counts.self, after: 0, through: end)
            try await stage.erase(late.position)
            let fed = try await stage.pool.with { connection throws(PostgresError) in
                try connection.feed(Counts.self, try connection.adopt(build, [slice: 1]), page)
            }
            #expect(fed == .lost)
            #expect(try await stage.positions(build) == [0, 0, 0, 0])
            #expect(try await stage.counted().isEmpty)
        }
    }

    @Test("only the holder of the first slice folds anew, and the newest")
    func anewOnce() async throws {
        try await Stage.counting(crowd: 4) { stage, story in
            let page = try await stage.page(Counts.self, after: 0)
            try await stage.pool.with { connection throws(PostgresError) in
                _ = try connection.adopt(build, [0: 7])
                _ = try connection.beginAnew(Counts.self, build, fence: 7)
                // The process was too slow, and its successor begins.
                _ = try connection.adopt(build, [0: 8])
                _ = try connection.beginAnew(Counts.self, build, fence: 8)
            }
            await #expect(throws: PostgresError.overtaken) {
                try await stage.pool.with { connection throws(PostgresError) in
                    try connection.foldAnew(Counts.self, page.events, beside: build, fence: 7, passing: Passed())
                }
            }
            #expect(try await stage.bytes(build.anew).isEmpty)
            await #expect(throws: PostgresError.overtaken) {
                try await stage.pool.with { connection throws(PostgresError) in
                    try connection.replace(Counts.self, build, fence: 7, to: 9, poisoned: [], skipped: [])
                }
            }
        }
    }

    @Test("what was folded anew takes its place however far the others got meanwhile, but not with what was erased")
    func anewBehind() async throws {
        try await Stage.counting(crowd: 12) { stage, story in
            let end = Int64(story.events.count)
            func replace() async throws -> Replacement {
                let page = try await stage.page(Counts.self, after: 0, through: end / 2)
                return try await stage.pool.with { connection throws(PostgresError) in
                    _ = try connection.adopt(build, [0: 7])
                    _ = try connection.beginAnew(Counts.self, build, fence: 7)
                    _ = try connection.foldAnew(
                        Counts.self,
                        page.events,
                        beside: build,
                        fence: 7,
                        passing: Passed()
                    )
                    return try connection.replace(
                        Counts.self,
                        build,
                        fence: 7,
                        to: end / 2,
                        poisoned: [],
                        skipped: []
                    )
                }
            }
            try await stage.feed(Counts.self, slices: [1, 2], through: end - 4)
            try await stage.feed(Counts.self, slices: [0, 3], through: end / 4)
            #expect(try await replace() == .done)
            #expect(try await stage.positions(build) == [end - 4, end - 4, end - 4, end - 4])
            let page = try await stage.page(Counts.self, after: end - 4, through: end)
            let fed = try await stage.pool.with { connection throws(PostgresError) in
                let fences: [Int: Int64] = [0: 8, 1: 8, 2: 8, 3: 8]
                return try connection.feed(Counts.self, try connection.adopt(build, fences), page)
            }
            #expect(fed != .lost)
            #expect(try await stage.counted() == stage.counts())
            // Erased while it was folded: read in clear, and the record is beyond.
            let early = try #require(story.events.first { Counts.reads.contains($0.type) })
            let record = try await stage.erase(early.position)
            try await stage.pool.with { connection throws(PostgresError) in
                _ = try connection.run("UPDATE rm.checkpoint SET position = \(record), fence = 1")
            }
            #expect(try await replace() == .stale)
        }
    }

    @Test("whoever feeds a long page is waited for, so that a switch is had under any load")
    func patient() async throws {
        try await Stage.counting(crowd: 4) { stage, _ in
            let rebuilt = try await opened(in: stage)
            let feeder = try await Connection.open(stage.database.superuser)
            try await feeder.script("BEGIN; SELECT FROM rm.checkpoint WHERE build = 1 FOR UPDATE")
            let onlooker = try await Connection.open(stage.database.superuser)
            async let leveling = exchange(rebuilt, fence: 1, in: stage)
            // For longer than readers may be kept.
            try await eventually {
                try await onlooker.run(
                    """
                    SELECT FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'
                       AND clock_timestamp() - query_start > interval '400 milliseconds'
                    """
                ).count == 1
            }
            try await feeder.script("ROLLBACK")
            #expect(try await leveling == .done)
            await feeder.close()
            await onlooker.close()
        }
    }

    @Test("a build from before there were slices is divided by a rebuild, and can be gone back to wherever they are")
    func divided() async throws {
        try await Stage.counting(crowd: 12, slices: 1) { stage, story in
            let end = Int64(story.events.count)
            try await stage.feed(Counts.self, through: end / 3)
            let rebuilt = try await opened(in: stage)
            #expect(try await stage.positions(build).count == 1)
            #expect(try await stage.positions(rebuilt).count == 4)
            #expect(try await verify(rebuilt, in: stage).verdict?.isEqual == true)
            try await stage.feed(Counts.self, through: end / 2)
            #expect(try await exchange(rebuilt, fence: 1, in: stage) == .done)
            #expect(try await stage.positions(rebuilt) == [end / 2, end / 2, end / 2, end / 2])
            #expect(try await stage.bytes(rebuilt) == stage.bytes(build))

            try await stage.feed(Counts.self, of: rebuilt, slices: [1, 3], through: end - 3)
            #expect(try await exchange(build, fence: nil, in: stage) == .done)
            #expect(try await stage.positions(build) == [end - 3])
            #expect(try await stage.positions(rebuilt) == [end - 3, end - 3, end - 3, end - 3])
            #expect(try await stage.bytes(rebuilt) == stage.bytes(build))
            try await stage.feed(Counts.self, through: end)
            #expect(try await stage.counted() == stage.counts())
        }
    }
}
