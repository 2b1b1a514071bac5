import Domain
import EventStore
import Kernel
import Logging
import Postgres
import Projections
import SignalboxTestKit
import Synchronization
import Testing

extension Torture {
    @Suite("Read models are rebuilt while they are read and written")
    struct Rebuilding {
        /// How many appends are wanted in a second.
        private static let pace = 2000

        @Test("under constant reads and appends a rebuild is switched to and rolled back, and nobody notices")
        func unnoticed() async throws {
            let (cycles, crowd) = (Torture.size(bounded: 1, full: 10), Torture.size(bounded: 3000, full: 100_000))
            let least = Torture.size(bounded: 1000, full: 10_000)
            var verdict = Verdict("rebuild, switch and rollback of a read model, \(Self.pace) appends/s wanted")
            try await withPlane { plane in
                try await plane.fill(crowd)
                try await plane.writing(pace: Self.pace) {
                    for _ in 0..<cycles {
                        let (begun, start) = (plane.appended, ContinuousClock.now)
                        try await plane.cycle(least)
                        let count = plane.appended - begun
                        verdict.cycles += 1
                        verdict.notes.append("\(Int(Double(count) / start.duration(to: .now).seconds)) appends/s")
                        #expect(count > least)
                    }
                }
                let (rows, reads) = (try await plane.rows(), plane.reads)
                let asked = plane.appended
                verdict.events = asked
                verdict.acknowledged = asked
                for count in rows {
                    verdict.lost += max(0, asked - count)
                    verdict.duplicated += max(0, count - asked)
                }
                verdict.notes.append("\(reads.count) reads, \(reads.failed) failed, \(reads.mixed) of two builds")
                #expect(rows.count == 2 && reads.count > 100 && reads.failed == 0 && reads.mixed == 0)
                #expect(reads.backwards == 0, "an answer that is older than the one before")
            }
            verdict.publish()
            verdict.expectClean()
        }
    }
}

/// What those who read were answered.
private struct Reads: Sendable {
    var count = 0
    var failed = 0
    /// Answers with rows of two builds.
    var mixed = 0
    /// Answers that reflect less than the one before.
    var backwards = 0
}

/// A log that is written, and its instances, which are fed, rebuilt and read.
private final class Plane: Sendable {
    private let log: PostgresLog
    private let models: ReadModels
    private let desk: ProjectionDesk
    /// Who may change rows behind everybody's back.
    private let superuser: Pool
    private let payload: [UInt8]
    private let state = Mutex(State())

    private struct State {
        var appended = 0
        var reads = Reads()
        var isOver = false
    }

    init(_ log: PostgresLog, _ models: ReadModels, _ desk: ProjectionDesk, _ superuser: Pool) throws {
        (self.log, self.models, self.desk, self.superuser) = (log, models, desk, superuser)
        payload = try InstanceEvent.requested(
            .init(
                organization: Identifier(at: Timestamp(microseconds: 1_704_067_200_000_000), random: 7),
                subscription: Identifier(at: Timestamp(microseconds: 1_704_067_200_000_000), random: 8),
                name: "first",
                slug: "acme",
                organizationName: "Acme",
                kind: .managedApp,
                plan: PlanSnapshot(
                    tier: .team,
                    resources: Resources(cpu: 2000, memory: 4096, priority: 90),
                    update: UpdatePolicy(canary: 1, autoRevert: true),
                    quotas: [:],
                    entitlements: [:]
                ),
                release: ReleaseSnapshot(application: "railzway", version: "1.2.3", image: "ghcr.io/x/y:1.2.3"),
                computeEngine: .hetzner,
                generation: 1
            )
        ).payload()
    }

    /// How many instances were asked for, and answered so.
    var appended: Int { state.withLock { $0.appended } }

    var reads: Reads { state.withLock { $0.reads } }

    private var isOver: Bool { state.withLock { $0.isOver } }

    private func deed(_ reason: String) -> ProjectionDeed {
        ProjectionDeed(actor: "operator-1", reason: reason, command: IDSource.system.unique())
    }

    /// Asks for so many instances, the first ones among them those that are looked at.
    func fill(_ count: Int) async throws {
        for first in stride(from: 1, through: count, by: 100) {
            try await append(Int64(first)...Int64(min(first + 99, count)))
        }
        try await models.wait(for: try await log.frontier(), timeout: .seconds(600))
    }

    private func append(_ ids: ClosedRange<Int64>) async throws {
        let writes = ids.map { id in
            let fact = NewEvent(id: IDSource.system.unique(), type: "instance.requested", payload: payload)
            return StreamWrite(
                StreamName(category: "instance", id: id),
                organization: OrganizationID(id % 500 + 1),
                expecting: .none,
                events: [fact]
            )
        }
        let causation = Causation(actor: "system", command: IDSource.system.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: writes))
        state.withLock { $0.appended += ids.count }
    }

    /// Writes one instance after the other and reads without a pause, for as long as `body` lasts.
    func writing(pace: Int, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.appendForLong(pace) }
            for _ in 0..<2 { group.addTask { await self.lookForLong() } }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            state.withLock { $0.isOver = true }
            try await group.waitForAll()
            try outcome.get()
        }
    }

    private func appendForLong(_ pace: Int) async throws {
        let (start, before) = (ContinuousClock.now, appended)
        var asked = 0
        while !isOver {
            let due = Int(start.duration(to: .now).seconds * Double(pace)) - asked
            let (first, batch) = (before + asked + 1, max(0, min(due, 200)))
            try await withThrowingTaskGroup(of: Void.self) { writers in
                for id in first..<(first + batch) {
                    writers.addTask { try await self.append(Int64(id)...Int64(id)) }
                }
                try await writers.waitForAll()
            }
            asked += batch
            await Bell().wait(after: 0, atMost: .milliseconds(5))
        }
    }

    private func lookForLong() async {
        var position: Int64 = 0
        while !isOver { position = await look(after: position) }
    }

    /// Lists the first six instances, which say in their names which build they are from.
    ///
    /// - Returns: What the answer reflects.
    private func look(after position: Int64) async -> Int64 {
        do {
            let reading = try await models.instances(page: PageRequest(limit: 6))
            state.withLock { state in
                state.reads.count += 1
                if reading.value.data.count != 6 || Set(reading.value.data.map(\.name)).count != 1 {
                    state.reads.mixed += 1
                }
                if reading.position < position { state.reads.backwards += 1 }
            }
            return reading.position
        } catch {
            state.withLock { $0.reads.failed += 1 }
            return position
        }
    }

    /// Rebuilds, switches, rolls back and goes forth again while so much is appended.
    func cycle(_ least: Int) async throws {
        let begun = appended
        let build = try await desk.rebuild("instances", RebuildOrder(switches: false), by: deed("rebuild")).build
        try await eventually(within: .seconds(300)) {
            let state = try await desk.newest("instances")
            if state.endedAt != nil, state.phase != .ready { Issue.record("\(state.phase): \(state.error ?? "")") }
            return state.endedAt != nil
        }
        try await eventually(within: .seconds(60)) { appended - begun > least }
        try await mark(build, "second")
        for shown in [build, build - 1, build] {
            try await lookOn()
            switch shown {
            case build - 1: try await switching { _ = try await desk.rollBack("instances", by: deed("back")) }
            default:
                try await switching {
                    _ = try await desk.show("instances", build: build, acceptingDifferences: false, by: deed("forth"))
                }
            }
            try await lookOn()
            let names = try await models.instances(page: PageRequest(limit: 6)).value.data.map(\.name)
            #expect(Set(names) == [shown == build ? "second" : "first"])
        }
        // The next rebuild has to find it equal.
        try await mark(build, "first")
    }

    /// Says how far the builds are when they cannot be had at one position.
    private func switching(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            let builds = try await models.projections().filter { $0.name == "instances" }
            Issue.record("\(error): \(builds.map { "\($0.build) at \($0.slices.map(\.position))" }) of \(appended)")
            throw error
        }
    }

    /// Waits until twenty more answers were read.
    private func lookOn() async throws {
        let heard = reads.count
        try await eventually(within: .seconds(60)) { reads.count > heard + 20 }
    }

    /// Changes the rows that are looked at in one statement, so that an answer shows where it is from.
    private func mark(_ build: Int, _ name: String) async throws {
        try await superuser.with { connection throws(PostgresError) in
            _ = try connection.run(
                """
                UPDATE \(identifier: "rm_instances_v1_b\(build)").record
                   SET document = document || jsonb_build_object('name', \(name)::text)
                 WHERE key = ANY (\(array: (1...6).map { "\($0)" }))
                """
            )
        }
    }

    /// How many rows the build that is shown has, and the one that was left, when both have folded everything.
    func rows() async throws -> [Int] {
        try await eventually(within: .seconds(120)) {
            try await models.projections().allSatisfy { $0.lag == 0 }
        }
        let builds = try await models.projections().filter { $0.name == "instances" }.map(\.build)
        return try await superuser.with { connection throws(PostgresError) in
            try builds.map { build throws(PostgresError) in
                try connection.run("SELECT count(*) FROM \(identifier: "rm_instances_v1_b\(build)").record")
                    .decode(0, Int.self)
            }
        }
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

private func withPlane(_ body: (Plane) async throws -> Void) async throws {
    try await withDatabase { database in
        let append = Pool(conninfo: database.application, size: 4, role: "signalbox_append")
        let project = Pool(conninfo: database.application, size: 6, role: "signalbox_project")
        let reading = Pool(conninfo: database.application, size: 3, role: "signalbox_project")
        let superuser = Pool(conninfo: database.superuser, size: 1)
        let silence = Logger(label: "torture") { _ in SwiftLogNoOpLogHandler() }
        let log = try await PostgresLog.open(conninfo: database.application, pool: append, durability: .pipelined)
        let runner = ProjectionRunner(
            pool: project,
            log: log,
            work: PostgresWorkQueue(pool: append),
            feed: LogFollower(log: log, bell: log.bell).feed,
            owner: "torture",
            settings: .init(lease: .seconds(5), patrol: .milliseconds(50)),
            logger: silence
        )
        let models = ReadModels(pool: reading, logger: silence)
        let plane = try Plane(log, models, ProjectionDesk(runner), superuser)
        let outcome: Result<Void, any Error> = await withTaskGroup(of: Void.self) { group in
            group.addTask { await log.run() }
            group.addTask { await runner.run() }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(plane)) } catch { outcome = .failure(error) }
            group.cancelAll()
            log.close()
            return outcome
        }
        for pool in [append, project, reading, superuser] { await pool.close() }
        try outcome.get()
    }
}
