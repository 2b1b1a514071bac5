internal import EventStore
internal import Kernel
internal import Postgres

/// What feeding one page did.
enum Fed: Sendable, Equatable {
    /// The checkpoint is at the end of the page.
    case done(changed: Int, blocked: Int)
    /// Somebody else owns the slice now: nothing was written.
    case lost
}

/// What a build passes over.
struct Passed: Sendable, Equatable {
    /// Organizations since an event of theirs could not be folded; 0 stands for what belongs to none.
    var blocked: Set<Int64> = []
    /// Events that an operator had passed over for good.
    var skipped: Set<Int64> = []
}

extension Connection {
    /// Takes slices over from whoever had them before.
    ///
    /// - Parameters:
    ///   - build: Whose slices.
    ///   - fences: The slices, and what proves the lease of each.
    /// - Returns: Where they are; without those that somebody newer has already, and none when the build is gone.
    /// - Throws: ``PostgresError``.
    func adopt(_ build: Build, _ fences: [Int: Int64]) throws(PostgresError) -> HeldSlices {
        let slices = fences.keys.sorted()
        // Locked in order, as everywhere: who locks several never waits in a circle.
        let rows = try run(
            """
            WITH held AS (
                SELECT c.slice, n.fence
                  FROM rm.checkpoint AS c
                  JOIN unnest(\(array: slices), \(array: slices.map { fences[$0] ?? 0 })) AS n (slice, fence)
                    ON n.slice = c.slice AND n.fence >= c.fence
                 WHERE c.name = \(build.name) AND c.shape = \(build.shape) AND c.build = \(build.number)
                 ORDER BY c.slice
                   FOR UPDATE OF c
            )
            UPDATE rm.checkpoint AS c SET fence = h.fence
              FROM held AS h
             WHERE c.name = \(build.name) AND c.shape = \(build.shape) AND c.build = \(build.number)
               AND c.slice = h.slice
            RETURNING c.slice, c.position,
                      (SELECT b.slices FROM rm.build AS b
                        WHERE b.name = c.name AND b.shape = c.shape AND b.build = c.build)
            """
        ).all(Int.self, Int64.self, Int.self)
        let positions = Dictionary(rows.map { ($0.0, $0.1) }) { first, _ in first }
        return HeldSlices(
            build: build,
            count: rows.first?.2 ?? 1,
            fences: fences.filter { positions[$0.key] != nil },
            positions: positions
        )
    }

    /// Folds a page into the rows and moves the checkpoints over it, in one transaction.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - slices: Those that are furthest behind among them are fed.
    ///   - page: What follows their checkpoints.
    /// - Returns: What it did.
    /// - Throws: ``PostgresError``.
    func feed<P: Projection>(
        _ projection: P.Type,
        _ slices: HeldSlices,
        _ page: EventPage
    ) throws(PostgresError) -> Fed {
        try transaction(otherwise: .lost) { tx throws(PostgresError) in
            try tx.move(slices, to: page.scannedTo)
            let events = slices.part(of: page.events, for: P.self)
            guard !events.isEmpty else { return .done(changed: 0, blocked: 0) }
            // Who feeds the first slice may have gone past the record of an erasure already, and cannot know of a page
            // that was read before it and is written after it.
            if !slices.areAll, try tx.wereErased(events, for: P.self) { throw .overtaken }
            let passed = try tx.passed(by: slices.build)
            let (changed, poisoned) = try tx.fold(projection, events, into: slices.build, passing: passed)
            try tx.block(poisoned, in: slices.build)
            return .done(changed: changed, blocked: poisoned.count)
        }
    }

    /// Folds a page into the rows of a build.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - events: The page.
    ///   - build: Whose rows.
    ///   - passed: What to pass over.
    /// - Returns: How many rows were changed, and what could not be folded.
    /// - Throws: ``PostgresError``.
    func fold<P: Projection>(
        _ projection: P.Type,
        _ events: [RecordedEvent],
        into build: Build,
        passing passed: Passed
    ) throws(PostgresError) -> (changed: Int, poisoned: [Poison]) {
        var torn: Set<StreamName> = []
        while true {
            var fold = PageFold<P>(blocked: passed.blocked, torn: torn, skipped: passed.skipped)
            fold.decode(events)
            try fold.load(try documents(build, fold.keys))
            fold.run()
            // What presupposes a row that an erased payload or a skipped event would have made is nobody's fault.
            let more = try tornStreams(among: fold.lacking.subtracting(torn), of: P.name)
            guard more.isEmpty else {
                torn.formUnion(more)
                continue
            }
            let changes = try fold.changes()
            try write(changes, to: build)
            return (changes.keys.count + changes.gone.count, fold.poisoned)
        }
    }

    /// Moves the checkpoints of those that are furthest behind from exactly where they are believed to be.
    ///
    /// The commit does not wait for the disk: rows and checkpoints go together, so a crash of the machine costs only a
    /// little folding again.
    ///
    /// - Throws: ``PostgresError``; `overtaken` when one of them is not there, or not theirs.
    func move(_ slices: HeldSlices, to end: Int64) throws(PostgresError) {
        let (build, behind) = (slices.build, slices.behind)
        let moved = try run(
            """
            WITH held AS (
                SELECT c.slice
                  FROM rm.checkpoint AS c
                  JOIN unnest(\(array: behind), \(array: behind.map { slices.fences[$0] ?? 0 })) AS n (slice, fence)
                    ON n.slice = c.slice AND n.fence = c.fence
                 WHERE c.name = \(build.name) AND c.shape = \(build.shape) AND c.build = \(build.number)
                   AND c.position = \(slices.lowest)
                 ORDER BY c.slice
                   FOR UPDATE OF c
            )
            UPDATE rm.checkpoint AS c SET position = \(end)
              FROM held AS h
             WHERE c.name = \(build.name) AND c.shape = \(build.shape) AND c.build = \(build.number)
               AND c.slice = h.slice
            RETURNING set_config('synchronous_commit', 'off', true)
            """
        ).count
        guard moved == behind.count, moved > 0 else { throw .overtaken }
    }

    /// What a build passes over.
    func passed(by build: Build) throws(PostgresError) -> Passed {
        let rows = try run(
            """
            SELECT org_id, NULL::bigint AS position FROM rm.block
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
            UNION ALL
            SELECT NULL, position FROM rm.skipped WHERE name = \(build.name)
            """
        )
        var passed = Passed()
        for (organization, position) in try rows.all(Int64?.self, Int64?.self) {
            if let organization { passed.blocked.insert(organization) }
            if let position { passed.skipped.insert(position) }
        }
        return passed
    }

    func documents(_ build: Build, _ keys: [String]) throws(PostgresError) -> [(String, String)] {
        guard !keys.isEmpty else { return [] }
        let rows = try run(
            "SELECT key, document::text FROM \(identifier: build.schema).record WHERE key = ANY (\(array: keys))"
        )
        return try rows.all(String.self, String.self)
    }

    func write(_ changes: RowChanges, to build: Build) throws(PostgresError) {
        if !changes.gone.isEmpty {
            try run("DELETE FROM \(identifier: build.schema).record WHERE key = ANY (\(array: changes.gone))")
        }
        guard !changes.keys.isEmpty else { return }
        try run(
            """
            INSERT INTO \(identifier: build.schema).record AS r (key, position, document)
            SELECT n.key, n.position, n.document::jsonb
              FROM unnest(\(array: changes.keys), \(array: changes.positions), \(array: changes.documents))
                AS n (key, position, document)
            ON CONFLICT (key) DO UPDATE SET position = excluded.position, document = excluded.document
            """
        )
    }

    /// Notes which organizations a build skips from now on.
    func block(_ poisoned: [Poison], in build: Build) throws(PostgresError) {
        guard !poisoned.isEmpty else { return }
        try run(
            """
            INSERT INTO rm.block (name, shape, build, org_id, from_position, error)
            SELECT \(build.name), \(build.shape), \(build.number), b.org_id, b.from_position, b.error
              FROM unnest(
                \(array: poisoned.map(\.organization)), \(array: poisoned.map(\.position)),
                \(array: poisoned.map(\.error))
              ) AS b (org_id, from_position, error)
            """
        )
    }
}
