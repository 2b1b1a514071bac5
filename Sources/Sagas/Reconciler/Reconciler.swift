internal import Domain
package import EventStore
package import Kernel
package import Logging
internal import Metrics
package import Platform

/// Compares, again and again, what should be there with what is there, and has repaired what differs.
///
/// It changes nothing itself: it records `instance.drift-detected`, which starts a repair saga in the lane of the
/// instance, or a condition that tells people. Of all processes the one that has the lease sweeps.
package struct Reconciler: Sendable {
    /// How it goes about it; the defaults are production's.
    package struct Settings: Sendable {
        package var planner: Planner.Settings
        /// Between two sweeps; drawn a tenth shorter or longer each time.
        package var period: Duration
        /// How long a dead process may keep others from sweeping.
        package var lease: Duration
        /// How often to look for the lease.
        package var patrol: Duration

        package init(
            planner: Planner.Settings = Planner.Settings(),
            period: Duration = .seconds(60),
            lease: Duration = .seconds(20),
            patrol: Duration = .seconds(2)
        ) {
            self.planner = planner
            self.period = period
            self.lease = lease
            self.patrol = patrol
        }
    }

    static let kind = "reconciler"
    static let stream = StreamName(category: "reconciler", id: "targets")

    private let log: any EventLog
    private let queue: any WorkQueue & WorkBoard
    private let inventory: any Inventory
    private let names: Names
    private let owner: String
    private let settings: Settings
    private let planner: Planner
    private let ids: IDSource
    private let logger: Logger

    /// Makes a reconciler; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - log: What it folds, and where it records what it finds.
    ///   - queue: Who leases, and which lanes are taken.
    ///   - inventory: What there is.
    ///   - names: What things are called.
    ///   - owner: Names this process in leases.
    ///   - settings: How careful it is.
    ///   - ids: Time and chance.
    ///   - logger: For operators.
    package init(
        log: any EventLog,
        queue: any WorkQueue & WorkBoard,
        inventory: any Inventory,
        names: Names,
        owner: String,
        settings: Settings = Settings(),
        ids: IDSource = .system,
        logger: Logger = Logger(label: "signalbox.reconciler")
    ) {
        self.log = log
        self.queue = queue
        self.inventory = inventory
        self.names = names
        self.owner = owner
        self.settings = settings
        self.planner = Planner(settings: settings.planner, names: names)
        self.ids = ids
        self.logger = logger
    }

    /// Sweeps until it is cancelled, whenever it has the lease.
    package func run() async {
        var entered = false
        // What never happened is told, too.
        for kind in DriftKind.allCases { Self.drifts(kind.rawValue).increment(by: 0) }
        while !Task.isCancelled {
            if !entered { entered = await enter() }
            for item in entered ? await claim() : [] {
                await queue.hold(item, lease: settings.lease) {
                    await keepSweeping()
                    return Task.isCancelled
                }
            }
            // Cancelled early, the loop ends.
            try? await Task.sleep(for: settings.patrol)
        }
    }

    private func enter() async -> Bool {
        let update = WorkUpdate(
            Self.stream,
            guard: .create,
            kind: Self.kind,
            status: "queued",
            wakeAt: WorkUpdate.atOnce
        )
        let causation = Causation(actor: "system", command: ids.unique())
        do throws(AppendError) {
            _ = try await log.append(AppendRequest(causation: causation, writes: [], work: [update]))
            return true
        } catch { return false }
    }

    private func claim() async -> [WorkItem] {
        // Who cannot ask now asks again.
        (try? await queue.claim(kinds: [Self.kind], owner: owner, limit: 1, lease: settings.lease)) ?? []
    }

    private func keepSweeping() async {
        var sweeper = Sweep()
        while !Task.isCancelled {
            do throws(LogError) {
                _ = try await sweep(&sweeper)
            } catch {
                logger.warning("nothing is compared now", metadata: ["error": "\(error)"])
                // A log that broke its promise is folded anew.
                sweeper = Sweep()
            }
            let tenth = settings.period.milliseconds / 10
            let jitter = tenth == 0 ? 0 : Int64(ids.random() % UInt64(2 * tenth)) - tenth
            // Cancelled early, the loop ends.
            try? await Task.sleep(for: settings.period + .milliseconds(jitter))
        }
    }

    /// What one sweep leaves to the next.
    package struct Sweep: Sendable {
        var view = DesiredView()
        package internal(set) var memory = Planner.Memory()

        package init() {}
    }

    /// One look at everything.
    ///
    /// - Returns: What was decided.
    /// - Throws: ``EventStore/LogError``.
    package func sweep(_ state: inout Sweep) async throws(LogError) -> Planner.Plan {
        // What is there is looked at first: what is wanted is never older than what was seen.
        let observed = await observe()
        let busy = Set(try await queue.list(kinds: nil, statuses: SagaEngine.activeStatuses).map(\.lane))
        try await state.view.catchUp(log)
        let desired = state.view.desired(busy: busy, names)
        let plan = planner.plan(desired, observed, &state.memory, at: ids.now())
        await record(plan, state.view)
        await tell(plan)
        return plan
    }

    /// A target that does not answer says nothing about what is there; the others are compared all the same.
    private func observe() async -> ObservedTargets {
        var observed = ObservedTargets()
        observed.databases = await listed("tenant-postgres") { () async throws(PortError) in
            try await inventory.databases()
        }
        observed.roles = await listed("tenant-postgres") { () async throws(PortError) in try await inventory.roles() }
        observed.jobs = await listed("nomad") { () async throws(PortError) in try await inventory.jobs() }
        observed.subscriptions = await listed("billing") { () async throws(PortError) in
            try await inventory.subscriptions()
        }
        return observed
    }

    private func listed<Item: Sendable & Equatable>(
        _ target: String,
        _ list: () async throws(PortError) -> Listing<Item>
    ) async -> Listing<Item> {
        do throws(PortError) {
            let listing = try await list()
            count(target, listing.isComplete ? "complete" : "partial")
            return listing
        } catch {
            count(target, "failed")
            logger.notice("a target cannot be listed", metadata: ["target": "\(target)", "error": "\(error)"])
            return .unknown
        }
    }

    private func count(_ target: String, _ result: String) {
        Counter(
            label: "signalbox_reconciler_listings_total",
            dimensions: [("target", target), ("result", result)]
        ).increment()
    }

    /// One append for each instance, at the version that was compared: who moved on meanwhile is looked at again.
    private func record(_ plan: Planner.Plan, _ view: DesiredView) async {
        var news: [InstanceID: [InstanceEvent]] = [:]
        for (key, drift) in plan.repaired { news[key.instance, default: []].append(.driftRepaired(drift)) }
        for (key, drift) in plan.detected { news[key.instance, default: []].append(.driftDetected(drift)) }
        for (instance, conditions) in plan.conditions {
            news[instance, default: []] += conditions.map { .observed($0) }
        }
        for (instance, events) in news {
            guard let known = view.known[instance] else { continue }
            do {
                let new = try events.map { event in
                    NewEvent(
                        id: ids.unique(),
                        type: event.name.rawValue,
                        schemaVersion: event.schemaVersion,
                        payload: try event.payload()
                    )
                }
                let write = StreamWrite(
                    StreamName(category: InstanceEvent.category, id: instance),
                    organization: known.organization,
                    expecting: .version(known.version),
                    events: new
                )
                let causation = Causation(actor: "system", command: ids.unique(), cause: known.last)
                _ = try await log.append(AppendRequest(causation: causation, writes: [write]))
            } catch {
                // What failed for one instance must not keep the others from being looked after.
                logger.info("a finding was not recorded", metadata: ["instance": "\(instance)", "error": "\(error)"])
            }
        }
    }

    private static func drifts(_ what: String) -> Counter {
        Counter(label: "signalbox_reconciler_drifts_total", dimensions: [("what", what)])
    }

    private func tell(_ plan: Planner.Plan) async {
        for drift in plan.detected.values {
            Self.drifts(drift.what).increment()
            logger.notice(
                "a drift was detected",
                metadata: [
                    "what": "\(drift.what)", "name": "\(drift.name ?? "")", "expected": "\(drift.expected)",
                    "observed": "\(drift.observed)",
                ]
            )
        }
        Gauge(label: "signalbox_reconciler_braked").record(plan.braked)
        Gauge(label: "signalbox_reconciler_alarms").record(plan.alarms.count)
        if plan.braked > 0 {
            logger.critical("too much would be taken away at once", metadata: ["count": "\(plan.braked)"])
        }
        for alarm in plan.alarms {
            logger.error("something is wrong that only people can mend", metadata: ["what": "\(alarm)"])
        }
        let stuck = WorkFilter(category: SagaEvent.category, stuckAt: ids.now())
        if let page = try? await queue.rows(stuck, after: nil, limit: 1000) {
            Gauge(label: "signalbox_sagas_stuck").record(page.rows.count)
        }
    }
}
