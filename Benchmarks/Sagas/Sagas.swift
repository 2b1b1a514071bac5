internal import BenchmarkKit
internal import Domain
internal import EventStore
internal import Kernel
internal import Logging
internal import Postgres
internal import Sagas
internal import SignalboxTestKit
internal import Synchronization

/// The engine over a log in Postgres, as the server runs it.
struct Sagas: Sendable {
    let database: TestDatabase

    /// Runs sagas of three steps that do nothing for a while, each caller one after the other.
    func measure(atOnce count: Int, for time: Duration) async throws -> Sample {
        let definition = NoOp.definition(steps: 3)
        return try await NoOp.running(in: database, [definition], parallel: 64) { bench in
            let start = ContinuousClock.now + time / 10
            let end = start + time
            return try await withThrowingTaskGroup(of: [Int64].self) { group in
                for _ in 0..<count {
                    group.addTask {
                        var latencies: [Int64] = []
                        while true {
                            let begun = ContinuousClock.now
                            guard begun < end else { return latencies }
                            try await bench.saga(definition)
                            if begun >= start { latencies.append((ContinuousClock.now - begun).microseconds) }
                        }
                    }
                }
                var latencies: [Int64] = []
                for try await some in group { latencies += some }
                return Sample(
                    events: latencies.count,
                    elapsed: ContinuousClock.now - start,
                    latencies: latencies.sorted()
                )
            }
        }
    }
}

/// Sagas whose steps do nothing, and everything that drives them.
struct NoOp: Sendable {
    let log: WatchedLog
    let pool: Pool

    static func definition(steps: Int) -> SagaDefinition {
        SagaDefinition(
            kind: "no-op",
            version: 1,
            steps: (1...steps).map { number in
                SagaStep("step-\(number)", policy: StepPolicy(target: ""), ensure: { _ in .done })
            },
            begin: { (cause, _) throws(SagaBeginError) in
                SagaBeginning(subject: cause.stream, lane: "", organization: nil, input: .object([:]))
            },
            scope: { _ in "no-op" },
            failed: { _, _ in [] }
        )
    }

    /// Runs an engine as long as the body runs.
    static func running<Value: Sendable>(
        in database: TestDatabase,
        _ definitions: [SagaDefinition],
        parallel: Int,
        _ body: @Sendable (NoOp) async throws -> Value
    ) async throws -> Value {
        let pool = Pool(conninfo: database.application, size: 6, role: "signalbox_append")
        let inner = try await PostgresLog.open(conninfo: database.application, pool: pool)
        let log = WatchedLog(log: inner)
        let queue = CountedQueue(queue: PostgresWorkQueue(pool: pool), log: log)
        let engine = SagaEngine(
            log: log,
            queue: queue,
            definitions: definitions,
            owner: "benchmark",
            settings: EngineSettings(parallel: parallel),
            logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() },
            wakeup: SagaEngine.wakeup(by: inner.workBell)
        )
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { group in
            group.addTask { await inner.run() }
            let driving = Task { await engine.run() }
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await body(NoOp(log: log, pool: pool))) } catch { outcome = .failure(error) }
            engine.stop()
            await driving.value
            inner.close()
            return outcome
        }
        await pool.close()
        return try outcome.get()
    }

    /// Starts a saga as the starter does, and returns when its end is durable.
    func saga(_ definition: SagaDefinition) async throws {
        let ids = IDSource.system
        let cause = ids.unique()
        guard let stream = StreamName(SagaCause.stream(kind: definition.kind, cause: cause)) else {
            throw BenchmarkError("no stream")
        }
        let now = ids.now()
        let started = SagaEvent.started(
            .init(
                kind: definition.kind,
                definition: definition.version,
                subject: "thing-1",
                lane: "",
                cause: cause,
                input: .object([:]),
                steps: definition.steps.map(\.id),
                deadline: now + .seconds(1800)
            )
        )
        let event = NewEvent(id: ids.unique(), type: started.name.rawValue, payload: try started.payload())
        let request = AppendRequest(
            causation: Causation(actor: "saga-no-op", command: cause, cause: cause),
            writes: [StreamWrite(stream, expecting: .none, events: [event])],
            work: [
                WorkUpdate(
                    stream,
                    guard: .create,
                    kind: definition.kind,
                    status: "queued",
                    step: definition.steps.first?.id ?? "",
                    wakeAt: WorkUpdate.atOnce
                )
            ]
        )
        try await log.ended(stream) { _ = try await log.append(request) }
    }
}

/// The log, which tells who waits for it that a saga has ended, and counts what it is asked.
final class WatchedLog: EventLogWrapper {
    let log: any EventLog
    private let waiting = Mutex<[StreamName: CheckedContinuation<Void, Never>]>([:])
    let appends = Atomic(0)
    let reads = Atomic(0)
    let claims = Atomic(0)

    init(log: any EventLog) {
        self.log = log
    }

    /// Does something, and returns when the saga has ended.
    func ended(_ stream: StreamName, _ start: @Sendable @escaping () async throws -> Void) async throws {
        async let started: Void = start()
        await withCheckedContinuation { continuation in waiting.withLock { $0[stream] = continuation } }
        try await started
    }

    func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        appends.add(1, ordering: .relaxed)
        let appended = try await log.append(request)
        for update in request.work where update.status == "completed" {
            waiting.withLock { $0.removeValue(forKey: update.stream) }?.resume()
        }
        return appended
    }

    func read(_ stream: StreamName, after version: Int64, limit: Int) async throws(LogError) -> [RecordedEvent] {
        reads.add(1, ordering: .relaxed)
        return try await log.read(stream, after: version, limit: limit)
    }
}

/// The queue, which counts its calls.
struct CountedQueue: WorkQueue {
    let queue: PostgresWorkQueue
    let log: WatchedLog

    func claim(kinds: [String], owner: String, limit: Int, lease: Duration) async throws(LogError) -> [WorkItem] {
        log.claims.add(1, ordering: .relaxed)
        return try await queue.claim(kinds: kinds, owner: owner, limit: limit, lease: lease)
    }

    func renew(_ item: WorkItem, lease: Duration) async throws(LogError) -> Bool {
        try await queue.renew(item, lease: lease)
    }

    func release(_ item: WorkItem, after: Duration) async throws(LogError) {
        try await queue.release(item, after: after)
    }

    func list(kinds: [String]?, statuses: [String]) async throws(LogError) -> [WorkItem] {
        try await queue.list(kinds: kinds, statuses: statuses)
    }

    func members(ofLane lane: String) async throws(LogError) -> [WorkItem] {
        try await queue.members(ofLane: lane)
    }
}
