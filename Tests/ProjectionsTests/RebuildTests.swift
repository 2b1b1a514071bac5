import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Synchronization
import Testing

@testable import Projections

@Suite("Rebuilding a read model")
struct RebuildTests {
    static let deed = ProjectionDeed(actor: "operator-1", reason: "a test", command: UniqueID(77))

    @Test("at any prefix, with any number of workers, whatever is interrupted, the bytes are those of the live build")
    func equivalence() async throws {
        let story = try Story.whole(3)
        let end = Int64(story.events.count)
        try await Stage.with { stage in
            try await stage.append(story.events)
            try await stage.runner("a").prepare()
            let prefixes = [0, 1, end] + (0..<4).map { _ in Int64.random(in: 2..<end) }
            for prefix in prefixes.sorted() {
                for projection in Registry.all {
                    let order = RebuildOrder(until: prefix, parallel: .random(in: 1...16))
                    let every = prefix == end ? Int.max : .random(in: 4...9)
                    let (stretch, most) = (Int.random(in: 1...12), Int.random(in: 0...20))
                    let settings = RebuildSettings(stretch: stretch, mostRows: most, flushEvery: .zero)
                    let found = try await stage.rebuilt(projection, order, settings, Faults(every: every))
                    try await stage.feed(projection, through: prefix)
                    let wanted = try await stage.bytes(Build(name: projection.name, shape: projection.shape, number: 1))
                    let how: Comment = "\(projection.name) at \(prefix): \(order), \(settings), faults \(every)"
                    #expect(found == wanted, how)
                    #expect(prefix < end || !wanted.isEmpty, "\(projection.name) has no rows")
                }
            }
        }
    }

    @Test("while it is read and written without a pause, a rebuild switches and is rolled back, and nobody notices")
    func unnoticed() async throws {
        let story = try Story.crowd(6)
        try await Stage.showing(story, pageLimit: 50) { stage, desk in
            let reads = Bell()
            try await withThrowingTaskGroup { group in
                group.addTask { try await stage.appendForEver() }
                for _ in 0..<3 { group.addTask { try await stage.readForEver(reads) } }
                _ = try await desk.rebuild("instances", RebuildOrder(switches: false), by: Self.deed)
                try await stage.reach(.ready, of: desk)
                let verdict = try #require(try await desk.newest("instances").verdict)
                #expect(verdict.isEqual && verdict.rows >= 6)
                // From here on each answer says which build it is from.
                try await stage.mark(Build(name: "instances", shape: 1, number: 2), "second")
                for build in [2, 1, 2] {
                    let heard = reads.count
                    try await eventually { reads.count > heard + 20 }
                    let shown =
                        build == 1
                        ? try await desk.rollBack("instances", by: Self.deed)
                        : try await desk.show("instances", build: 2, acceptingDifferences: false, by: Self.deed)
                    #expect(shown == build)
                    let after = reads.count
                    try await eventually { reads.count > after + 20 }
                    let names = Set(try await stage.rows(of: Instances.self).values.map(\.name))
                    #expect(names.contains("second") == (build == 2))
                }
                group.cancelAll()
            }
            // The build that was left is as warm as the other.
            let states = try await stage.readModels.projections().filter { $0.name == "instances" }
            #expect(states.map(\.build) == [1, 2] && states.map(\.live) == [false, true])
            try await eventually {
                try await stage.readModels.projections().allSatisfy { $0.lag == 0 }
            }
        }
    }

    @Test("a build that is not what is shown is told apart, and shown only when somebody says so")
    func unequal() async throws {
        let story = try Story.crowd(3)
        try await Stage.showing(story) { stage, desk in
            try await stage.mark(Build(name: "instances", shape: 1, number: 1), "tampered")
            _ = try await desk.rebuild("instances", RebuildOrder(), by: Self.deed)
            try await stage.reach(.unequal, of: desk)
            let verdict = try #require(try await desk.newest("instances").verdict)
            #expect(verdict.rows == 3 && verdict.liveRows == 3 && !verdict.isEqual)
            #expect(verdict.differing.sorted() == ["501", "502", "503"])
            await #expect(throws: RebuildError.self) {
                try await desk.show("instances", build: nil, acceptingDifferences: false, by: Self.deed)
            }
            #expect(try await stage.rows(of: Instances.self)["501"]?.name == "tampered")
            let shown = try await desk.show("instances", build: nil, acceptingDifferences: true, by: Self.deed)
            #expect(shown == 2)
            #expect(try await stage.rows(of: Instances.self)["501"]?.name == "main")
        }
    }

    @Test("a dry run leaves nothing but its verdict, and a third build lets the first one go")
    func leftovers() async throws {
        let story = try Story.crowd(2)
        try await Stage.showing(story) { stage, desk in
            _ = try await desk.rebuild("instances", RebuildOrder(isDry: true), by: Self.deed)
            try await stage.reach(.done, of: desk)
            #expect(try await desk.newest("instances").verdict?.isEqual == true)
            try await eventually { try await stage.builds("instances") == [1] }
            for _ in 0..<2 {
                _ = try await desk.rebuild("instances", RebuildOrder(), by: Self.deed)
                try await stage.reach(.done, of: desk)
            }
            try await eventually { try await stage.builds("instances") == [3, 4] }
            #expect(try await stage.matches(story, but: [AuditLog.name]))
            // The work of what is gone is not leased for ever.
            try await eventually {
                try await stage.pool.with { connection throws(PostgresError) in
                    try connection.run(
                        "SELECT FROM log.work WHERE kind = 'projection.instances.v1' AND status = 'superseded'"
                    ).count
                } == 4
            }
        }
    }

    @Test("a rebuild up to a time folds what was recorded by then, and neither the future nor two ends are taken")
    func asOf() async throws {
        let story = try Story.crowd(2)
        try await Stage.showing(story) { stage, desk in
            let events = try await stage.log.read(after: 0, through: nil, matching: .everything, limit: 500).events
            let time = events[events.count / 2].recordedAt
            let end = try #require(events.last { $0.recordedAt <= time }).position
            await #expect(throws: RebuildError.twoEnds) {
                try await desk.rebuild("instances", RebuildOrder(until: 1, asOf: time), by: Self.deed)
            }
            await #expect(throws: RebuildError.future) {
                let order = RebuildOrder(asOf: Timestamp(microseconds: .max / 2))
                return try await desk.rebuild("instances", order, by: Self.deed)
            }
            #expect(try await stage.builds("instances") == [1])
            for (time, end) in [(time, end), (events[0].recordedAt + .seconds(-1), 0)] {
                _ = try await desk.rebuild("instances", RebuildOrder(asOf: time), by: Self.deed)
                try await stage.reach(.held, of: desk)
                let state = try await desk.newest("instances")
                #expect(state.goal == end)
                let found = try await stage.bytes(Build(name: "instances", shape: 1, number: state.build))
                let wanted = story.events.prefix(Int(end)).filter { $0.type == "instance.requested" }
                #expect(found.count == wanted.count)
            }
        }
    }

    @Test("a rebuild stops when it is told to, goes on where it was, and is gone when it is cancelled")
    func pause() async throws {
        let story = try Story.crowd(4)
        try await Stage.with { stage in
            let gate = Faults(every: .max)
            let runner = stage.runner("a", log: gate.wrap(stage.log), rebuild: .init(stretch: 3, flushEvery: .zero))
            let desk = ProjectionDesk(runner)
            try await stage.append(story.events)
            try await runner.prepare()
            await #expect(throws: RebuildError.self) { try await desk.pause("instances", true, by: Self.deed) }
            await #expect(throws: RebuildError.unknownProjection) {
                try await desk.rebuild("nothing", RebuildOrder(), by: Self.deed)
            }
            let end = Int64(story.events.count)
            await #expect(throws: RebuildError.beyond(end)) {
                try await desk.rebuild("instances", RebuildOrder(until: end + 1), by: Self.deed)
            }
            _ = try await desk.rebuild("instances", RebuildOrder(), by: Self.deed)
            await #expect(throws: RebuildError.self) {
                try await desk.rebuild("instances", RebuildOrder(), by: Self.deed)
            }
            #expect(try await desk.pause("instances", true, by: Self.deed).paused)
            #expect(await runner.driveRebuild())
            #expect(try await desk.newest("instances").phase == .loading)
            #expect(!(await runner.driveRebuild()))
            #expect(!(try await desk.pause("instances", false, by: Self.deed).paused))
            try await stage.feed(Instances.self, through: try await stage.log.frontier())
            #expect(await runner.driveRebuild())
            #expect(try await desk.newest("instances").phase == .done)
            #expect(try await stage.builds("instances") == [1, 2])

            _ = try await desk.rebuild("instances", RebuildOrder(), by: Self.deed)
            try await desk.cancel("instances", build: nil, by: Self.deed)
            #expect(try await desk.newest("instances").phase == .cancelled)
            #expect(try await stage.builds("instances") == [1, 2])
            _ = await runner.driveRebuild()
            #expect(!(await runner.driveRebuild()))
            await #expect(throws: RebuildError.self) {
                try await desk.cancel("instances", build: 2, by: Self.deed)
            }
            // Who did what is in the log.
            let stream = try #require(StreamName(PlatformEvent.projectionStream))
            let deeds = try await stage.log.read(stream, after: 0, limit: 20)
            let verbs = try deeds.map { try JSON.decode(JSONValue.self, from: $0.payload ?? [])["verb"]?.string }
            #expect(verbs == ["rebuild", "pause", "resume", "rebuild", "cancel", "cancel"])
        }
    }

    @Test("who was overtaken writes nothing into a build")
    func fenced() async throws {
        let story = try Story.crowd(1)
        try await Stage.with { stage in
            try await stage.append(story.events)
            try await stage.runner("a").prepare()
            let row = StoredRow(key: "1", position: 1, document: #"{"id":"1"}"#)
            let outcome = try await stage.pool.with { connection throws(PostgresError) -> [Bool] in
                guard let build = try connection.openRebuild(of: Instances.self, RebuildOrder(), goal: 3, slices: 4)
                else {
                    return []
                }
                var outcome: [Bool] = []
                outcome.append(try connection.adoptRebuild(build, fence: 4) != nil)
                outcome.append(try connection.adoptRebuild(build, fence: 5) != nil)
                outcome.append(try connection.adoptRebuild(build, fence: 4) != nil)
                outcome.append(try connection.write([row], into: build, fence: 4, from: 0))
                outcome.append(try connection.write([row], into: build, fence: 5, from: 1))
                outcome.append(try connection.run("SELECT FROM \(identifier: build.schema).record").count == 0)
                outcome.append(try connection.write([row], into: build, fence: 5, from: 0))
                return outcome
            }
            #expect(outcome == [true, true, false, false, false, true, true])
        }
    }
}

extension Connection {
    fileprivate func write(
        _ rows: [StoredRow],
        into build: Build,
        fence: Int64,
        from position: Int64
    ) throws(PostgresError) -> Bool {
        try flush(
            rows,
            gone: [],
            poisoned: [],
            into: build,
            fence: fence,
            from: position,
            to: 2,
            isFirst: false
        )
    }
}
