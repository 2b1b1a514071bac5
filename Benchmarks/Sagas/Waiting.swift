internal import BenchmarkKit
internal import EventStore
internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Postgres
internal import SignalboxTestKit

/// Many sagas that wait: what a claim costs, and what an engine costs that has nothing to do.
struct Waiting: Sendable {
    let database: TestDatabase

    func table(_ count: Int, for time: Duration) async throws -> Table {
        let owner = Pool(conninfo: database.owner, size: 1)
        try await fill(count, owner)
        let pool = Pool(conninfo: database.application, size: 1, role: "signalbox_append")
        let queue = PostgresWorkQueue(pool: pool)
        let nothing = try await claims(queue, 500) { item in try await queue.release(item, after: .seconds(3600)) }
        try await owner.with { connection throws(PostgresError) in
            _ = try connection.run(
                "UPDATE log.work SET wake_at = now() WHERE stream_id IN (SELECT stream_id FROM log.work LIMIT 500)"
            )
        }
        let something = try await claims(queue, 500) { item in try await queue.release(item, after: .seconds(3600)) }
        let pids = try await owner.with { connection throws(PostgresError) in
            try connection.run("SELECT pid FROM pg_stat_activity WHERE datname = current_database()").column(Int32.self)
        }
        await pool.close()
        let (mine, theirs) = try await idle(for: time, owner, except: Set(pids))
        await owner.close()
        var table = Table(title: "\(Table.whole(Double(count))) sagas that wait", columns: ["", "", "wanted"])
        table.rows = [
            ["claim that finds nothing, ms (median)", Table.decimal(nothing, 3), "< 2"],
            ["claim that finds one, ms (median)", Table.decimal(something, 3), "< 2"],
            ["processor of an idle engine, % of a core", Table.decimal(mine * 100, 2), "≈ 0"],
            ["processor of its database sessions, % of a core", Table.decimal(theirs * 100, 2), "≈ 0"],
        ]
        return table
    }

    private func fill(_ count: Int, _ owner: Pool) async throws {
        try await owner.with { connection throws(PostgresError) in
            _ = try connection.run(
                """
                INSERT INTO log.stream (stream_id, name, category, least_version)
                SELECT nextval('log.stream_id'), 'saga-no-op.' || gen_random_uuid(), 'saga', 0
                  FROM generate_series(1, \(Int32(count)))
                """
            )
            _ = try connection.run(
                """
                INSERT INTO log.work (stream_id, kind, lane, priority, status, step, target, wake_at)
                SELECT stream_id, 'no-op', 'instance-' || stream_id, 1, 'waiting', 'await-healthy', 'nomad',
                       now() + interval '1 hour' * (1 + random())
                  FROM log.stream
                """
            )
            _ = try connection.run("ANALYZE log.work")
            _ = try connection.run("ANALYZE log.stream")
        }
    }

    /// Milliseconds of one claim, in the middle.
    private func claims(
        _ queue: PostgresWorkQueue,
        _ count: Int,
        _ body: (WorkItem) async throws -> Void
    ) async throws -> Double {
        var times: [Double] = []
        for _ in 0..<count {
            let start = ContinuousClock.now
            let items = try await queue.claim(kinds: ["no-op"], owner: "benchmark", limit: 1, lease: .seconds(30))
            times.append((ContinuousClock.now - start).inSeconds * 1000)
            for item in items { try await body(item) }
        }
        return times.median
    }

    /// Shares of a core that an engine with nothing to do takes, here and in the database.
    private func idle(for time: Duration, _ owner: Pool, except others: Set<Int32>) async throws -> (Double, Double) {
        try await NoOp.running(in: database, [NoOp.definition(steps: 1)], parallel: 128) { _ in
            // Each step of the turns before has left a timer for its deadline, which goes off although nobody waits for it.
            try await Task.sleep(for: .seconds(40))
            let pids = try await owner.with { connection throws(PostgresError) in
                try connection.run("SELECT pid FROM pg_stat_activity WHERE datname = current_database()").column(
                    Int32.self
                )
            }
            let ours = pids.filter { !others.contains($0) }
            let start = ContinuousClock.now
            let (mine, theirs) = (Usage.ofProcess(), ours.reduce(0) { $0 + Self.ticks($1) })
            try await Task.sleep(for: time)
            let elapsed = (ContinuousClock.now - start).inSeconds
            let used = ours.reduce(0) { $0 + Self.ticks($1) } - theirs
            return ((Usage.ofProcess() - mine) / elapsed, used / Double(sysconf(Int32(_SC_CLK_TCK))) / elapsed)
        }
    }

    /// Ticks of processor time that a process has used; 0 when it is gone.
    private static func ticks(_ pid: Int32) -> Double {
        guard let data = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/stat")) else { return 0 }
        let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12 else { return 0 }
        return (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)
    }
}
