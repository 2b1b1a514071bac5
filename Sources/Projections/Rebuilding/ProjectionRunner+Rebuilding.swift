internal import EventStore
internal import Kernel
internal import Logging
internal import Postgres

extension ProjectionRunner {
    /// The kind of leased work that is a rebuild.
    static let rebuildKind = "projection.rebuild"
    /// Longer than anything that asks for a rebuild waits for the log.
    private static let longestOpening = Duration.seconds(60)

    /// Drives rebuilds, one at a time, until the task is cancelled.
    func keepRebuilding() async {
        while !Task.isCancelled {
            let heard = prompt.count
            guard await driveRebuild() else {
                await abandonUnnoted(after: Self.longestOpening)
                await prompt.wait(after: heard, atMost: settings.patrol * 2)
                continue
            }
        }
    }

    /// Drives a rebuild that waits for somebody, as far as it goes.
    ///
    /// - Returns: Whether there was one.
    package func driveRebuild() async -> Bool {
        let items = try? await work.claim(kinds: [Self.rebuildKind], owner: owner, limit: 1, lease: settings.lease)
        guard let item = items?.first else { return false }
        guard let build = Build(parsing: item.stream.id.split(separator: ".")),
            let projection = projections.first(where: { $0.name == build.name && $0.shape == build.shape })
        else {
            // Another version of the program knows it.
            try? await work.release(item, after: .seconds(5))
            return false
        }
        await work.hold(item, lease: settings.lease) {
            await rebuild(projection, build, fence: item.fence)
            do {
                return try await settle(build, item)
            } catch {
                logger.warning("what became of a rebuild cannot be noted", metadata: ["error": "\(error)"])
                return true
            }
        }
        return true
    }

    /// Ends rebuilds that were opened so long ago and never noted in the log: whoever asked for them was gone before.
    ///
    /// Nobody would drive them, and no other rebuild of that read model could be had.
    func abandonUnnoted(after age: Duration) async {
        do {
            let untouched = try await pool.with { connection throws(PostgresError) in
                try connection.untouchedRebuilds(after: age)
            }
            guard !untouched.isEmpty else { return }
            let waiting = try await work.list(kinds: [Self.rebuildKind], statuses: ["queued", "running", "waiting"])
            let noted = Set(waiting.map(\.stream.text))
            for build in untouched where !noted.contains(build.rebuildStream) {
                _ = try await pool.with { connection throws(PostgresError) in
                    try connection.drop(build, as: .failed, error: "it was asked for, and never noted in the log")
                }
            }
        } catch {
            logger.notice("rebuilds that nobody noted stay for now", metadata: ["error": "\(error)"])
        }
    }

    private func rebuild<P: Projection>(_ projection: P.Type, _ build: Build, fence: Int64) async {
        var logger = logger
        logger[metadataKey: "projection"] = "\(P.name)"
        logger[metadataKey: "build"] = "\(build.number)"
        let rebuilder = Rebuilder<P>(
            pool: pool,
            log: log,
            build: build,
            fence: fence,
            settings: settings.rebuild,
            logger: logger
        )
        let stop = await rebuilder.run()
        logger.info("a rebuild is not driven any further", metadata: ["why": "\(stop)"])
    }

    /// Has the queue say what the tables say about a rebuild, and has what it made kept fed.
    ///
    /// - Returns: Whether the lease is still held.
    /// - Throws: What the database or the log has against it; it is done again then.
    private func settle(_ build: Build, _ item: WorkItem) async throws -> Bool {
        let slices = try await pool.with { connection throws(PostgresError) in
            try connection.fedSlices(build.name, shape: build.shape)
        }
        try await enter(slices.filter { $0.build == build })
        // The others see it a moment later; a process that does not feed takes no share.
        if !holdings.shares.isEmpty { try await share() }
        let state = try await pool.with { connection throws(PostgresError) in
            try connection.standing(of: build)
        }
        switch state {
        case .open:
            return true
        case .paused:
            try await update(item, "waiting")
            // Somebody may have had it go on in between.
            let isPaused = try await pool.with { connection throws(PostgresError) in
                try connection.standing(of: build) == .paused
            }
            if !isPaused { try await wake(build) }
            return false
        case .ended:
            // As long as the lease is held: what comes after is cut short when there is nothing left to renew.
            await retire(build.name, shape: build.shape)
            try await update(item, "completed")
            return false
        }
    }

    /// Gives leased work back in another state, due never by itself.
    func update(_ item: WorkItem, _ status: String) async throws {
        let update = WorkUpdate(item.stream, guard: .holding(fence: item.fence), kind: item.kind, status: status)
        let causation = Causation(actor: "system", command: ids.unique())
        _ = try await log.append(AppendRequest(causation: causation, writes: [], work: [update]))
    }

    /// Has a rebuild be driven, by whoever comes first.
    func wake(_ build: Build) async throws {
        guard let stream = StreamName(build.rebuildStream) else { return }
        let causation = Causation(actor: "system", command: ids.unique())
        let due = WorkUpdate.atOnce
        let updates = [
            WorkUpdate(stream, guard: .wake, kind: Self.rebuildKind, status: "waiting", wakeAt: due)
        ]
        _ = try await log.append(AppendRequest(causation: causation, writes: [], work: updates))
        prompt.ring()
    }

    /// Drops what nothing would go back to any more; what a reader still holds is left for the next time.
    func retire(_ name: String, shape: Int) async {
        do {
            try await pool.with { connection throws(PostgresError) in
                for build in try connection.retired(name, shape: shape) { _ = try connection.drop(build) }
            }
        } catch {
            logger.notice("an old build stays for now", metadata: ["error": "\(error)"])
        }
    }
}

/// Whether a rebuild has to be driven.
enum RebuildStanding: Sendable {
    case open, paused, ended
}

extension Connection {
    func standing(of build: Build) throws(PostgresError) -> RebuildStanding {
        let rows = try run(
            """
            SELECT paused, ended_at IS NOT NULL FROM rm.rebuild
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
            """
        )
        guard rows.count == 1 else { return .ended }
        let (paused, hasEnded) = try rows.decode(0, Bool.self, Bool.self)
        return hasEnded ? .ended : paused ? .paused : .open
    }
}
