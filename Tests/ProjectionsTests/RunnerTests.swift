import Domain
import EventStore
import Kernel
import Logging
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("Feeding the read models")
struct RunnerTests {
    @Test("the rows are the same whoever feeds them, however often they take over and lose their connections")
    func takeovers() async throws {
        let story = try Story.crowd(12)
        let end = Int64(story.events.count)
        try await Stage.with { stage in
            try await withThrowingTaskGroup { group in
                group.addTask { try await stage.append(story.events) }
                for turn in 0..<6 {
                    let name = "runner-\(turn)"
                    let before = try? await stage.readModels.position()
                    try await stage.running(stage.runner(name, lease: .seconds(1), pageLimit: 7)) {
                        try await eventually(within: .seconds(20)) {
                            let position = try? await stage.readModels.position()
                            return (position ?? 0) >= min(end, (before ?? 0) + end / 6)
                        }
                        let superuser = try await Connection.open(stage.database.superuser)
                        try await superuser.run(
                            """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                             WHERE datname = current_database() AND application_name = 'signalbox'
                               AND pid <> pg_backend_pid()
                            """
                        )
                        await superuser.close()
                    }
                }
                try await group.waitForAll()
            }
            try await stage.running(stage.runner("last", lease: .seconds(1))) {
                try await eventually(within: .seconds(20)) { (try? await stage.readModels.position()) == end }
            }
            // The pool may still lend connections that were ended just now.
            try await eventually { (try? await stage.matches(story)) == true }
        }
    }

    @Test("two at once share the work, and nothing is folded twice")
    func two() async throws {
        let story = try Story.crowd(8)
        try await Stage.with { stage in
            try await stage.running(stage.runner("a", pageLimit: 5)) {
                try await stage.running(stage.runner("b", pageLimit: 5)) {
                    try await stage.append(story.events)
                    try await stage.readModels.wait(for: Int64(story.events.count), timeout: .seconds(20))
                    #expect(try await stage.matches(story))
                }
            }
        }
    }

    @Test("who stops in good order leaves its slices to the next one at once")
    func handover() async throws {
        try await Stage.with { stage in
            var story = Story()
            try story.onboard()
            // Far longer than this test may last: only giving the lease back helps.
            try await stage.running(stage.runner("a", lease: .seconds(600))) {
                try await stage.append(story.events)
                try await stage.readModels.wait(for: 3, timeout: .seconds(10))
            }
            let before = story.events.count
            try story.provision(cause: 3)
            try await stage.append(story.events.dropFirst(before))
            try await stage.running(stage.runner("b", lease: .seconds(600))) {
                try await stage.readModels.wait(for: Int64(story.events.count), timeout: .seconds(10))
            }
            #expect(try await stage.matches(story))
        }
    }

    @Test("who was overtaken, or is not where it believes, writes nothing")
    func fenced() async throws {
        try await Stage.with { stage in
            try await stage.runner("a").prepare()
            var story = Story()
            try story.onboard()
            let page = EventPage(events: story.events, scannedFrom: 1, scannedTo: 3)
            let build = Build(name: "instances", shape: 1, number: 1)
            func adopt(_ fence: Int64) async throws -> HeldSlices {
                try await stage.pool.with { connection throws(PostgresError) in
                    try connection.adopt(build, [0: fence, 1: fence, 2: fence, 3: fence])
                }
            }
            func feed(_ slices: HeldSlices) async throws -> Fed {
                try await stage.pool.with { connection throws(PostgresError) in
                    try connection.feed(Instances.self, slices, page)
                }
            }
            let old = try await adopt(4)
            let new = try await adopt(5)
            #expect(old.positions.count == 4 && new.positions.count == 4 && new.count == 4)
            #expect(try await adopt(4).positions.isEmpty)
            #expect(try await feed(old) == .lost)
            var elsewhere = new
            elsewhere.move(to: 1)
            #expect(try await feed(elsewhere) == .lost)
            // One slice of somebody else's is enough for nothing to be written.
            try await stage.pool.with { connection throws(PostgresError) in _ = try connection.adopt(build, [3: 6]) }
            #expect(try await feed(new) == .lost)
            #expect(try await stage.rows(of: Instances.self).isEmpty)
            let newest = try await adopt(7)
            #expect(newest.lowest == 0 && newest.second == nil)
            #expect(try await feed(newest) == .done(changed: 1, blocked: 0))
            #expect(try await feed(newest) == .lost)
            #expect(try await stage.rows(of: Instances.self).count == 1)
        }
    }

    @Test("an event that cannot be folded blocks its organization, is told, and the others go on")
    func poison() async throws {
        try await Stage.with { stage in
            try await stage.running(stage.runner("a")) {
                var story = Story()
                try story.onboard(42, instance: 400)
                try story.write(StreamName(category: "instance", id: 400), "instance.running", Array("{}".utf8))
                try story.onboard(43, instance: 401)
                try story.tell(InstanceEvent.stopRequested(Because(reason: "x")), of: 400)
                try await stage.append(story.events)
                try await stage.readModels.wait(for: Int64(story.events.count), timeout: .seconds(10))
                #expect(
                    try await stage.rows(of: Instances.self).mapValues(\.status) == [
                        "400": .provisioning, "401": .provisioning,
                    ]
                )
                let blocked = try await stage.readModels.projections().filter { $0.blocked > 0 }
                #expect(Set(blocked.map(\.name)) == ["instances", "instance_timeline"])
                let told = blocked.first { $0.name == "instances" }?.blockedOrganizations ?? []
                #expect(told.map(\.organizationId?.value) == [42] && told.map(\.position) == [4])
                #expect(told.first?.error?.hasPrefix("instance.running") == true)
                let (organization, position) = try await stage.pool.with { connection throws(PostgresError) in
                    try connection.run("SELECT org_id, from_position FROM rm.block WHERE name = 'instances'")
                        .decode(0, Int64.self, Int64.self)
                }
                #expect(organization == 42 && position == 4)
            }
        }
    }

    @Test("an organization that was blocked catches up once its event can be folded")
    func retry() async throws {
        try await Stage.with { stage in
            let runner = stage.runner("a")
            try await stage.running(runner) {
                var story = Story()
                try story.tell(Story.requested(), of: 400)
                try story.tell(InstanceEvent.stopRequested(Because(reason: "x")), of: 400)
                try story.tell(InstanceEvent.stopped(Nothing()), of: 400)
                try await stage.append(story.events)
                let end = Int64(story.events.count)
                try await stage.readModels.wait(for: end, timeout: .seconds(10))
                let organization: OrganizationID = Story.identifier(42)
                #expect(try await runner.retry(Instances.self, organization: organization) == .notBlocked)
                // As an older program left it, that could not read the second event.
                try await stage.pool.transaction { tx throws(PostgresError) in
                    try tx.run("INSERT INTO rm.block VALUES ('instances', 1, 1, 42, 2, 'instance.stop-requested: old')")
                    try tx.run(
                        """
                        UPDATE rm_instances_v1_b1.record
                           SET document = document || '{"status":"provisioning","version":1}'
                        """
                    )
                }
                #expect(try await runner.retry(Instances.self, organization: organization) == .unblocked)
                let row = try await stage.rows(of: Instances.self)["400"]
                #expect(row?.status == .stopped && row?.version == 3)
                #expect(try await stage.readModels.projections().allSatisfy { $0.blocked == 0 })
                // And from here on it is fed like any other.
                try story.tell(InstanceEvent.startRequested(Because(reason: "x")), of: 400)
                try await stage.append(story.events.suffix(1))
                try await stage.readModels.wait(for: end + 1, timeout: .seconds(10))
                #expect(try await stage.rows(of: Instances.self)["400"]?.status == .starting)
            }
        }
    }

    @Test("an organization whose event still cannot be folded stays blocked there")
    func retryInVain() async throws {
        try await Stage.with { stage in
            let runner = stage.runner("a")
            try await stage.running(runner) {
                var story = Story()
                try story.tell(Story.requested(), of: 400)
                let bad = try story.write(
                    StreamName(category: "instance", id: 400),
                    "instance.running",
                    Array("{}".utf8)
                )
                try await stage.append(story.events)
                try await stage.readModels.wait(for: bad, timeout: .seconds(10))
                let organization: OrganizationID = Story.identifier(42)
                #expect(try await runner.retry(Instances.self, organization: organization) == .blocked(position: bad))
                #expect(try await stage.readModels.projections().first { $0.name == "instances" }?.blocked == 1)
            }
        }
    }

    @Test("a log with a hole stops the feeding before anything is written", arguments: [2, 0] as [Int64])
    func hole(from: Int64) async throws {
        try await Stage.with { stage in
            var story = Story()
            try story.onboard()
            let page = EventPage(events: Array(story.events.dropFirst()), scannedFrom: from, scannedTo: 3)
            let asked = Bell()
            let feed: EventFeed = { _, _, _ throws(LogError) in
                asked.ring()
                return page
            }
            try await stage.running(stage.runner("a", of: [Instances.self], feed: feed)) {
                try await eventually { asked.count > 0 }
            }
            #expect(asked.count == 1)
            #expect(try await stage.rows(of: Instances.self).isEmpty)
            #expect(try await stage.readModels.position() == 0)
        }
    }

    @Test("a log that ends before the checkpoint, as after a bad restore, stops the feeding")
    func restored() async throws {
        try await Stage.with { stage in
            let (alarm, asked) = (Bell(), Bell())
            let feed: EventFeed = { position, _, _ throws(LogError) in
                asked.ring()
                return EventPage(events: [], scannedFrom: position + 1, scannedTo: position + 1)
            }
            let logger = Logger(label: "test") { _ in Alarm(bell: alarm) }
            let runner = stage.runner("a", of: [Instances.self], feed: feed, logger: logger)
            try await runner.prepare()
            try await stage.pool.with { connection throws(PostgresError) in
                _ = try connection.run("UPDATE rm.checkpoint SET position = 4")
            }
            try await stage.running(runner) {
                try await eventually { alarm.count > 0 }
            }
            #expect(asked.count == 0)
        }
    }

    @Test("many may prepare at once")
    func prepare() async throws {
        try await Stage.with { stage in
            try await withThrowingTaskGroup { group in
                for name in ["a", "b", "c", "d"] {
                    group.addTask { try await stage.runner(name).prepare() }
                }
                try await group.waitForAll()
            }
            #expect(try await stage.readModels.projections().count == Registry.all.count)
        }
    }

    @Test("the read models belong to their own role, and the log is not theirs to write")
    func roles() async throws {
        try await Stage.with { stage in
            try await stage.runner("a").prepare()
            let owners = try await stage.pool.with { connection throws(PostgresError) in
                try connection.run(
                    "SELECT DISTINCT nspowner::regrole::text FROM pg_namespace WHERE nspname ^@ 'rm'"
                ).column(String.self)
            }
            #expect(owners == ["signalbox_project"])
            await #expect(throws: PostgresError.self) {
                try await stage.pool.with { connection throws(PostgresError) in
                    _ = try connection.run("DELETE FROM log.event")
                }
            }
        }
    }
}
