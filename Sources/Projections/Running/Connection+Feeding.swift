internal import EventStore
internal import Kernel
internal import Postgres

/// One slice of one build, as the holder of its lease sees it.
struct Slice: Sendable, Equatable {
    let build: Build
    let number: Int
    let fence: Int64
}

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
    /// Takes a slice over from whoever had it before.
    ///
    /// - Returns: Where it is; `nil` when somebody newer has it already, or the build is gone.
    /// - Throws: ``PostgresError``.
    func adopt(_ slice: Slice) throws(PostgresError) -> Int64? {
        let rows = try run(
            """
            UPDATE rm.checkpoint SET fence = \(slice.fence)
             WHERE name = \(slice.build.name) AND shape = \(slice.build.shape) AND build = \(slice.build.number)
               AND slice = \(slice.number) AND fence <= \(slice.fence)
            RETURNING position
            """
        )
        return rows.count == 1 ? try rows.decode(0, Int64.self) : nil
    }

    /// Folds a page into the rows and moves the checkpoint over it, in one transaction.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - slice: Whose rows.
    ///   - page: What follows the checkpoint at `position`.
    ///   - position: Where the checkpoint is believed to be.
    /// - Returns: What it did.
    /// - Throws: ``PostgresError``.
    func feed<P: Projection>(
        _ projection: P.Type,
        _ slice: Slice,
        _ page: EventPage,
        from position: Int64
    ) throws(PostgresError) -> Fed {
        if page.events.isEmpty {
            return try move(slice, from: position, to: page.scannedTo) ? .done(changed: 0, blocked: 0) : .lost
        }
        return try transaction { tx throws(PostgresError) in
            guard try tx.move(slice, from: position, to: page.scannedTo) else { return .lost }
            let passed = try tx.passed(by: slice.build)
            let (changed, poisoned) = try tx.fold(projection, page.events, into: slice.build, passing: passed)
            try tx.block(poisoned, in: slice.build)
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
            // What presupposes a row that an erased payload would have made is nobody's fault.
            let more = try streamsWithErasedPayloads(fold.lacking.subtracting(torn))
            guard more.isEmpty else {
                torn.formUnion(more)
                continue
            }
            let changes = try fold.changes()
            try write(changes, to: build)
            return (changes.keys.count + changes.gone.count, fold.poisoned)
        }
    }

    /// Those of some streams of which a payload was erased.
    func streamsWithErasedPayloads(_ streams: Set<StreamName>) throws(PostgresError) -> Set<StreamName> {
        guard !streams.isEmpty else { return [] }
        let rows = try run(
            """
            SELECT s.name
              FROM log.stream AS s
             WHERE s.name = ANY (\(array: streams.map(\.text)))
               AND (
                    EXISTS (
                        SELECT
                          FROM log.event AS e
                         WHERE e.stream_id = s.stream_id
                           AND e.position >= s.first_position
                           AND e.position <= s.last_position
                           AND e.payload IS NULL
                    )
                    -- Of an archived event only the record of its erasure is here, and between which positions it was.
                    OR EXISTS (
                        SELECT
                          FROM log.stream AS r
                          JOIN log.segment AS g
                            ON CASE WHEN r.name ~ '^erasure-[0-9]{1,18}$' THEN split_part(r.name, '-', 2)::bigint END
                               BETWEEN greatest(g.first_position, s.first_position)
                                   AND least(g.last_position, s.last_position)
                         WHERE r.category = 'erasure'
                    )
               )
            """
        )
        return Set(try rows.column(String.self).compactMap { StreamName($0) })
    }

    /// Moves a checkpoint from exactly where it is believed to be.
    ///
    /// The commit does not wait for the disk: rows and checkpoint go together, so a crash of the machine costs only a
    /// little folding again.
    func move(_ slice: Slice, from position: Int64, to end: Int64) throws(PostgresError) -> Bool {
        let rows = try run(
            """
            UPDATE rm.checkpoint SET position = \(end)
             WHERE name = \(slice.build.name) AND shape = \(slice.build.shape) AND build = \(slice.build.number)
               AND slice = \(slice.number) AND position = \(position) AND fence = \(slice.fence)
            RETURNING set_config('synchronous_commit', 'off', true)
            """
        )
        return rows.count == 1
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
