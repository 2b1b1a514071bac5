internal import EventStore
package import Kernel
internal import Postgres

/// What became of trying a blocked organization again.
package enum Unblocking: Sendable, Equatable {
    /// Its rows are where the others are.
    case unblocked
    /// The event at this position still cannot be folded.
    case blocked(position: Int64)
    /// It was not blocked.
    case notBlocked
    /// The log grew faster than it could be caught up with; try again.
    case outrun
}

extension ProjectionRunner {
    /// Folds what a blocked organization missed, in one transaction, and unblocks it.
    ///
    /// The checkpoint is held meanwhile, so that whoever feeds the slice waits and nothing is folded twice or never.
    ///
    /// - Parameters:
    ///   - projection: Which read model, in its live build.
    ///   - organization: `nil` stands for what belongs to no organization.
    /// - Returns: What became of it.
    /// - Throws: ``PostgresError``, ``LogError``.
    package func retry<P: Projection>(_ projection: P.Type, organization: OrganizationID?) async throws -> Unblocking {
        let id = organization?.value ?? 0
        guard
            let start = try await pool.with({ connection throws(PostgresError) in
                try connection.block(of: id, in: P.self)
            })
        else { return .notBlocked }
        var missed: [RecordedEvent] = []
        var read = start.from - 1
        var end = start.checkpoint
        for _ in 0..<10 {
            while read < end {
                let filter = EventFilter(types: P.reads.sorted(), organization: organization)
                let page = try await log.read(after: read, through: end, matching: filter, limit: settings.pageLimit)
                try page.check(after: read, for: .projection)
                guard page.scannedTo > read else { throw LogError.violated("nothing after \(read), before \(end)") }
                missed += page.events.filter { $0.organization == organization }
                read = page.scannedTo
            }
            let (events, through) = (missed, read)
            let outcome = try await pool.transaction { tx throws(PostgresError) in
                try tx.catchUp(P.self, start.build, organization: id, with: events, through: through)
            }
            switch outcome {
            case .done(let unblocking): return unblocking
            case .behind(let checkpoint): end = checkpoint
            }
        }
        return .outrun
    }
}

/// Whether what was read reached up to the checkpoint.
private enum CatchUp: Sendable {
    case done(Unblocking)
    case behind(checkpoint: Int64)
}

extension Connection {
    /// From where an organization is blocked, and where the build is; `nil` when it is not blocked.
    ///
    /// The live build comes first, then those that are kept fed beside it.
    fileprivate func block<P: Projection>(
        of organization: Int64,
        in projection: P.Type
    ) throws(PostgresError) -> (build: Build, from: Int64, checkpoint: Int64)? {
        let rows = try run(
            """
            SELECT k.build, k.from_position, c.position
              FROM rm.block AS k
              JOIN rm.build AS b USING (name, shape, build)
              JOIN rm.checkpoint AS c USING (name, shape, build)
             WHERE k.name = \(P.name) AND k.shape = \(P.shape) AND k.org_id = \(organization)
               AND c.slice = 0
             ORDER BY b.live DESC, b.build
             LIMIT 1
            """
        )
        guard rows.count == 1 else { return nil }
        let (build, from, checkpoint) = try rows.decode(0, Int.self, Int64.self, Int64.self)
        return (Build(name: P.name, shape: P.shape, number: build), from, checkpoint)
    }

    fileprivate func catchUp<P: Projection>(
        _ projection: P.Type,
        _ build: Build,
        organization: Int64,
        with events: [RecordedEvent],
        through end: Int64
    ) throws(PostgresError) -> CatchUp {
        let held = try run(
            """
            SELECT position FROM rm.checkpoint
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number) AND slice = 0
               FOR UPDATE
            """
        )
        let checkpoint = try held.decode(0, Int64.self)
        guard checkpoint <= end else { return .behind(checkpoint: checkpoint) }
        var fold = PageFold<P>(skipped: try passed(by: build).skipped)
        fold.decode(events)
        try fold.load(try documents(build, fold.keys))
        fold.run()
        try write(try fold.changes(), to: build)
        // Deleted even when another event is in the way: that one is noted instead.
        let gone = try run(
            """
            DELETE FROM rm.block
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
               AND org_id = \(organization)
            """
        ).changed
        // Somebody else was faster, and the rows are theirs.
        guard gone == 1 else { throw PostgresError(.cancelled, message: "the organization was unblocked meanwhile") }
        try block(fold.poisoned, in: build)
        return .done(fold.poisoned.first.map { .blocked(position: $0.position) } ?? .unblocked)
    }
}
