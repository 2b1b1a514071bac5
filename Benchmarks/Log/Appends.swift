internal import BenchmarkKit
internal import EventStore
internal import Kernel
internal import Postgres
internal import SignalboxTestKit

/// Durable appends through the log's own API.
struct Appends: Sendable {
    let database: TestDatabase
    let durability: Durability

    /// A contender with so many callers.
    ///
    /// - Parameters:
    ///   - callers: How many append at once, each waiting for its answer.
    ///   - size: How many events one append carries.
    ///   - peer: With whom it is compared.
    ///   - goal: How many times that one's rate is wanted.
    /// - Returns: The contender.
    func contender(callers: Int, size: Int = 1, against peer: String, goal: Double?) -> Contender {
        let events = size == 1 ? "1 event" : "\(size) events"
        return Contender("log, \(durability): \(callers) × \(events)", against: peer, goal: goal) { time in
            try await measure(Load(callers: callers, size: size), for: time)
        }
    }

    /// Opens a log, loads it, and closes it.
    func measure(_ load: Load, for time: Duration) async throws -> Sample {
        let pool = Pool(conninfo: database.application, size: 2, role: "signalbox_append")
        let log = try await PostgresLog.open(conninfo: database.application, pool: pool, durability: durability)
        let sample = try await withThrowingTaskGroup(of: Sample?.self) { group in
            group.addTask {
                await log.run()
                return nil
            }
            group.addTask {
                defer { log.close() }
                return try await load.run(on: log, for: time)
            }
            var sample: Sample?
            for try await some in group { sample = some ?? sample }
            return sample
        }
        await pool.close()
        guard let sample else { throw BenchmarkError("the load gave no figures") }
        return sample
    }
}
