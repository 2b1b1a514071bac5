import Domain
import EventStore
import Kernel
import Logging
import Platform
import Postgres
import SagaSimulator
import SignalboxTestKit
import Synchronization
import Testing

@testable import Sagas

@Suite("Work of sagas over Postgres", .serialized)
struct SharedWorkTests {
    private func engine(
        _ running: RunningLog,
        _ definitions: [SagaDefinition],
        _ owner: String,
        lease: Duration = .seconds(2)
    ) -> SagaEngine {
        SagaEngine(
            log: running.log,
            queue: running.queue,
            definitions: definitions,
            owner: owner,
            settings: EngineSettings(lease: lease, poll: .milliseconds(50)),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            wakeup: SagaEngine.wakeup(by: running.log.workBell)
        )
    }

    @Test("the queue can be made anew from the log, byte for byte, leases aside")
    func rebuilt() async throws {
        try await withDatabase { database in
            let owner = Pool(conninfo: database.owner, size: 1)
            try await withLog(in: database) { running in
                let due = Timestamp(microseconds: 4_000_000_000_000_000)
                let make = { (kind: String, body: @escaping SagaStep.Ensure) in
                    Toy.definition(
                        kind: kind,
                        [
                            .toy("one", undo: { _ throws(PortError) in throw .transient(code: "503", message: "no") }),
                            .toy("two", policy: StepPolicy(target: "nomad"), body),
                        ]
                    )
                }
                let definitions = [
                    make("done") { _ in .done },
                    make("failing") { _ throws(PortError) in throw .transient(code: "503", message: "no") },
                    make("timed") { _ in .waiting(condition: "Due", reason: "later", until: due) },
                    make("parked") { _ throws(PortError) in throw .blocked(code: "402", message: "no") },
                    make("undoing") { _ throws(PortError) in throw .permanent(code: "400", message: "no") },
                ]
                for (index, definition) in definitions.enumerated() {
                    let number = UInt64(index + 1)
                    _ = try await Toy.start(definition, id: number, lane: "lane-\(index)", in: running.log)
                }
                let settings = EngineSettings(
                    forward: Backoff(shortest: .seconds(3000), longest: .seconds(3000)),
                    undo: Backoff(shortest: .seconds(3000), longest: .seconds(3000))
                )
                let engine = SagaEngine(
                    log: running.log,
                    queue: running.queue,
                    definitions: definitions,
                    owner: "test",
                    settings: settings,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                )
                while await engine.turn() > 0 {}
                // Behind the parked one, and in a lane that is free.
                _ = try await Toy.start(definitions[0], id: 11, lane: "lane-3", in: running.log)
                _ = try await Toy.start(definitions[0], id: 12, lane: "lane-0", in: running.log)
                let before = try await rows(owner)
                #expect(before.count == 7)
                #expect(Set(before.compactMap(status)) == ["completed", "waiting", "parked", "compensating", "queued"])

                let fences = try await fences(owner)
                let rebuild = WorkRebuild(log: running.log, queue: running.queue, definitions: definitions)
                for damage in [
                    "DELETE FROM log.work",
                    "UPDATE log.work SET status = 'queued', step = 'x', target = '', wake_at = now(), lane = 'mixed-up'",
                ] {
                    try await owner.with { connection throws(PostgresError) in
                        _ = try connection.run("\(unsafe: damage)")
                    }
                    let report = try await rebuild.run()
                    #expect(report == WorkRebuild.Report(restored: 7, skipped: []))
                    #expect(try await rows(owner) == before)
                    // Nobody who held something before can prove it any more.
                    #expect(zip(try await self.fences(owner), fences).allSatisfy { $0 > $1 })
                }
                // And it works on.
                #expect(try await running.log.frontier() > 0)
                _ = await engine.turn()
                #expect(try await running.queue.list(kinds: nil, statuses: ["completed"]).count == 2)
            }
            await owner.close()
        }
    }

    @Test("the next in line is awake, although its predecessor ended while the queue was made anew")
    func rebuiltMeanwhile() async throws {
        try await withDatabase { database in
            let owner = Pool(conninfo: database.owner, size: 1)
            try await withLog(in: database) { running in
                let isOpen = Mutex(false)
                let definition = Toy.definition([
                    .toy("gate", policy: StepPolicy(target: "", poll: .seconds(3600), longestPoll: .seconds(3600))) {
                        _ in
                        isOpen.withLock { $0 } ? .done : .waiting(condition: "Open", reason: "shut")
                    }
                ])
                let first = try await Toy.start(definition, id: 1, lane: "lane", in: running.log)
                let engine = engine(running, [definition], "test")
                #expect(await engine.turn() == 1)
                let second = try await Toy.start(definition, id: 2, lane: "lane", in: running.log)
                let meanwhile = MeanwhileLog(log: running.log, reading: second) {
                    isOpen.withLock { $0 = true }
                    try? await owner.with { connection throws(PostgresError) in
                        _ = try connection.run("UPDATE log.work SET wake_at = now() WHERE status = 'waiting'")
                    }
                    _ = await engine.turn()
                }
                let rebuild = WorkRebuild(log: meanwhile, queue: running.queue, definitions: [definition])
                #expect(try await rebuild.run() == WorkRebuild.Report(restored: 2, skipped: []))
                let asleep = try await owner.with { connection throws(PostgresError) in
                    try connection.run("SELECT status FROM log.work WHERE wake_at IS NULL ORDER BY stream_id").column(
                        String.self
                    )
                }
                #expect(asleep == ["completed"])
                while await engine.turn() > 0 {}
                let done = try await running.queue.list(kinds: nil, statuses: ["completed"]).map(\.stream)
                #expect(Set(done) == [first, second])
            }
            await owner.close()
        }
    }

    private func status(_ row: String) -> String? {
        row.split(separator: "\"status\": \"").last?.split(separator: "\"").first.map(String.init)
    }

    private func rows(_ owner: Pool) async throws -> [String] {
        try await owner.with { connection throws(PostgresError) in
            try connection.run(
                """
                SELECT (to_jsonb(w) - '{fence,owner,lease_until,nudge_at}'::text[])::text
                  FROM log.work AS w
                 ORDER BY w.stream_id
                """
            ).column(String.self)
        }
    }

    private func fences(_ owner: Pool) async throws -> [Int64] {
        try await owner.with { connection throws(PostgresError) in
            try connection.run("SELECT fence FROM log.work ORDER BY stream_id").column(Int64.self)
        }
    }

    @Test("two engines share the work; what one drops is taken over, and nothing takes effect twice")
    func shared() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let effects = Mutex<[String: Int]>([:])
                let definition = Toy.definition(
                    ["one", "two", "three"].map { step in
                        .toy(step) { context in
                            effects.withLock { $0["\(context.saga)/\(step)", default: 0] += 1 }
                            return .done
                        }
                    }
                )
                for id in 1...60 as ClosedRange<UInt64> {
                    _ = try await Toy.start(definition, id: id, in: running.log)
                }
                let engines = ["a", "b"].map { engine(running, [definition], $0) }
                await withTaskGroup(of: Void.self) { group in
                    for engine in engines { group.addTask { await engine.run() } }
                    try? await eventually(within: .seconds(30)) {
                        try await running.queue.list(kinds: nil, statuses: ["completed"]).count == 60
                    }
                    for engine in engines { engine.stop() }
                }
                #expect(effects.withLock { $0.count } == 180)
                #expect(effects.withLock { $0.values.allSatisfy { $0 == 1 } })
            }
        }
    }

    @Test("an engine that is stopped gives back what it holds; one that says nothing is taken over when its lease ends")
    func takenOver() async throws {
        try await withDatabase { database in
            try await withLog(in: database) { running in
                let begun = Tally()
                let isStuck = Mutex(true)
                let definition = Toy.definition([
                    .toy("hang", policy: StepPolicy(target: "", timeout: .seconds(60))) { _ throws(PortError) in
                        begun.add()
                        while isStuck.withLock({ $0 }) {
                            do { try await Task.sleep(for: .milliseconds(5)) } catch {
                                throw PortError.unknown(code: "broken-off", message: "told to stop")
                            }
                        }
                        return .done
                    }
                ])
                let clock = ContinuousClock()
                let stream = try await Toy.start(definition, id: 1, in: running.log)

                let first = engine(running, [definition], "first")
                let running1 = Task { await first.run() }
                try await eventually { begun.count == 1 }
                let stopped = clock.now
                first.stop()
                await running1.value
                let second = engine(running, [definition], "second")
                let items = try await running.queue.claim(
                    kinds: [Toy.kind],
                    owner: "silent",
                    limit: 1,
                    lease: .seconds(2)
                )
                print("given back \(stopped.duration(to: clock.now)) after the stop")
                #expect(items.map(\.stream) == [stream])
                let held = try #require(items.first)

                // The holder says nothing from here on.
                let silent = clock.now
                isStuck.withLock { $0 = false }
                let running2 = Task { await second.run() }
                try await eventually(within: .seconds(20)) {
                    try await running.queue.list(kinds: nil, statuses: ["completed"]).count == 1
                }
                print(
                    "taken over \(silent.duration(to: clock.now)) after the last sign of a holder with a lease of 2 s"
                )
                second.stop()
                await running2.value
                await #expect(throws: AppendError.fenced) {
                    try await running.log.append(
                        AppendRequest(
                            causation: Causation(actor: "saga-toy", command: UniqueID(1)),
                            writes: [],
                            work: [
                                WorkUpdate(
                                    stream,
                                    guard: .holding(fence: held.fence),
                                    kind: Toy.kind,
                                    status: "running"
                                )
                            ]
                        )
                    )
                }
            }
        }
    }

    @Test("reading the whole log again starts nothing")
    func reread() async throws {
        let simulation = try await Simulation()
        try await simulation.provision()
        let count = simulation.log.events.count
        for _ in 0..<3 { try await simulation.start() }
        try await simulation.settle(try simulation.engine())
        #expect(simulation.log.events.count == count)
        #expect(simulation.world.read { $0.subscriptions.map(\.activations) } == [1])
    }
}

/// A log in which something happens right before a stream is read for the first time.
private final class MeanwhileLog: EventLogWrapper {
    let log: any EventLog
    private let stream: StreamName
    private let deed: @Sendable () async -> Void
    private let isDone = Mutex(false)

    init(log: any EventLog, reading stream: StreamName, _ deed: @escaping @Sendable () async -> Void) {
        (self.log, self.stream, self.deed) = (log, stream, deed)
    }

    func read(_ stream: StreamName, after version: Int64, limit: Int) async throws(LogError) -> [RecordedEvent] {
        let isFirst =
            stream == self.stream
            && isDone.withLock { done in
                defer { done = true }; return !done
            }
        if isFirst { await deed() }
        return try await log.read(stream, after: version, limit: limit)
    }
}
