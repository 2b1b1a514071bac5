internal import BenchmarkKit
internal import EventStore
internal import FoundationEssentials
internal import Kernel
internal import Logging
internal import Postgres
internal import Projections
internal import SignalboxTestKit

/// Rebuilding the instances read model, beside what Postgres and Python need for less.
struct Rebuilds: Sendable {
    static let sql = "psql: CREATE TABLE AS … GROUP BY"
    private static let deed = ProjectionDeed(actor: "operator-1", reason: "a measurement", command: UniqueID(1))
    /// How many events each instance has.
    private static let perInstance = 10

    let database: TestDatabase
    let events: Int

    /// Fills a log: each instance is asked for and then observed, in waves over two thousand of them.
    static func prepare(in database: TestDatabase, events: Int) async throws -> Rebuilds {
        let payloads = try (0..<perInstance).map { wave in
            let path = "Tests/Fixtures/events/instance.\(wave == 0 ? "requested" : "observed").json"
            return [UInt8](try Data(contentsOf: URL(filePath: path)))
        }
        let pool = Pool(conninfo: database.application, size: 2, role: "signalbox_append")
        let log = try await PostgresLog.open(conninfo: database.application, pool: pool, durability: .pipelined)
        let instances = Int64(events / perInstance)
        try await withThrowingTaskGroup { group in
            group.addTask { await log.run() }
            for first in stride(from: Int64(1), through: instances, by: 2000) {
                Progress.say("Rebuilds: \(first * Int64(perInstance)) of \(events) events are written")
                let last = min(first + 1999, instances)
                for payload in payloads {
                    try await withThrowingTaskGroup { writers in
                        for id in stride(from: first, through: last, by: 50) {
                            writers.addTask { try await append(id...min(id + 49, last), payload, to: log) }
                        }
                        try await writers.waitForAll()
                    }
                }
            }
            log.close()
            try await group.waitForAll()
        }
        await pool.close()
        let connection = try await Connection.open(database.superuser)
        // As autovacuum would have left it after a while.
        try await connection.script("VACUUM (ANALYZE) log.event, log.stream, log.event_type")
        await connection.close()
        return Rebuilds(database: database, events: Int(instances) * perInstance)
    }

    private static func append(_ ids: ClosedRange<Int64>, _ payload: [UInt8], to log: PostgresLog) async throws {
        let isFirst = payload.count > 300
        let writes = ids.map { id in
            StreamWrite(
                StreamName(category: "instance", id: id),
                organization: OrganizationID(id / 5 + 1),
                expecting: .any,
                events: [
                    NewEvent(
                        id: IDSource.system.unique(),
                        type: isFirst ? "instance.requested" : "instance.observed",
                        payload: payload
                    )
                ]
            )
        }
        let causation = Causation(actor: "system", command: IDSource.system.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: writes))
    }

    /// A build up to the end: reading, decoding, folding, loading, and the indexes.
    func rebuild(parallel: Int, goal: Double?) -> Contender {
        Contender("rebuild of instances, \(parallel) workers", against: Self.sql, goal: goal) { _ in
            try await withRunner { desk, runner, _ in
                try await runner.prepare()
                let order = RebuildOrder(until: Int64(events), parallel: parallel)
                let start = ContinuousClock.now
                let build = try await desk.rebuild("instances", order, by: Self.deed).build
                guard await runner.driveRebuild() else { throw BenchmarkError("there is no rebuild to drive") }
                let elapsed = ContinuousClock.now - start
                let state = try await desk.newest("instances")
                guard state.phase == .held, state.events == events else {
                    throw BenchmarkError("\(state.phase) after \(state.events) events: \(state.error ?? "")")
                }
                try await desk.cancel("instances", build: build, by: Self.deed)
                return Sample(events: events, elapsed: elapsed)
            }
        }
    }

    /// What a person would write by hand: the last of each instance, and how many.
    func aggregate() -> Contender {
        Contender(Self.sql) { _ in
            let start = ContinuousClock.now
            _ = try await Tool.run(
                "psql",
                [
                    "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--command",
                    """
                    CREATE TABLE benchmark_instances AS
                    SELECT e.stream_id,
                           count(*) AS version,
                           max(e.position) AS position,
                           max(e.recorded_at) AS updated_at,
                           max(convert_from(e.payload, 'UTF8')::jsonb ->> 'reason') AS reason
                      FROM log.event AS e
                     WHERE e.position <= \(events)
                     GROUP BY e.stream_id
                    """, "--command", "DROP TABLE benchmark_instances", database.superuser,
                ]
            )
            return Sample(events: events, elapsed: ContinuousClock.now - start)
        }
    }

    /// From the answer to an append until the read model shows it, on a log that has nothing else to do.
    func lag() -> Contender {
        Contender("lag of the read models, idle") { time in
            try await withRunner { _, runner, log in
                let pool = Pool(conninfo: database.application, size: 2, role: "signalbox_project")
                let models = ReadModels(pool: pool)
                let sample = try await withThrowingTaskGroup(of: Sample?.self) { group in
                    group.addTask {
                        await runner.run()
                        return nil
                    }
                    group.addTask { try await appendAndLook(log, models, for: time) }
                    let first = try await group.next() ?? nil
                    group.cancelAll()
                    return first
                }
                await pool.close()
                guard let sample else { throw BenchmarkError("the runner ended") }
                return sample
            }
        }
    }

    private func appendAndLook(_ log: PostgresLog, _ models: ReadModels, for time: Duration) async throws -> Sample {
        let payload = Load.payload
        // Caught up with everything first.
        try await models.wait(for: try await log.frontier(), timeout: .seconds(600))
        var latencies: [Int64] = []
        let start = ContinuousClock.now
        while ContinuousClock.now - start < time {
            let fact = NewEvent(id: IDSource.system.unique(), type: "benchmark.tick", payload: payload)
            let stream = StreamName(category: "benchmark", id: Int64.random(in: 1...1_000_000_000))
            let appended = try await log.append(
                AppendRequest(
                    causation: Causation(actor: "system", command: IDSource.system.unique()),
                    writes: [StreamWrite(stream, expecting: .any, events: [fact])]
                )
            )
            let answered = ContinuousClock.now
            try await models.wait(for: appended.lastPosition, timeout: .seconds(10))
            latencies.append((ContinuousClock.now - answered).microseconds)
            // Idle means idle.
            try await Task.sleep(for: .milliseconds(20))
        }
        latencies.sort()
        return Sample(events: latencies.count, elapsed: ContinuousClock.now - start, latencies: latencies)
    }

    private func withRunner(
        _ body: @Sendable @escaping (ProjectionDesk, ProjectionRunner, PostgresLog) async throws -> Sample
    ) async throws -> Sample {
        try await Self.withRunner(database.application, body)
    }

    /// Runs `body` with a log and a runner that is not running.
    static func withRunner(
        _ conninfo: String,
        _ body: @Sendable @escaping (ProjectionDesk, ProjectionRunner, PostgresLog) async throws -> Sample
    ) async throws -> Sample {
        let append = Pool(conninfo: conninfo, size: 4, role: "signalbox_append")
        let project = Pool(conninfo: conninfo, size: 12, role: "signalbox_project")
        let log = try await PostgresLog.open(conninfo: conninfo, pool: append, durability: .pipelined)
        let runner = ProjectionRunner(
            pool: project,
            log: log,
            work: PostgresWorkQueue(pool: append),
            feed: LogFollower(log: log, bell: log.bell).feed,
            owner: "benchmark",
            logger: .init(label: "benchmark")
        )
        let sample = try await withThrowingTaskGroup(of: Sample?.self) { group in
            group.addTask {
                await log.run()
                return nil
            }
            group.addTask {
                defer { log.close() }
                return try await body(ProjectionDesk(runner), runner, log)
            }
            var sample: Sample?
            for try await some in group { sample = some ?? sample }
            return sample
        }
        await append.close()
        await project.close()
        guard let sample else { throw BenchmarkError("no figures") }
        return sample
    }
}
