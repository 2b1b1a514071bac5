internal import EventStore
internal import Postgres

/// What came of putting what was folded anew in the place of a build; unless it was done, nothing was changed.
enum Replacement: Sendable, Equatable {
    case done
    /// Another slice is here already.
    case behind(Int64)
    /// Something was erased or skipped meanwhile that is in it.
    case stale
}

/// Folding a build anew is for the holder of its first slice: one at a time, and the newest.
extension Connection {
    /// Makes empty tables beside a build, which stays as it is and is shown.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - build: What is to be folded anew.
    ///   - fence: Proves the lease of its first slice.
    /// - Returns: Which events are passed over.
    /// - Throws: ``PostgresError``; `overtaken` when the slice is somebody else's.
    func beginAnew(
        _ projection: any Projection.Type,
        _ build: Build,
        fence: Int64
    ) throws(PostgresError) -> Set<Int64> {
        guard let file = projection.file else {
            throw PostgresError(.shape, message: "schema/readmodels/\(build.name).v\(build.shape).sql is not embedded")
        }
        return try transaction { tx throws(PostgresError) in
            try tx.takeBuildLock()
            try tx.holdFirst(of: build, fence: fence)
            // What a process left that died on the way, or was overtaken.
            try tx.run("DROP SCHEMA IF EXISTS \(identifier: build.anew.schema) CASCADE")
            try tx.makeTables(of: build.anew, from: file.text)
            return try tx.passed(by: build).skipped
        }
    }

    /// Folds a page into the tables beside a build.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - events: The page.
    ///   - build: What is folded anew.
    ///   - fence: Proves the lease of its first slice.
    ///   - passed: What to pass over.
    /// - Returns: What could not be folded.
    /// - Throws: ``PostgresError``; `overtaken` when the slice is somebody else's.
    func foldAnew<P: Projection>(
        _ projection: P.Type,
        _ events: [RecordedEvent],
        beside build: Build,
        fence: Int64,
        passing passed: Passed
    ) throws(PostgresError) -> [Poison] {
        try transaction { tx throws(PostgresError) in
            // A successor begins with tables of its own once this is committed, or it is not.
            try tx.holdFirst(of: build, fence: fence)
            return try tx.fold(projection, events, into: build.anew, passing: passed).poisoned
        }
    }

    /// Keeps everybody else from taking the first slice of a build over until the transaction ends.
    private func holdFirst(of build: Build, fence: Int64) throws(PostgresError) {
        let held = try run(
            """
            SELECT FROM rm.checkpoint
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
               AND slice = 0 AND fence = \(fence)
               FOR SHARE
            """
        ).count
        guard held == 1 else { throw .overtaken }
    }

    /// How far the slice of a build is that is ahead of all others, once everything that is being written is written.
    func furthest(of build: Build) throws(PostgresError) -> Int64 {
        try run(
            """
            SELECT position FROM rm.checkpoint
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
             ORDER BY slice FOR SHARE
            """
        ).column(Int64.self).max() ?? 0
    }

    /// Puts what was folded anew in the place of a build, with its checkpoints and its blocks, in one transaction.
    ///
    /// All slices are held meanwhile and the little that they are ahead is folded too: so it comes to an end however
    /// fast they are fed.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - build: What was folded anew.
    ///   - fence: Proves the lease of its first slice.
    ///   - end: How far was folded; all slices are there afterwards, or where the furthest one was.
    ///   - poisoned: What could not be folded.
    ///   - skipped: What was passed over because an operator said so.
    /// - Returns: What came of it.
    /// - Throws: ``PostgresError``; `overtaken` when the slice is somebody else's.
    func replace<P: Projection>(
        _ projection: P.Type,
        _ build: Build,
        fence: Int64,
        to end: Int64,
        poisoned: [Poison],
        skipped: Set<Int64>
    ) throws(PostgresError) -> Replacement {
        try transaction { tx throws(PostgresError) in
            try tx.takeBuildLock()
            let found = try tx.run(
                """
                SELECT position, fence FROM rm.checkpoint
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                 ORDER BY slice FOR UPDATE
                """
            ).all(Int64.self, Int64.self)
            guard let first = found.first, first.1 == fence, let furthest = found.map(\.0).max() else {
                throw .overtaken
            }
            guard try tx.passed(by: build).skipped == skipped else { return .stale }
            var poisoned = poisoned
            if furthest > end {
                guard furthest - end <= Self.mostAtOnce else { return .behind(furthest) }
                let filter = ProjectionRunner.filter(for: P.self)
                let rest = try tx.page(after: end, through: furthest, matching: filter, limit: Int(Self.mostAtOnce))
                guard rest.scannedTo == furthest else { return .behind(furthest) }
                if ProjectionRunner.forgets(rest, since: end, P.self) { return .stale }
                let passed = Passed(blocked: Set(poisoned.map(\.organization)), skipped: skipped)
                poisoned += try tx.fold(projection, rest.events, into: build.anew, passing: passed).poisoned
            }
            try tx.run(
                """
                UPDATE rm.checkpoint SET position = \(max(end, furthest))
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                """
            )
            try tx.run(
                """
                DELETE FROM rm.block
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                """
            )
            try tx.block(poisoned, in: build)
            try tx.takePlace(of: build)
            return .done
        }
    }

    /// Has the tables that were folded anew be those of the build.
    private func takePlace(of build: Build) throws(PostgresError) {
        let old = build.schema + "_old"
        try run("ALTER SCHEMA \(identifier: build.schema) RENAME TO \(identifier: old)")
        try run("ALTER SCHEMA \(identifier: build.anew.schema) RENAME TO \(identifier: build.schema)")
        let isLive =
            try run(
                """
                SELECT FROM rm.build
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number) AND live
                """
            ).count == 1
        if isLive { try show(build) }
        try run("DROP SCHEMA \(identifier: old) CASCADE")
    }
}
