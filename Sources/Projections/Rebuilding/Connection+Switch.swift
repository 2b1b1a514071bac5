internal import EventStore
internal import Kernel
internal import Postgres

/// What came of trying to have two builds at one position.
enum Leveling: Sendable, Equatable {
    case done
    /// So many events lie between them: too many for one transaction.
    case apart(Int64)
    /// Somebody else has the rebuild, or a build is gone.
    case lost
    /// Something was erased or skipped in between: the build must be folded anew first.
    case forgets
}

extension Connection {
    /// How many events are folded while something is held, at most.
    static let mostAtOnce: Int64 = 5000

    /// Where the slices of a build are, by number.
    func positions(of build: Build, locking: Bool) throws(PostgresError) -> [Int64] {
        try run(
            """
            SELECT position FROM rm.checkpoint
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
             ORDER BY slice \(unsafe: locking ? "FOR UPDATE" : "")
            """
        ).column(Int64.self)
    }

    /// The build that the view of a shape shows.
    func shownBuild(_ name: String, shape: Int) throws(PostgresError) -> Build? {
        let rows = try run("SELECT build FROM rm.build WHERE name = \(name) AND shape = \(shape) AND live")
        return rows.count == 1 ? Build(name: name, shape: shape, number: try rows.decode(0, Int.self)) : nil
    }

    /// Folds what a build lacks, slice by slice, until it is where another one is; its checkpoints must be locked.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - build: The build to be brought on.
    ///   - shown: Where each slice of the other one is.
    /// - Returns: Whether that could be done.
    /// - Throws: ``PostgresError``.
    func level<P: Projection>(
        _ projection: P.Type,
        _ build: Build,
        to shown: [Int64]
    ) throws(PostgresError) -> Leveling {
        let starts = try positions(of: build, locking: true)
        guard let goals = Self.goals(shown, among: starts.count) else { return .apart(0) }
        guard let first = starts.min(), let last = goals.max() else { return .lost }
        guard last - first <= Self.mostAtOnce else { return .apart(last - first) }
        // Who is ahead stays there.
        let ends = zip(starts, goals).map { max($0, $1) }
        guard last > first else { return .done }
        let page = try page(
            after: first,
            through: last,
            matching: ProjectionRunner.filter(for: P.self),
            limit: Int(Self.mostAtOnce)
        )
        guard page.scannedTo == last else { return .apart(last - first) }
        // Some slice may have folded in clear what was erased while others had not got there.
        if ProjectionRunner.forgets(page, since: starts.max() ?? first, P.self) { return .forgets }
        try advance(projection, build, page.events, from: starts, to: ends)
        return .done
    }

    /// Where so many slices have to be to show what others show; `nil` when they are divided otherwise, and apart.
    static func goals(_ shown: [Int64], among count: Int) -> [Int64]? {
        if shown.count == count { return shown }
        guard let position = shown.min(), position == shown.max() else { return nil }
        return Array(repeating: position, count: count)
    }

    /// Folds of some events what each slice lacks, and moves the checkpoints, which must be locked.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - build: The build to be brought on.
    ///   - events: All that follow the slice that is furthest behind.
    ///   - starts: Where each slice is.
    ///   - ends: Where each slice is afterwards.
    /// - Throws: ``PostgresError``.
    func advance<P: Projection>(
        _ projection: P.Type,
        _ build: Build,
        _ events: [RecordedEvent],
        from starts: [Int64],
        to ends: [Int64]
    ) throws(PostgresError) {
        let missing = events.filter { event in
            let slice = P.slice(of: event.organization?.value ?? 0, among: starts.count)
            return event.position > starts[slice] && event.position <= ends[slice]
        }
        let poisoned = try fold(projection, missing, into: build, passing: try passed(by: build)).poisoned
        try block(poisoned, in: build)
        try run(
            """
            UPDATE rm.checkpoint AS c SET position = n.position
              FROM unnest(\(array: Array(0..<ends.count)), \(array: ends)) AS n (slice, position)
             WHERE c.name = \(build.name) AND c.shape = \(build.shape) AND c.build = \(build.number)
               AND c.slice = n.slice
            """
        )
    }

    /// Folds what follows into a build that is rebuilt, each slice from where it is.
    ///
    /// Comparing and switching bring each slice to where the live one was just then, so they are not at one position.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - build: The build to be brought on.
    ///   - page: What follows the slice that is furthest behind.
    ///   - fence: Of the lease of the rebuild.
    /// - Returns: Whether that could be done.
    /// - Throws: ``PostgresError``.
    func catchUp<P: Projection>(
        _ projection: P.Type,
        _ build: Build,
        with page: EventPage,
        fence: Int64
    ) throws(PostgresError) -> Leveling {
        try transaction(otherwise: .lost) { tx throws(PostgresError) in
            let starts = try tx.holdAll(build, fence: fence)
            guard starts.min() == page.scannedFrom - 1, let furthest = starts.max() else { throw .overtaken }
            if ProjectionRunner.forgets(page, since: furthest, P.self) { return .forgets }
            try tx.advance(projection, build, page.events, from: starts, to: starts.map { max($0, page.scannedTo) })
            return .done
        }
    }

    /// Whether an organization is blocked in a build by an event that is passed over by now.
    func isBlockedInVain(_ build: Build) throws(PostgresError) -> Bool {
        try run(
            """
            SELECT
              FROM rm.block AS k
              JOIN rm.skipped AS s ON s.name = k.name AND s.position = k.from_position
             WHERE k.name = \(build.name) AND k.shape = \(build.shape) AND k.build = \(build.number)
             LIMIT 1
            """
        ).count > 0
    }

    /// Compares a build with the live one, both at one position, in one snapshot: neither readers nor feeders wait.
    ///
    /// - Returns: What was found, which is noted with the rebuild too; nothing unless the builds could be leveled.
    /// - Throws: ``PostgresError``; retryable when somebody else feeds the build meanwhile.
    func verify<P: Projection>(
        _ projection: P.Type,
        _ build: Build,
        fence: Int64
    ) throws(PostgresError) -> (leveling: Leveling, verdict: RebuildState.Verdict?) {
        try unhurried { connection throws(PostgresError) in
            try connection.transaction(.repeatable) { tx throws(PostgresError) in
                guard let live = try tx.shownBuild(build.name, shape: build.shape),
                    try tx.enter(.verifying, build, fence: fence)
                else { return (.lost, nil) }
                let shown = try tx.positions(of: live, locking: false)
                let leveling = try tx.level(projection, build, to: shown)
                guard leveling == .done else { return (leveling, nil) }
                if try tx.isBlockedInVain(build) { return (.forgets, nil) }
                // A build that is ahead of the live one cannot be compared with it.
                let mine = try tx.positions(of: build, locking: false)
                guard mine == Self.goals(shown, among: mine.count) else { return (.apart(0), nil) }
                let verdict = try tx.compare(build, with: live, at: shown.max() ?? 0)
                try tx.run(
                    """
                    UPDATE rm.rebuild
                       SET compared_at = \(verdict.position), rows = \(verdict.rows), live_rows = \(verdict.liveRows),
                           checksum = \(verdict.checksum), live_checksum = \(verdict.liveChecksum),
                           differing = \(array: verdict.differing), position = \(verdict.position)
                     WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                    """
                )
                return (.done, verdict)
            }
        }
    }

    private func compare(
        _ build: Build,
        with live: Build,
        at position: Int64
    ) throws(PostgresError) -> RebuildState.Verdict {
        let (rows, checksum) = try checksum(of: build)
        let (liveRows, liveChecksum) = try self.checksum(of: live)
        var verdict = RebuildState.Verdict(
            position: position,
            rows: rows,
            liveRows: liveRows,
            checksum: checksum,
            liveChecksum: liveChecksum,
            differing: []
        )
        guard !verdict.isEqual else { return verdict }
        verdict.differing = try run(
            """
            SELECT coalesce(a.key, b.key)
              FROM \(identifier: build.schema).record AS a
              FULL JOIN \(identifier: live.schema).record AS b USING (key)
             WHERE a.document IS DISTINCT FROM b.document OR a.position IS DISTINCT FROM b.position
             LIMIT 10
            """
        ).column(String.self)
        return verdict
    }

    /// How many rows a build has, and a sum over them that does not depend on their order.
    func checksum(of build: Build) throws(PostgresError) -> (rows: Int64, checksum: String) {
        // Two sums of 64 bits with different seeds; the lengths keep one column from running into the next.
        try run(
            """
            SELECT count(*),
                   coalesce(sum(hashtextextended(t.text, 0)), 0) || '.' || coalesce(sum(hashtextextended(t.text, 1)), 0)
              FROM (SELECT length(key) || ' ' || key || ' ' || position || ' ' || document::text AS text
                      FROM \(identifier: build.schema).record) AS t
            """
        ).decode(0, Int64.self, String.self)
    }

    /// Puts a build behind the view, at the very position at which the one before stops being shown.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - build: What is to be shown.
    ///   - fence: Of the rebuild that still drives the build; `nil` when it is fed like any other.
    /// - Returns: Whether that could be done.
    /// - Throws: ``PostgresError``; `isLockUnavailable` when readers did not let go of the view at once: try again.
    func exchange<P: Projection>(
        _ projection: P.Type,
        for build: Build,
        fence: Int64?
    ) throws(PostgresError) -> Leveling {
        try transaction { tx throws(PostgresError) in
            try tx.takeBuildLock()
            // Whoever feeds holds its checkpoints for as long as a page takes; no reader waits for those.
            try tx.script("SET LOCAL lock_timeout = '5s'")
            guard let live = try tx.shownBuild(build.name, shape: build.shape) else { return .lost }
            if live == build { return .done }
            if let fence, try !tx.enter(.switching, build, fence: fence) { return .lost }
            // No event is folded into the old one from here to the end.
            var shown = try tx.positions(of: live, locking: true)
            if try shown.count != tx.positions(of: build, locking: false).count, let furthest = shown.max() {
                // Only what is at one place can be had in another division.
                shown = Array(repeating: furthest, count: shown.count)
                let leveling = try tx.level(projection, live, to: shown)
                guard leveling == .done else { return leveling }
            }
            let leveling = try tx.level(projection, build, to: shown)
            guard leveling == .done else { return leveling }
            if fence != nil, try tx.isBlockedInVain(build) { return .forgets }
            // Whoever waits for the view makes all readers that come after wait too: be short, and try again.
            try tx.script("SET LOCAL lock_timeout = '200ms'")
            try tx.show(build)
            if fence != nil { try tx.end(build, as: .done) }
            return .done
        }
    }

    /// Which build the view showed before the one that it shows.
    func previousBuild(_ name: String, shape: Int) throws(PostgresError) -> Build? {
        let rows = try run(
            """
            SELECT build FROM rm.build
             WHERE name = \(name) AND shape = \(shape) AND NOT live AND shown_at IS NOT NULL
             ORDER BY shown_at DESC LIMIT 1
            """
        )
        return rows.count == 1 ? Build(name: name, shape: shape, number: try rows.decode(0, Int.self)) : nil
    }

    /// The builds of a shape that were shown once and are not what rolling back would go to.
    func retired(_ name: String, shape: Int) throws(PostgresError) -> [Build] {
        try run(
            """
            SELECT build FROM rm.build
             WHERE name = \(name) AND shape = \(shape) AND NOT live AND shown_at IS NOT NULL
             ORDER BY shown_at DESC OFFSET 1
            """
        ).column(Int.self).map { Build(name: name, shape: shape, number: $0) }
    }
}
