import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Testing

@testable import Projections

@Suite("An organization that one event blocks")
struct UnblockingTests {
    private let deed = ProjectionDeed(actor: "operator-1", reason: "a test", command: UniqueID(78))

    @Test("skipping goes on without the event in every build, is an event itself, and a rebuild skips it too")
    func skip() async throws {
        var story = Story()
        try story.tell(Story.requested(), of: 400)
        let bad = try story.write(StreamName(category: "instance", id: 400), "instance.running", Array("{}".utf8))
        try story.tell(InstanceEvent.stopRequested(Because(reason: "x")), of: 400)
        let end = Int64(story.events.count)
        let events = story.events
        try await Stage.with { stage in
            let runner = stage.runner("a", of: [Instances.self])
            let desk = ProjectionDesk(runner)
            let organization: OrganizationID = Story.identifier(42)
            try await stage.running(runner) {
                try await stage.append(events)
                try await stage.readModels.wait(for: end, timeout: .seconds(20), models: [Instances.self])
                await #expect(throws: RebuildError.self) {
                    try await desk.unblock("instances", nil, skipping: true, by: deed)
                }
                #expect(try await desk.unblock("instances", organization, skipping: false, by: deed) == bad)
                #expect(try await stage.rows(of: Instances.self)["400"]?.status == .provisioning)
                #expect(try await desk.unblock("instances", organization, skipping: true, by: deed) == nil)
                #expect(try await stage.rows(of: Instances.self)["400"]?.status == .stopping)
                await #expect(throws: RebuildError.self) {
                    try await desk.unblock("instances", organization, skipping: false, by: deed)
                }
                _ = try await desk.rebuild("instances", RebuildOrder(), by: deed)
                try await stage.reach(.done, of: desk)
                #expect(try await desk.newest("instances").verdict?.isEqual == true)
                #expect(try await stage.rows(of: Instances.self)["400"]?.status == .stopping)
            }
            let stream = try #require(StreamName(PlatformEvent.projectionStream))
            let deeds = try await stage.log.read(stream, after: 0, limit: 20)
            let skipped = try deeds.map { try JSON.decode(JSONValue.self, from: $0.payload ?? []) }
                .first { $0["verb"]?.string == "skip" }
            #expect(skipped?["position"] == .integer(bad) && skipped?["reason"]?.string == "a test")
        }
    }

    @Test("what presupposes a row that a skipped event would have made is passed over, in every build and in the past")
    func creation() async throws {
        var story = Story()
        let stream = StreamName(category: "instance", id: 400)
        let bad = try story.write(stream, "instance.requested", Array("{}".utf8))
        try story.tell(InstanceEvent.stopRequested(Because(reason: "x")), of: 400)
        try story.tell(Story.requested(), of: 401)
        let end = Int64(story.events.count)
        let events = story.events
        try await Stage.with { stage in
            let runner = stage.runner("a", of: [Instances.self], slices: 2)
            let desk = ProjectionDesk(runner)
            let organization: OrganizationID = Story.identifier(42)
            try await stage.append(events)
            try await runner.prepare()
            try await stage.feed(Instances.self, through: end)
            // What does not block it any more, or not yet, is not skipped.
            let other = try await runner.retry(Instances.self, organization: organization, skipping: bad + 1)
            #expect(other == .blocked(position: bad))
            #expect(try await stage.readModels.skipped(of: "instances") == [])
            let models = stage.readModels
            let skipped: SkippedEvents = { name throws(ReadError) in try await models.skipped(of: name) }
            let shadow = ShadowBuild(log: stage.log, skipped: skipped)
            let before = try #require(try await shadow.rows(of: "instances", at: .position(end))).value
            #expect(before.rows.isEmpty && before.blocked.map(\.position) == [bad])

            // A rebuild that met it before it was skipped has to begin again.
            let opened = try await stage.pool.with { connection throws(PostgresError) -> Build? in
                let build = try connection.openRebuild(of: Instances.self, RebuildOrder(), goal: end, slices: 2)
                guard let build, try connection.adoptRebuild(build, fence: 1) != nil else { return nil }
                return try connection.index(Instances.self, build, fence: 1) ? build : nil
            }
            let build = try #require(opened)
            func verify() async throws -> Leveling {
                try await stage.pool.with { connection throws(PostgresError) in
                    try connection.verify(Instances.self, build, fence: 1).leveling
                }
            }
            #expect(try await verify() == .done)
            #expect(try await desk.unblock("instances", organization, skipping: true, by: deed) == nil)
            #expect(try await stage.rows(of: Instances.self).keys.sorted() == ["401"])
            // Its block is the rebuilder's, not the operator's.
            let blocks = try await stage.pool.with { connection throws(PostgresError) in
                try connection.run("SELECT build FROM rm.block").column(Int.self)
            }
            #expect(blocks == [build.number])
            #expect(try await verify() == .forgets)
            let after = try #require(try await shadow.rows(of: "instances", at: .position(end))).value
            #expect(after.rows.map(\.key) == ["401"] && after.blocked.isEmpty)
            let past = PastViews(log: stage.log, skipped: skipped)
            #expect(try await past.instance(Story.identifier(400), at: .position(end)).value == nil)
        }
    }

    @Test("an organization that missed an event whose payload was erased can be tried again")
    func erased() async throws {
        var story = Story()
        try story.tell(Story.requested(), of: 401)
        let first = try story.tell(Story.requested(), of: 400)
        try story.tell(InstanceEvent.stopRequested(Because(reason: "x")), of: 400)
        let end = Int64(story.events.count)
        let events = story.events
        try await Stage.with { stage in
            let runner = stage.runner("a", of: [Instances.self])
            try await stage.append(events)
            try await runner.prepare()
            try await stage.feed(Instances.self, through: end)
            // As an older program left it, that could not read the first event of the second instance.
            try await stage.pool.transaction { tx throws(PostgresError) in
                try tx.run("INSERT INTO rm.block VALUES ('instances', 1, 1, 42, \(first), 'instance.requested: old')")
                try tx.run("DELETE FROM rm_instances_v1_b1.record WHERE key = '400'")
            }
            try await stage.erase(first)
            let organization: OrganizationID = Story.identifier(42)
            #expect(try await runner.retry(Instances.self, organization: organization) == .unblocked)
            #expect(try await stage.rows(of: Instances.self).keys.sorted() == ["401"])
        }
    }

    @Test("a list of a hundred thousand instances is paged by its index: nothing is sorted, nothing is scanned")
    func pages() async throws {
        try await Stage.with { stage in
            try await stage.runner("a", of: [Instances.self, Subscriptions.self]).prepare()
            let plans = try await stage.pool.with { connection throws(PostgresError) -> [String] in
                try connection.run(
                    """
                    INSERT INTO rm_instances_v1_b1.record (key, position, document)
                    SELECT n::text, n, jsonb_build_object('id', n::text, 'organizationId', (n % 100)::text,
                           'subscriptionId', n::text, 'status', 'running')
                      FROM generate_series(1, 100000) AS n
                    """
                )
                try connection.run(
                    """
                    INSERT INTO rm_subscriptions_v1_b1.record (key, position, document)
                    SELECT n::text, n, jsonb_build_object('id', n::text, 'organizationId', (n % 100)::text,
                           'status', 'active')
                      FROM generate_series(1, 100000) AS n
                    """
                )
                try connection.script("ANALYZE rm_instances_v1_b1.record; ANALYZE rm_subscriptions_v1_b1.record")
                var plans: [String] = []
                for (organization, after) in [(nil, 0), (nil, 90_000), (7, 0), (7, 90_000)] as [(Int64?, Int64)] {
                    let list = ReadModels.instanceList(organization, after: after, limit: 51, explained: true)
                    plans.append(try connection.run(list).column(String.self).joined(separator: "\n"))
                }
                return plans
            }
            for plan in plans {
                #expect(plan.contains("Index Scan") && !plan.contains("Sort") && !plan.contains("Seq Scan on record"))
                #expect(!plan.contains("Bitmap"), "\(plan)")
            }
            #expect(plans[2].contains("record_organization") && plans[3].contains("record_organization"))
        }
    }
}
