package import EventStore
package import Kernel
package import Logging
internal import Metrics
package import Postgres

/// Keeps every read model of ``Registry`` fed.
///
/// Any number of processes may run one: each slice of a build is leased, and its checkpoint moves only for the holder
/// of the newest lease.
package struct ProjectionRunner: Sendable {
    /// How it goes about it.
    package struct Settings: Sendable {
        /// How long a dead process may keep others from its slices.
        package var lease: Duration
        /// How often to look for slices that nobody feeds.
        package var patrol: Duration
        /// How many events are folded in one transaction, at most.
        package var pageLimit: Int
        /// How many slices the first build of a read model has; what is there stays as it is.
        package var slices: Int
        /// How rebuilds go about it.
        package var rebuild: RebuildSettings
        /// How often to tell how far the read models are behind.
        package var look: Duration

        package init(
            lease: Duration = .seconds(5),
            patrol: Duration = .milliseconds(500),
            pageLimit: Int = 5000,
            look: Duration = .seconds(5),
            slices: Int = 16,
            rebuild: RebuildSettings = RebuildSettings()
        ) {
            self.lease = lease
            self.patrol = patrol
            self.pageLimit = pageLimit
            self.look = look
            self.slices = slices
            self.rebuild = rebuild
        }
    }

    let pool: Pool
    let log: any EventLog
    let work: any WorkQueue
    let feed: EventFeed
    let ids: IDSource
    let owner: String
    let projections: [any Projection.Type]
    let settings: Settings
    let logger: Logger
    /// The slices that this process has.
    let holdings = Holdings()
    /// Rings when there is leased work that was not there before.
    let prompt = Bell()

    /// - Parameters:
    ///   - pool: Connections of the role that owns the read models, `signalbox_project`; one for each projection is best.
    ///   - log: Where the leased work is entered, and how far the log is.
    ///   - work: Who leases.
    ///   - feed: What follows a position, and waits for it: usually ``LogFollower/feed``.
    ///   - ids: Where command ids come from.
    ///   - owner: Names this process in leases.
    ///   - projections: Those to feed.
    ///   - settings: How it goes about it.
    ///   - logger: Where it tells what went wrong.
    package init(
        pool: Pool,
        log: any EventLog,
        work: any WorkQueue,
        feed: @escaping EventFeed,
        ids: IDSource = .system,
        owner: String,
        projections: [any Projection.Type] = Registry.all,
        settings: Settings = Settings(),
        logger: Logger
    ) {
        self.pool = pool
        self.log = log
        self.work = work
        self.feed = feed
        self.ids = ids
        self.owner = owner
        self.projections = projections
        self.settings = settings
        self.logger = logger
    }

    /// Makes the tables of every read model that has none yet, so that queries find them; harmless when they are there.
    ///
    /// - Throws: ``PostgresError``.
    package func prepare() async throws(PostgresError) {
        let (projections, slices) = (projections, settings.slices)
        try await pool.with { connection throws(PostgresError) in
            try connection.prepareControl()
            for projection in projections { _ = try connection.liveBuild(of: projection, slices: slices) }
        }
    }

    /// Feeds until the task is cancelled, then gives its leases back.
    ///
    /// It outlives anything that can happen to the database.
    package func run() async {
        await enter()
        await withDiscardingTaskGroup { group in
            group.addTask { await watchLag() }
            group.addTask { await keepRebuilding() }
            group.addTask { await keepLeases() }
            group.addTask { await keepSharing() }
            while !Task.isCancelled {
                let heard = prompt.count
                for build in await claim() {
                    guard
                        let projection = projections.first(where: { $0.name == build.name && $0.shape == build.shape })
                    else { continue }
                    group.addTask { await keepFeeding(projection, build) }
                }
                await prompt.wait(after: heard, atMost: settings.patrol)
            }
        }
        await giveBack()
    }

    /// Makes the read models and the leased work that stands for them, however long the database takes.
    private func enter() async {
        var pause = Pause()
        while !Task.isCancelled {
            do {
                try await prepare()
                try await enterWork()
                _ = try await attend()
                return
            } catch {
                logger.error("read models cannot be prepared", metadata: ["error": "\(error)"])
                await pause.wait()
            }
        }
    }

    private func enterWork() async throws {
        let projections = projections
        let slices = try await pool.with { connection throws(PostgresError) in
            var slices: [(build: Build, slice: Int)] = []
            for projection in projections {
                slices += try connection.fedSlices(projection.name, shape: projection.shape)
            }
            return slices
        }
        try await enter(slices)
    }

    /// Makes the leased work that keeps slices fed; what is there stays as it is.
    func enter(_ slices: [(build: Build, slice: Int)]) async throws {
        let updates = slices.compactMap { build, slice in
            StreamName(build.stream(slice: slice)).map { stream in
                WorkUpdate(stream, guard: .create, kind: build.workKind, status: "queued", wakeAt: ids.now())
            }
        }
        guard !updates.isEmpty else { return }
        let causation = Causation(actor: "system", command: ids.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [], work: updates))
        prompt.ring()
    }

    /// Takes slices that nobody feeds, up to this process's share.
    ///
    /// - Returns: The builds that nobody here feeds yet.
    private func claim() async -> Set<Build> {
        var found: [WorkItem] = []
        for (kind, room) in holdings.room.sorted(by: { $0.key < $1.key }) {
            do throws(LogError) {
                found += try await work.claim(kinds: [kind], owner: owner, limit: room, lease: settings.lease)
            } catch {
                logger.debug("no projection can be claimed", metadata: ["error": "\(error)"])
                break
            }
        }
        return holdings.take(
            found.compactMap { item in
                Build.parse(item.stream.id).map { (build: $0.build, slice: $0.slice, item: item) }
            }
        )
    }
}

/// Waits that grow, from 100 ms to 5 s.
struct Pause: Sendable {
    private var next: Duration = .milliseconds(100)

    mutating func wait() async {
        // Cancelled early: the caller looks whether it is.
        try? await Task.sleep(for: next)
        next = min(next * 2, .seconds(5))
    }

    mutating func reset() {
        next = .milliseconds(100)
    }
}
