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
    ///   - projection: Which read model, in its live build, or else in one that is kept fed beside it.
    ///   - organization: `nil` stands for what belongs to no organization.
    ///   - skipped: The event that is passed over from now on, if it is what blocks the organization.
    /// - Returns: What became of it.
    /// - Throws: ``PostgresError``, ``LogError``.
    package func retry<P: Projection>(
        _ projection: P.Type,
        organization: OrganizationID?,
        skipping skipped: Int64? = nil
    ) async throws -> Unblocking {
        let id = organization?.value ?? 0
        for _ in 0..<10 {
            guard
                let blockage = try await pool.with({ connection throws(PostgresError) in
                    try connection.blockage(of: id, in: P.self)
                })
            else { return .notBlocked }
            var missed: [RecordedEvent] = []
            var read = blockage.from - 1
            while read < blockage.checkpoint {
                let filter = EventFilter(types: P.reads.sorted(), organization: organization)
                let page = try await log.read(
                    after: read,
                    through: blockage.checkpoint,
                    matching: filter,
                    limit: settings.pageLimit
                )
                try page.check(after: read, for: .projection)
                guard page.scannedTo > read else { throw LogError.violated("nothing after \(read)") }
                missed += page.events.filter { $0.organization == organization }
                read = page.scannedTo
            }
            let events = missed
            let outcome = try await pool.transaction { tx throws(PostgresError) in
                try tx.catchUp(P.self, blockage, of: organization, with: events, skipping: skipped)
            }
            if let outcome { return outcome }
        }
        return .outrun
    }
}

/// That an organization is blocked in a build.
struct Blockage: Sendable {
    let build: Build
    let slice: Int
    /// The event that is in the way.
    let from: Int64
    /// Where the slice was when this was asked.
    let checkpoint: Int64
}

extension Connection {
    /// From where an organization is blocked, and where its slice is; `nil` when it is not blocked.
    ///
    /// The live build comes first, then those that are beside it; one that is being rebuilt is the rebuilder's.
    func blockage(of organization: Int64, in projection: any Projection.Type) throws(PostgresError) -> Blockage? {
        let rows = try run(
            """
            SELECT k.build, b.slices, k.from_position
              FROM rm.block AS k
              JOIN rm.build AS b USING (name, shape, build)
              LEFT JOIN rm.rebuild AS r USING (name, shape, build)
             WHERE k.name = \(projection.name) AND k.shape = \(projection.shape) AND k.org_id = \(organization)
               AND (r.build IS NULL OR r.phase IN ('done', 'ready', 'unequal', 'held'))
             ORDER BY b.live DESC, b.build
             LIMIT 1
            """
        )
        guard rows.count == 1 else { return nil }
        let (number, slices, from) = try rows.decode(0, Int.self, Int.self, Int64.self)
        let build = Build(name: projection.name, shape: projection.shape, number: number)
        let slice = projection.slice(of: organization, among: slices)
        let positions = try positions(of: build, locking: false)
        guard positions.indices.contains(slice) else { return nil }
        return Blockage(build: build, slice: slice, from: from, checkpoint: positions[slice])
    }

    /// - Returns: `nil` when what was read is not what has to be folded by now: read again.
    fileprivate func catchUp<P: Projection>(
        _ projection: P.Type,
        _ blockage: Blockage,
        of organization: OrganizationID?,
        with events: [RecordedEvent],
        skipping skipped: Int64?
    ) throws(PostgresError) -> Unblocking? {
        let (build, id) = (blockage.build, organization?.value ?? 0)
        let held = try run(
            """
            SELECT c.position, k.from_position
              FROM rm.checkpoint AS c
              JOIN rm.block AS k USING (name, shape, build)
             WHERE c.name = \(build.name) AND c.shape = \(build.shape) AND c.build = \(build.number)
               AND c.slice = \(blockage.slice) AND k.org_id = \(id)
               FOR UPDATE
            """
        )
        guard held.count == 1 else { return nil }
        let (checkpoint, from) = try held.decode(0, Int64.self, Int64.self)
        guard from == blockage.from, checkpoint - blockage.checkpoint <= Self.mostAtOnce else { return nil }
        var missed = events
        if checkpoint > blockage.checkpoint {
            let filter = EventFilter(types: P.reads.sorted(), organization: organization)
            let limit = Int(Self.mostAtOnce)
            let rest = try page(after: blockage.checkpoint, through: checkpoint, matching: filter, limit: limit)
            guard rest.scannedTo == checkpoint else { return nil }
            missed += rest.events.filter { $0.organization == organization }
        }
        if try wereErased(missed, for: P.self) { return nil }
        if from == skipped {
            try run("INSERT INTO rm.skipped (name, position) VALUES (\(P.name), \(from)) ON CONFLICT DO NOTHING")
        }
        // Deleted even when another event is in the way: that one is noted instead.
        try run(
            """
            DELETE FROM rm.block
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number) AND org_id = \(id)
            """
        )
        let passed = Passed(skipped: try passed(by: build).skipped)
        let poisoned = try fold(P.self, missed, into: build, passing: passed).poisoned
        try block(poisoned, in: build)
        return poisoned.first.map { .blocked(position: $0.position) } ?? .unblocked
    }
}
