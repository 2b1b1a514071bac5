package import EventStore
package import Kernel
package import Logging
internal import Synchronization

/// Drives every saga that is due: claims it, does its steps, records what came of them.
///
/// Any number of engines may run, in any number of processes: a saga belongs to whoever holds its lease, and whoever
/// has lost it drops everything silently. Claiming is also how the work of a dead process is taken over.
package struct SagaEngine: Sendable {
    /// Returns when something may be due, or after so long.
    package typealias Wakeup = @Sendable (Duration) async -> Void

    let log: any EventLog
    let queue: any WorkQueue
    let definitions: SagaDefinitions
    let settings: EngineSettings
    let owner: String
    let ids: IDSource
    let logger: Logger
    let recorder: FactRecorder
    let snapshots: SnapshotKeeper?
    let targets: any TargetBoard
    private let wakeup: Wakeup
    private let pausing: Wakeup
    private let stopping = StopFlag()

    /// Makes an engine; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - log: Where sagas and what they are about are recorded.
    ///   - queue: The leases, in the same store.
    ///   - definitions: Every saga that this build knows.
    ///   - owner: Who holds the leases, for people: host and process id.
    ///   - settings: How patient it is.
    ///   - ids: Time and chance.
    ///   - logger: For operators.
    ///   - snapshots: What spares long streams from being read whole.
    ///   - targets: What is known of the outside, by all processes together.
    ///   - wakeup: Rings when work was appended; without it, only time wakes the engine.
    ///   - pausing: How time passes between two looks at something; tests turn their own clock.
    package init(
        log: any EventLog,
        queue: any WorkQueue,
        definitions: [SagaDefinition],
        owner: String,
        settings: EngineSettings = EngineSettings(),
        ids: IDSource = .system,
        logger: Logger = Logger(label: "signalbox.sagas"),
        snapshots: SnapshotKeeper? = nil,
        targets: any TargetBoard = UnlimitedTargets(),
        wakeup: @escaping Wakeup = Self.sleep,
        pausing: @escaping Wakeup = Self.sleep
    ) {
        self.log = log
        self.queue = queue
        self.definitions = SagaDefinitions(definitions)
        self.settings = settings
        self.owner = owner
        self.ids = ids
        self.logger = logger
        self.recorder = FactRecorder(log: log, ids: ids, snapshots: snapshots)
        self.snapshots = snapshots
        self.targets = targets
        self.wakeup = wakeup
        self.pausing = pausing
    }

    /// A wake-up by a bell, which hears what rang between two waits, too.
    package static func wakeup(by bell: Bell) -> Wakeup {
        let heard = Heard(bell.count)
        return { span in
            await bell.wait(after: heard.count, atMost: span)
            heard.count = bell.count
        }
    }

    /// Lets time pass; ends early when the task is cancelled.
    package static let sleep: Wakeup = { span in
        // Cancellation is all that can be thrown, and it ends the pause.
        try? await Task.sleep(for: span)
    }

    /// Works until it is stopped or cancelled; returns when no saga is in its hands any more.
    package func run() async {
        let busy = Busy()
        await withDiscardingTaskGroup { group in
            while !isStopping, !Task.isCancelled {
                let start = ContinuousClock.now
                let items = await claim(limit: settings.parallel - busy.count)
                for item in items {
                    busy.enter()
                    group.addTask {
                        await drive(item, since: start)
                        busy.leave()
                    }
                }
                if items.isEmpty { await wakeup(settings.poll) }
            }
            // A step that is nearly done is done; one that is not is broken off, and whoever takes over looks what is there.
            let end = ContinuousClock.now + settings.grace
            while busy.count > 0, ContinuousClock.now < end, !Task.isCancelled { await Self.sleep(.milliseconds(10)) }
            group.cancelAll()
        }
    }

    /// Takes what is due now and works on it until it waits or ends.
    ///
    /// - Returns: How many sagas were due.
    package func turn() async -> Int {
        let start = ContinuousClock.now
        let items = await claim(limit: settings.parallel)
        for item in items { await drive(item, since: start) }
        return items.count
    }

    /// Ends ``run()`` soon, and gives the leases back: steps that are under way have a moment to end.
    package func stop() {
        stopping.raise()
    }

    var isStopping: Bool { stopping.isRaised }

    func pause(_ span: Duration) async {
        await pausing(span)
    }

    /// A little more time for each failure in a row of something of our own.
    ///
    /// A stop ends it soon.
    func rest(_ attempt: Int) async {
        var left = 50 << min(attempt, 6)
        while left > 0, !isStopping, !Task.isCancelled {
            await pausing(.milliseconds(min(left, 100)))
            left -= 100
        }
    }

    func release(_ item: WorkItem, after: Duration = .zero) async {
        do throws(LogError) {
            try await queue.release(item, after: after)
        } catch {
            // The lease runs out by itself.
            logger.info("a lease was not given back", metadata: ["saga": "\(item.stream)", "error": "\(error)"])
        }
    }

    private func claim(limit: Int) async -> [WorkItem] {
        guard limit > 0 else { return [] }
        do throws(LogError) {
            return try await queue.claim(kinds: definitions.kinds, owner: owner, limit: limit, lease: settings.lease)
        } catch {
            logger.warning("no work can be claimed", metadata: ["error": "\(error)"])
            await rest(4)
            return []
        }
    }

    private func drive(_ item: WorkItem, since start: ContinuousClock.Instant) async {
        let offset = item.claimedAt.map { $0 - ids.now() } ?? .zero
        var history = SagaHistory(item.stream)
        do throws(SagaHistory.Failure) {
            try await history.refresh(log, snapshots)
        } catch { return await unread(item, error) }
        guard let definition = definitions.definition(of: history.state) else {
            return await unknown(item, history.state)
        }
        let lease = SagaLease(item, in: queue, span: settings.lease, since: start)
        var run = SagaRun(
            engine: self,
            item: item,
            definition: definition,
            history: history,
            lease: lease,
            offset: offset
        )
        await run.drive()
    }
}

/// Set once, by whoever wants an end.
private final class StopFlag: Sendable {
    private let raised = Atomic(false)
    var isRaised: Bool { raised.load(ordering: .relaxed) }
    func raise() { raised.store(true, ordering: .relaxed) }
}

/// How often a bell had rung when somebody last listened.
private final class Heard: Sendable {
    private let number: Atomic<Int>
    init(_ count: Int) { number = Atomic(count) }
    var count: Int {
        get { number.load(ordering: .relaxed) }
        set { number.store(newValue, ordering: .relaxed) }
    }
}

/// How many sagas are in the engine's hands.
private final class Busy: Sendable {
    private let number = Atomic(0)
    var count: Int { number.load(ordering: .relaxed) }
    func enter() { number.add(1, ordering: .relaxed) }
    func leave() { number.subtract(1, ordering: .relaxed) }
}
