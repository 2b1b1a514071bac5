import Domain
import EventStore
import Kernel
import Logging
import Platform
import SignalboxTestKit
import Synchronization

@testable import Sagas

/// A saga of nothing but what a test gives it, in a log of memory, on a clock that only the test moves.
final class Toy: Sendable {
    let log: MemoryLog
    let queue: any WorkQueue
    /// How far the engine's clock is ahead of the log's.
    let skew = Mutex(Duration.zero)
    let clock: ToyTime

    static let kind = "toy"

    init() {
        let time = ToyTime()
        log = MemoryLog(ids: IDSource(now: { time.now() }, random: { 0 }))
        queue = log
        clock = time
    }

    /// What the engine takes for the time.
    var ids: IDSource {
        IDSource(
            now: { self.clock.now() + self.skew.withLock { $0 } },
            random: { self.clock.random() }
        )
    }

    func advance(_ span: Duration) { clock.advance(span) }

    static func definition(
        kind: String = Toy.kind,
        version: Int = 1,
        _ steps: [SagaStep]
    ) -> SagaDefinition {
        SagaDefinition(
            kind: kind,
            version: version,
            steps: steps,
            begin: { (cause, _) throws(SagaBeginError) in
                SagaBeginning(subject: cause.stream, lane: cause.stream.text, organization: nil, input: .object([:]))
            },
            scope: { _ in "toy" },
            failed: { _, _ in [] }
        )
    }

    func engine(
        _ definitions: [SagaDefinition],
        settings: EngineSettings = EngineSettings(),
        log: (any EventLog)? = nil,
        targets: any TargetBoard = UnlimitedTargets()
    ) -> SagaEngine {
        SagaEngine(
            log: log ?? self.log,
            queue: queue,
            definitions: definitions,
            owner: "test",
            settings: settings,
            ids: ids,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            targets: targets,
            pausing: { [clock] span in clock.advance(span) }
        )
    }

    /// Starts a run as the starter does.
    func start(
        _ definition: SagaDefinition,
        id: UInt64,
        lane: String = "",
        parent: StreamName? = nil,
        position: Int64? = nil
    ) async throws -> StreamName {
        try await Toy.start(definition, id: id, lane: lane, parent: parent, position: position, in: log)
    }

    static func start(
        _ definition: SagaDefinition,
        id: UInt64,
        lane: String = "",
        parent: StreamName? = nil,
        position: Int64? = nil,
        in log: any EventLog
    ) async throws -> StreamName {
        let cause = UniqueID(UInt128(id))
        let stream = try SagaCause.stream(kind: definition.kind, cause: cause).asStream
        let started = SagaEvent.started(
            .init(
                kind: definition.kind,
                definition: definition.version,
                subject: lane.isEmpty ? "thing-1" : lane,
                lane: lane,
                cause: cause,
                input: .object([:]),
                steps: definition.steps.map(\.id),
                deadline: Timestamp(microseconds: 1_790_001_800_000_000),
                parent: parent?.text,
                position: position
            )
        )
        let event = NewEvent(id: IDSource.system.unique(), type: started.name.rawValue, payload: try started.payload())
        _ = try await log.append(
            AppendRequest(
                causation: Causation(actor: "saga-\(definition.kind)", command: cause, cause: cause),
                writes: [StreamWrite(stream, expecting: .none, events: [event])],
                work: [
                    WorkUpdate(
                        stream,
                        guard: .create,
                        kind: definition.kind,
                        lane: lane,
                        status: "queued",
                        step: definition.steps.first?.id ?? "",
                        target: definition.steps.first?.policy.target ?? "",
                        wakeAt: WorkUpdate.atOnce,
                        deadline: Timestamp(microseconds: 1_790_001_800_000_000)
                    )
                ]
            )
        )
        return stream
    }

    func status(_ stream: StreamName) async throws -> String? {
        let all = SagaEngine.activeStatuses + ["completed", "compensated", "abandoned", "superseded"]
        return try await log.list(kinds: nil, statuses: all).first { $0.stream == stream }?.status
    }

    /// What happened to a saga, by name.
    func types(_ stream: StreamName) -> [String] {
        log.events.filter { $0.stream == stream }.map { String($0.type.dropFirst("saga.".count)) }
    }
}

/// A clock that only others move, and a random generator with a seed.
final class ToyTime: Sendable {
    private let state = Mutex((now: Timestamp(microseconds: 1_790_000_000_000_000), seed: UInt64(1)))

    func now() -> Timestamp { state.withLock { $0.now } }
    func advance(_ span: Duration) { state.withLock { $0.now = $0.now + span } }
    func random() -> UInt64 {
        state.withLock { state in
            state.seed = state.seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state.seed
        }
    }
}

/// How often something was done.
final class Tally: Sendable {
    private let number = Mutex(0)
    var count: Int { number.withLock { $0 } }
    @discardableResult
    func add() -> Int {
        number.withLock {
            $0 += 1
            return $0
        }
    }
}

extension String {
    var asStream: StreamName {
        get throws {
            guard let stream = StreamName(self) else { throw LogError.violated("\(self) is no stream") }
            return stream
        }
    }
}

extension SagaStep {
    /// A step that does what the closure says, and nothing outside.
    static func toy(
        _ id: String,
        policy: StepPolicy = StepPolicy(target: ""),
        _ ensure: @escaping Ensure = { _ in .done }
    ) -> SagaStep {
        SagaStep(id, policy: policy, ensure: ensure)
    }

    /// A step that can be taken back.
    static func toy(
        _ id: String,
        policy: StepPolicy = StepPolicy(target: ""),
        undo: @escaping EnsureAbsent,
        _ ensure: @escaping Ensure = { _ in .done }
    ) -> SagaStep {
        SagaStep(id, policy: policy, ensure: ensure, ensureAbsent: undo)
    }
}
