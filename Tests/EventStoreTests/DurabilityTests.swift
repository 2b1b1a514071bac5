import Glibc
import Kernel
import Postgres
import SignalboxTestKit
import Synchronization
import Testing

@testable import EventStore

/// Holds the writer's own thread at one step until it is let go; counts every step it sees.
private final class Turnstile: @unchecked Sendable {
    private let step: LogStep
    private let gate = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let isOpen = Atomic(false)
    private let seen = Mutex<[LogStep]>([])

    init(at step: LogStep) {
        self.step = step
        sem_init(gate, 0, 0)
    }

    deinit {
        sem_destroy(gate)
        gate.deallocate()
    }

    var steps: [LogStep] { seen.withLock { $0 } }

    func probe(_ step: LogStep) {
        seen.withLock { $0.append(step) }
        guard step == self.step, !isOpen.load(ordering: .acquiring) else { return }
        while sem_wait(gate) != 0 {}
    }

    func open() {
        isOpen.store(true, ordering: .releasing)
        sem_post(gate)
    }
}

/// What several tasks count together.
private final class Tally: Sendable {
    private let number = Atomic(0)

    var count: Int { number.load(ordering: .acquiring) }

    func add() { number.add(1, ordering: .acquiringAndReleasing) }
}

@Suite("Durability")
struct DurabilityTests {
    /// Runs `body` with a log that stops at a step until the turnstile is opened.
    private func with(
        _ durability: Durability,
        stoppingAt step: LogStep,
        queue: Int = 4096,
        queuedBytes: Int = 64 << 20,
        _ body: (PostgresLog, Turnstile, TestDatabase) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            let pool = Pool(conninfo: database.application, size: 4, role: "signalbox_append")
            let turnstile = Turnstile(at: step)
            let log = try await PostgresLog.open(
                conninfo: database.application,
                pool: pool,
                durability: durability,
                queue: queue,
                queuedBytes: queuedBytes,
                probe: { turnstile.probe($0) }
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await log.run() }
                let outcome: Result<Void, any Error>
                do { outcome = .success(try await body(log, turnstile, database)) } catch { outcome = .failure(error) }
                turnstile.open()
                log.close()
                try await group.waitForAll()
                try outcome.get()
            }
            await pool.close()
        }
    }

    @Test("behind a barrier nobody is answered before it has come back")
    func barrier() async throws {
        try await with(.pipelined, stoppingAt: .barrierBegun) { log, turnstile, database in
            let answered = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...20 {
                    group.addTask {
                        _ = try await log.append(request("a-\(number)", .none, events: 2))
                        answered.add()
                    }
                }
                let other = try await Connection.open(database.superuser)
                // All of it is committed, for anybody to see; only one request alone may have gone to the disk itself.
                try await eventually {
                    try await other.run("SELECT count(*) FROM log.event").decode(0, Int64.self) == 40
                }
                await other.close()
                // What is committed is on its way to the barrier.
                try await eventually { turnstile.steps.contains(.barrierBegun) }
                #expect(answered.count <= 1)
                turnstile.open()
                try await group.waitForAll()
            }
            #expect(answered.count == 20)
            let page = try await log.read(after: 0, through: nil, matching: .everything, limit: 100)
            #expect(page.events.count == 40)
        }
    }

    @Test("no leaf and no position leaves before it is durable, whatever is visible")
    func leaves() async throws {
        try await with(.pipelined, stoppingAt: .barrierBegun) { log, turnstile, database in
            let appending = Task { try await log.append(request("a-1", .none, events: 2)) }
            let other = try await Connection.open(database.superuser)
            try await eventually {
                try await other.run("SELECT count(*) FROM log.event").decode(0, Int64.self) == 2
            }
            let times = try await other.run("SELECT max(recorded_at) FROM log.event").decode(0, Timestamp.self)
            await other.close()
            // Nobody is answered by the barrier; whoever looks first, a poll or this, finds out what is durable.
            #expect(try await log.leaf(at: 1) != nil)
            #expect(log.known.position >= 1)
            #expect(try await log.position(at: times + .seconds(1)) == 2)
            #expect(log.known.position == 2)
            #expect(try await log.leaf(at: 3) == nil)
            turnstile.open()
            _ = try await appending.value
        }
    }

    @Test("what finds the queue full is refused at once, and nothing of it is written", arguments: Durability.allCases)
    func overflow(durability: Durability) async throws {
        try await with(durability, stoppingAt: .taken, queue: 3) { log, turnstile, _ in
            let outcomes = try await crowd(log, turnstile)
            // As many as were taken, three that wait, and the others.
            #expect(outcomes.count { $0 == .unavailable } == 12 - 3 - 1)
            #expect(outcomes.allSatisfy { $0 == nil || $0 == .unavailable })
            #expect(try await log.frontier() == Int64(outcomes.count { $0 == nil }))
        }
    }

    @Test("the queue is bounded by what it holds, not only by how many")
    func weight() async throws {
        try await with(.commit, stoppingAt: .taken, queuedBytes: 4096) { log, turnstile, _ in
            let outcomes = try await crowd(log, turnstile, payload: 2000)
            #expect(outcomes.count { $0 == .unavailable } == 12 - 1 - 1)
            #expect(try await log.frontier() == 2)
        }
    }

    /// Lets twelve append while the writer is held, then lets it go.
    private func crowd(
        _ log: PostgresLog,
        _ turnstile: Turnstile,
        payload: Int = 10
    ) async throws -> [AppendError?] {
        let refused = Tally()
        return try await withThrowingTaskGroup(of: AppendError?.self) { group in
            for number in 1...12 {
                // The first is taken and held.
                if number == 2 { try await eventually { turnstile.steps == [.taken] } }
                group.addTask {
                    let text = #"{"a":"\#(String(repeating: "x", count: payload))"}"#
                    let write = StreamWrite(
                        stream("q-\(number)"),
                        expecting: .none,
                        events: [event("thing.happened", text)]
                    )
                    do throws(AppendError) {
                        _ = try await log.append(request([write]))
                        return nil
                    } catch {
                        refused.add()
                        return error
                    }
                }
            }
            let room = payload > 1000 ? 1 : 3
            try await eventually { refused.count == 12 - 1 - room }
            turnstile.open()
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("a repeat and a conflict wait for the disk as well", arguments: Durability.allCases)
    func answersOfOthers(durability: Durability) async throws {
        try await withDatabase { database in
            try await withLog(in: database, durability: durability) { running in
                let first = request("a-1", .none)
                let written = try await running.log.append(first)
                #expect(try await running.log.append(first) == written)
                await #expect(throws: AppendError.conflict(stream: stream("a-1"), expected: .version(9), actual: 1)) {
                    try await running.log.append(request("a-1", .version(9)))
                }
                #expect(try await running.log.frontier() == 1)
            }
        }
    }
}
