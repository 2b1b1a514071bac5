package import EventStore
package import Kernel
package import Logging
internal import Metrics

/// Keeps the log sealed: every second, or sooner when many events have come.
///
/// Any number of processes may run one; the one that has the lease seals, and the others wait to take over.
package struct SealerRunner: Sendable {
    /// How it goes about it.
    package struct Settings: Sendable {
        /// How long a dead process may keep others from sealing.
        package var lease: Duration
        /// How often to look for the lease.
        package var patrol: Duration
        /// How often to seal what has come.
        package var interval: Duration
        /// So many events are sealed without waiting for the interval to end.
        package var batch: Int64

        package init(
            lease: Duration = .seconds(5),
            patrol: Duration = .milliseconds(500),
            interval: Duration = .seconds(1),
            batch: Int64 = 4096
        ) {
            self.lease = lease
            self.patrol = patrol
            self.interval = interval
            self.batch = batch
        }
    }

    /// What the leased work is called.
    static let kind = "sealer"
    static let stream = StreamName(category: "sealer", id: "log")

    /// What is wrong, if anything.
    package let state = SealerState()

    private let sealer: Sealer
    private let log: any EventLog
    private let work: any WorkQueue
    private let ids: IDSource
    private let owner: String
    private let settings: Settings
    private let logger: Logger

    /// - Parameters:
    ///   - sealer: What is done with the lease.
    ///   - log: Where the leased work is entered, and how far the log is.
    ///   - work: Who leases.
    ///   - ids: Where command ids come from.
    ///   - owner: Names this process in leases.
    ///   - settings: How it goes about it.
    ///   - logger: Where it tells what went wrong.
    package init(
        sealer: Sealer,
        log: any EventLog,
        work: any WorkQueue,
        ids: IDSource = .system,
        owner: String,
        settings: Settings = Settings(),
        logger: Logger
    ) {
        self.sealer = sealer
        self.log = log
        self.work = work
        self.ids = ids
        self.owner = owner
        self.settings = settings
        self.logger = logger
    }

    /// Seals until the task is cancelled, then gives its lease back; outlives anything that can happen to the database.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await measure() }
            var entered = false
            while !Task.isCancelled {
                if !entered { entered = await enter() }
                for item in entered ? await claim() : [] { await drive(item) }
                // Cancelled early, the loop ends.
                try? await Task.sleep(for: settings.patrol)
            }
            group.cancelAll()
        }
    }

    /// Makes the leased work, unless it is there.
    private func enter() async -> Bool {
        let update = WorkUpdate(Self.stream, guard: .create, kind: Self.kind, status: "queued", wakeAt: ids.now())
        let causation = Causation(actor: "system", command: ids.unique())
        do throws(AppendError) {
            _ = try await log.append(AppendRequest(causation: causation, writes: [], work: [update]))
            return true
        } catch {
            logger.debug("sealing cannot be entered", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func claim() async -> [WorkItem] {
        do throws(LogError) {
            return try await work.claim(kinds: [Self.kind], owner: owner, limit: 1, lease: settings.lease)
        } catch {
            logger.debug("sealing cannot be claimed", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// Seals for as long as the lease can be held.
    private func drive(_ item: WorkItem) async {
        await work.hold(item, lease: settings.lease) {
            await keepSealing(item)
            // It ends by itself only when it was fenced.
            return Task.isCancelled
        }
        state.set(nil)
    }

    /// Returns when the lease is gone or the task is cancelled.
    private func keepSealing(_ item: WorkItem) async {
        while !Task.isCancelled {
            do throws(AuditError) {
                var head = try await sealer.turn(item)
                while !Task.isCancelled, try await backlog(behind: head) >= settings.batch {
                    head = try await sealer.turn(item)
                }
                state.set(nil)
                await pause(behind: head)
            } catch {
                if case .fenced = error { return }
                if Task.isCancelled { return }
                tell(error)
                // Cancelled early, the loop ends.
                try? await Task.sleep(for: settings.interval)
            }
        }
    }

    private func backlog(behind head: TreeHead) async throws(AuditError) -> Int64 {
        do throws(LogError) { return try await log.frontier() - head.size } catch { throw AuditError(error) }
    }

    /// Waits for the interval to end or for a batch to be there, looking four times.
    private func pause(behind head: TreeHead) async {
        for _ in 0..<4 {
            do { try await Task.sleep(for: settings.interval / 4) } catch { return }
            // Who cannot look waits.
            if let backlog = try? await backlog(behind: head), backlog >= settings.batch { return }
        }
    }

    /// Says once what is wrong, for as long as it is the same.
    private func tell(_ error: AuditError) {
        let problem =
            switch error {
            case .refused(let refusal): "nothing is signed: \(refusal)"
            case .violated(let promise): "nothing is signed: \(promise)"
            case .unavailable, .fenced: "the log cannot be sealed now"
            }
        guard state.problem != problem else { return }
        state.set(problem)
        logger.error("the log is not sealed", metadata: ["error": "\(error)"])
    }

    // MARK: Metrics

    /// How far the tree is, from the database, whoever seals.
    package func progress() async throws(AuditError) -> SealingProgress {
        let head = try await sealer.store.head(signed: true)
        return SealingProgress(
            sealed: head.size,
            frontier: try await backlog(behind: head) + head.size,
            sealedAt: head.sealedAt
        )
    }

    private func measure() async {
        let sealed = Gauge(label: "signalbox_audit_sealed_position")
        let lag = Gauge(label: "signalbox_audit_lag_events")
        let age = Gauge(label: "signalbox_audit_checkpoint_age_seconds")
        let problems = Gauge(label: "signalbox_audit_problems")
        while !Task.isCancelled {
            if let progress = try? await progress() {
                sealed.record(progress.sealed)
                lag.record(progress.lag)
                let since = progress.sealedAt.map { ids.now().microseconds - $0.microseconds } ?? 0
                age.record(Double(max(0, since)) / 1_000_000)
            }
            problems.record(state.problem == nil ? 0 : 1)
            // Cancelled early, the loop ends.
            try? await Task.sleep(for: settings.interval)
        }
    }
}
