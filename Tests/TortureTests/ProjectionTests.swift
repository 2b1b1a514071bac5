import Domain
import EventStore
import Glibc
import Kernel
import Postgres
import Projections
import SignalboxTestKit
import Testing

extension Torture {
    @Suite("Processes that feed read models are killed")
    struct Feeding {
        @Test("what was folded is what the log has up to the checkpoint, whoever was killed when")
        func kills() async throws {
            let cycles = Torture.size(bounded: 10, full: 200)
            try await withDatabase { database in
                let pool = Pool(conninfo: database.application, size: 2, role: "signalbox_append")
                let log = try await PostgresLog.open(conninfo: database.application, pool: pool)
                let feeders = ["a", "b"].map { (name: $0, process: RestartedProcess("ProjectionWorker")) }
                let tally = Tally(database)
                var verdict = Verdict("kill -9 of processes that share the slices of a read model")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await log.run() }
                    group.addTask { try await Self.appendForEver(log) }
                    for (name, process) in feeders {
                        group.addTask {
                            try await process.run { _ in ["--name", name, "--conninfo", database.application] }
                        }
                    }
                    for _ in 0..<cycles {
                        try await eventually(within: .seconds(60)) { try await tally.isShared() }
                        let goal = try await tally.newest()
                        try await eventually(within: .seconds(60)) { try await tally.lowest() >= goal }
                        let killed = feeders[Int.random(in: 0..<feeders.count)].process
                        let starts = killed.starts
                        killed.signal(SIGKILL)
                        try await tally.check(&verdict)
                        try await eventually(within: .seconds(60)) { killed.starts > starts }
                        try await tally.check(&verdict)
                        verdict.cycles += 1
                    }
                    let goal = try await tally.newest()
                    try await eventually(within: .seconds(60)) { try await tally.lowest() >= goal }
                    try await tally.check(&verdict)
                    for feeder in feeders { feeder.process.end() }
                    log.close()
                    group.cancelAll()
                    while let result = await group.nextResult() {
                        // What is cancelled may say so.
                        if case .failure(let error) = result, !Self.isEnd(error) { throw error }
                    }
                }
                await pool.close()
                verdict.publish()
                verdict.expectClean()
                #expect(verdict.events > 100 && verdict.cycles == cycles)
            }
        }

        private static func isEnd(_ error: any Error) -> Bool {
            if error is CancellationError { return true }
            if case AppendError.unavailable = error { return true }
            return false
        }

        /// Renames one of some fifty organizations after the other, until it is cancelled.
        private static func appendForEver(_ log: PostgresLog) async throws {
            while !Task.isCancelled {
                let writes = try Set((0..<3).map { _ in Int64.random(in: 1...50) }).map { id in
                    let event = OrganizationEvent.renamed(.init(name: "a"))
                    let fact = NewEvent(
                        id: IDSource.system.unique(),
                        type: event.name.rawValue,
                        payload: try event.payload()
                    )
                    return StreamWrite(
                        StreamName(category: OrganizationEvent.category, id: id),
                        organization: OrganizationID(id),
                        expecting: .any,
                        events: [fact]
                    )
                }
                let causation = Causation(actor: "system", command: IDSource.system.unique())
                _ = try await log.append(AppendRequest(causation: causation, writes: writes))
                // The feeders need the processors too.
                await Bell().wait(after: 0, atMost: .milliseconds(3))
            }
        }
    }
}

/// What is counted, held against the log in one snapshot.
private struct Tally: Sendable {
    private let pool: Pool

    init(_ database: TestDatabase) {
        pool = Pool(conninfo: database.superuser, size: 1)
    }

    /// Whether two processes have slices now.
    func isShared() async throws -> Bool {
        try await pool.with { connection throws(PostgresError) in
            try connection.run(
                """
                SELECT count(DISTINCT owner) FROM log.work
                 WHERE kind = 'projection.rollouts.v1' AND lease_until > clock_timestamp()
                """
            ).decode(0, Int.self) == 2
        }
    }

    /// The last position of the log.
    func newest() async throws -> Int64 {
        try await pool.with { connection throws(PostgresError) in
            try connection.run("SELECT coalesce(max(position), 0) FROM log.event").decode(0, Int64.self)
        }
    }

    /// Where the slice is that is furthest behind.
    func lowest() async throws -> Int64 {
        try await pool.with { connection throws(PostgresError) in
            try connection.run("SELECT min(position) FROM rm.checkpoint").decode(0, Int64.self)
        }
    }

    /// For each organization: count of effects = events up to its slice's checkpoint.
    func check(_ verdict: inout Verdict) async throws {
        let (effects, events) = try await pool.transaction(.snapshot) { tx throws(PostgresError) in
            let rows = try tx.run("SELECT document ->> 'id', (document ->> 'count')::bigint FROM rm.rollouts_v1").all(
                String.self,
                Int.self
            )
            let ends = try tx.run("SELECT position FROM rm.checkpoint ORDER BY slice").column(Int64.self)
            var events: [String: Int] = [:]
            for (slice, end) in ends.enumerated() {
                let counts = try tx.run(
                    """
                    SELECT s.org_id, count(*)
                      FROM log.event AS e JOIN log.stream AS s USING (stream_id)
                     WHERE s.category = 'organization' AND e.position <= \(end)
                     GROUP BY s.org_id
                    """
                ).all(Int64.self, Int.self)
                for (id, count) in counts where Slicing.slice(of: id, among: ends.count) == slice {
                    events[OrganizationID(id)?.description ?? ""] = count
                }
            }
            return (Dictionary(rows) { first, _ in first }, events)
        }
        verdict.events = events.values.reduce(0, +)
        for id in Set(effects.keys).union(events.keys) {
            let difference = effects[id, default: 0] - events[id, default: 0]
            if difference > 0 { verdict.duplicated += difference } else { verdict.lost -= difference }
        }
    }
}
