import Domain
import EventStore
import Kernel
import Postgres
import SignalboxTestKit
import Synchronization
import Testing

@testable import Projections

/// A log that cannot be read now and then.
final class Faults: Sendable {
    private let every: Int
    private let reads = Mutex(0)

    init(every: Int) {
        self.every = every
    }

    func wrap(_ log: any EventLog) -> any EventLog { Faulty(log: log, faults: self) }

    fileprivate func check() throws(LogError) {
        let count = reads.withLock { reads in
            reads += 1
            return reads
        }
        if count.isMultiple(of: every) { throw .unavailable("a test") }
    }
}

private struct Faulty: EventLogWrapper {
    let log: any EventLog
    let faults: Faults

    func read(
        after position: Int64,
        through: Int64?,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage {
        try faults.check()
        return try await log.read(after: position, through: through, matching: filter, limit: limit)
    }
}

extension Stage {
    /// Runs `body` where the read models are fed, and show a story.
    static func showing(
        _ story: Story,
        pageLimit: Int = 5000,
        _ body: (Stage, ProjectionDesk) async throws -> Void
    ) async throws {
        try await with { stage in
            let runner = stage.runner("a", pageLimit: pageLimit)
            let desk = ProjectionDesk(runner)
            try await stage.running(runner) {
                try await stage.append(story.events)
                try await stage.readModels.wait(for: Int64(story.events.count), timeout: .seconds(20))
                try await body(stage, desk)
            }
        }
    }

    /// Every row of a build, as it is stored.
    func bytes(_ build: Build) async throws -> [String] {
        try await pool.with { connection throws(PostgresError) in
            try connection.run(
                """
                SELECT key || ' ' || position || ' ' || document::text
                  FROM \(identifier: build.schema).record ORDER BY key COLLATE "C"
                """
            ).column(String.self)
        }
    }

    /// The builds that there are.
    func builds(_ name: String) async throws -> [Int] {
        try await pool.with { connection throws(PostgresError) in
            try connection.run("SELECT build FROM rm.build WHERE name = \(name) ORDER BY build").column(Int.self)
        }
    }

    /// Rebuilds up to a position, and drops what came of it.
    func rebuilt<P: Projection>(
        _ projection: P.Type,
        _ order: RebuildOrder,
        _ settings: RebuildSettings,
        _ faults: Faults
    ) async throws -> [String] {
        let opened = try await pool.with { connection throws(PostgresError) in
            try connection.openRebuild(of: projection, order, goal: order.until ?? 0, slices: 4)
        }
        let build = try #require(opened)
        let rebuilder = Rebuilder<P>(
            pool: pool,
            log: faults.wrap(log),
            build: build,
            fence: 1,
            settings: settings,
            logger: Self.silence
        )
        #expect(await rebuilder.run() == .ended)
        let found = try await bytes(build)
        _ = try await pool.with { connection throws(PostgresError) in try connection.drop(build) }
        return found
    }

    /// Feeds some slices of a build, the first one if not said otherwise, or all, page by page, as their holder would.
    func feed<P: Projection>(
        _ projection: P.Type,
        of build: Build? = nil,
        slices: [Int]? = nil,
        through end: Int64
    ) async throws {
        let build = build ?? Build(name: P.name, shape: P.shape, number: 1)
        let adopted = try await pool.with { connection throws(PostgresError) in
            let count = try connection.positions(of: build, locking: false).count
            let mine = slices ?? Array(0..<count)
            return try connection.adopt(build, Dictionary(uniqueKeysWithValues: mine.map { ($0, 1) }))
        }
        var slices = adopted
        while slices.lowest < end {
            let filter = ProjectionRunner.filter(for: P.self)
            let goal = slices.second ?? end
            let page = try await log.read(after: slices.lowest, through: goal, matching: filter, limit: 4)
            let now = slices
            let fed = try await pool.with { connection throws(PostgresError) in
                try connection.feed(projection, now, page)
            }
            #expect(fed != .lost)
            slices.move(to: page.scannedTo)
        }
    }

    /// Changes the rows of a build, so that an answer shows where it is from.
    func mark(_ build: Build, _ name: String) async throws {
        try await pool.with { connection throws(PostgresError) in
            _ = try connection.run(
                """
                UPDATE \(identifier: build.schema).record
                   SET document = document || jsonb_build_object('name', \(name)::text)
                """
            )
        }
    }

    /// Waits until the newest rebuild of a read model is in a phase.
    func reach(
        _ phase: RebuildState.Phase,
        of desk: ProjectionDesk,
        _ name: String = "instances"
    ) async throws {
        try await eventually(within: .seconds(60)) {
            let state = try await desk.newest(name)
            if state.phase == .failed { Issue.record("\(state.error ?? "")") }
            return state.phase == phase
        }
    }

    /// Asks for one further instance, of an organization of its own.
    func appendInstance(_ id: Int64) async throws {
        let event = Story.requested(9)
        let fact = NewEvent(id: IDSource.system.unique(), type: event.name.rawValue, payload: try event.payload())
        let write = StreamWrite(
            StreamName(category: "instance", id: id),
            organization: Story.identifier(9),
            expecting: .any,
            events: [fact]
        )
        let causation = Causation(actor: "user-7", command: IDSource.system.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
    }

    /// Asks for further instances, one after the other, until it is cancelled.
    func appendForEver() async throws {
        var id: Int64 = 10_000
        while !Task.isCancelled {
            do {
                try await appendInstance(id)
                id += 1
            } catch {
                if !Task.isCancelled { throw error }
            }
        }
    }

    /// Lists the same six instances again and again: no answer may fail, nor be of two builds.
    func readForEver(_ reads: Bell) async throws {
        var position: Int64 = 0
        while !Task.isCancelled {
            do {
                let reading = try await readModels.instances(page: PageRequest(limit: 6))
                #expect(reading.value.data.count == 6)
                #expect(Set(reading.value.data.map(\.name)).count == 1, "an answer of two builds")
                #expect(reading.position >= position, "an answer that is older than the one before")
                position = reading.position
                reads.ring()
            } catch {
                if !Task.isCancelled { Issue.record("a read failed: \(error)") }
            }
        }
    }
}
