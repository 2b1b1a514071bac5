internal import EventStore
internal import Kernel
internal import Postgres

/// A rebuild as the holder of its lease finds it.
struct RebuildTurn: Sendable {
    var position: Int64
    var phase: RebuildState.Phase
    var paused: Bool
    var until: Int64?
    var parallel: Int
    var isDry: Bool
    var switches: Bool
    var events: Int64
    /// Where the log ended when the loading began.
    var begun: Int64
}

/// What has come of the loading since it was told last.
struct RebuildProgress: Sendable {
    var position: Int64
    var goal: Int64
    var events: Int64
    var rate: Double
    var secondsLeft: Double?
}

extension Connection {
    /// Makes an empty build beside the others, for a rebuild to fill.
    ///
    /// - Parameters:
    ///   - projection: Whose; a live one is made with so many slices when there is none.
    ///   - order: How it is to be filled.
    ///   - goal: How far the log is.
    ///   - slices: For a read model that was never made, or before there were slices and has one; else a new build has as
    ///     many as the live one.
    ///   - command: Who asks again with the same one is given the build that was made for it.
    /// - Returns: The build; `nil` when another rebuild of this shape is under way.
    /// - Throws: ``PostgresError``.
    func openRebuild(
        of projection: any Projection.Type,
        _ order: RebuildOrder,
        goal: Int64,
        slices: Int,
        command: UniqueID? = nil
    ) throws(PostgresError) -> Build? {
        let (name, shape) = (projection.name, projection.shape)
        _ = try liveBuild(of: projection, slices: slices)
        guard let file = projection.file else {
            throw PostgresError(.shape, message: "schema/readmodels/\(name).v\(shape).sql is not embedded")
        }
        return try transaction { tx throws(PostgresError) in
            try tx.takeBuildLock()
            let found = try tx.run(
                """
                SELECT (SELECT slices FROM rm.build WHERE name = \(name) AND shape = \(shape) AND live),
                       1 + greatest(
                           (SELECT max(build) FROM rm.build WHERE name = \(name) AND shape = \(shape)),
                           (SELECT max(build) FROM rm.rebuild WHERE name = \(name) AND shape = \(shape))
                       ),
                       EXISTS (
                           SELECT FROM rm.rebuild WHERE name = \(name) AND shape = \(shape) AND ended_at IS NULL
                       ),
                       (SELECT build FROM rm.rebuild
                         WHERE name = \(name) AND shape = \(shape) AND ended_at IS NULL AND command = \(command))
                """
            )
            let (live, number, isBusy, made) = try found.decode(0, Int.self, Int.self, Bool.self, Int?.self)
            if let made { return Build(name: name, shape: shape, number: made) }
            guard !isBusy else { return nil }
            let build = Build(name: name, shape: shape, number: number)
            try tx.make(build, slices: live == 1 ? slices : live, from: ReadModelFile(file.text).loadable)
            try tx.run(
                """
                INSERT INTO rm.rebuild (name, shape, build, phase, until, parallel, dry, switches, goal, command)
                VALUES (\(name), \(shape), \(number), 'loading', \(order.until), \(order.parallel), \(order.isDry),
                        \(order.switches), \(goal), \(command))
                """
            )
            return build
        }
    }

    /// The rebuilds that nobody has ever driven, of those that were opened so long ago.
    func untouchedRebuilds(after age: Duration) throws(PostgresError) -> [Build] {
        try run(
            """
            SELECT r.name, r.shape, r.build
              FROM rm.rebuild AS r
             WHERE r.ended_at IS NULL
               AND r.started_at <= clock_timestamp() - \(age.microseconds) * interval '1 microsecond'
               AND NOT EXISTS (
                       SELECT FROM rm.checkpoint AS c
                        WHERE c.name = r.name AND c.shape = r.shape AND c.build = r.build AND c.fence > 0
                   )
            """,
            prepared: true
        ).all(String.self, Int.self, Int.self).map { Build(name: $0, shape: $1, number: $2) }
    }

    /// Takes a rebuild over from whoever drove it before.
    ///
    /// - Returns: `nil` when it has ended, is gone, or somebody newer has it.
    /// - Throws: ``PostgresError``.
    func adoptRebuild(_ build: Build, fence: Int64) throws(PostgresError) -> RebuildTurn? {
        try transaction { tx throws(PostgresError) in
            // Held first, then looked at: whoever ends a rebuild holds them too, and feeders follow.
            let found = try tx.run(
                """
                SELECT position, fence FROM rm.checkpoint
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                 ORDER BY slice FOR UPDATE
                """
            ).all(Int64.self, Int64.self)
            guard found.allSatisfy({ $0.1 <= fence }) else { return nil }
            let rows = try tx.run(
                """
                SELECT phase, paused, until, parallel, dry, switches, events, begun
                  FROM rm.rebuild
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                   AND ended_at IS NULL
                """
            )
            guard let position = found.map(\.0).min(), rows.count == 1 else { return nil }
            try tx.run(
                """
                UPDATE rm.checkpoint SET fence = \(fence)
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                """
            )
            let (phase, paused, until, parallel, isDry, switches, events, begun) = try rows.decode(
                0,
                String.self,
                Bool.self,
                Int64?.self,
                Int.self,
                Bool.self,
                Bool.self,
                Int64.self,
                Int64.self
            )
            guard let phase = RebuildState.Phase(rawValue: phase) else { return nil }
            return RebuildTurn(
                position: position,
                phase: phase,
                paused: paused,
                until: until,
                parallel: parallel,
                isDry: isDry,
                switches: switches,
                events: events,
                begun: begun
            )
        }
    }

    /// Tells how far the loading is, for those who look on.
    ///
    /// - Returns: Whether it is to go on: neither paused nor ended.
    /// - Throws: ``PostgresError``.
    func tell(_ progress: RebuildProgress, of build: Build) throws(PostgresError) -> Bool {
        let rows = try run(
            """
            UPDATE rm.rebuild
               SET position = \(progress.position), goal = \(progress.goal), events = \(progress.events),
                   rate = \(progress.rate), seconds_left = \(progress.secondsLeft), updated_at = clock_timestamp()
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number) AND ended_at IS NULL
            RETURNING paused
            """
        )
        guard rows.count == 1 else { return false }
        return try !rows.decode(0, Bool.self)
    }

    /// Writes what was folded since the last time, and moves the checkpoints of all slices over it.
    ///
    /// - Parameters:
    ///   - rows: What has changed.
    ///   - gone: The keys of what is gone.
    ///   - poisoned: What could not be folded.
    ///   - build: Whose rows.
    ///   - fence: Of the lease.
    ///   - position: Where the checkpoints are believed to be.
    ///   - end: Where they go.
    ///   - isFirst: Whether the table is empty, and none of the rows can be there.
    /// - Returns: `false` when somebody else drives the rebuild now, or it is gone: nothing was written.
    /// - Throws: ``PostgresError``.
    func flush(
        _ rows: [StoredRow],
        gone: [String],
        poisoned: [Poison],
        into build: Build,
        fence: Int64,
        from position: Int64,
        to end: Int64,
        isFirst: Bool
    ) throws(PostgresError) -> Bool {
        try unhurried { connection throws(PostgresError) in
            try connection.transaction(otherwise: false) { tx throws(PostgresError) in
                try tx.moveAll(build, fence: fence, from: position, to: end)
                try tx.block(poisoned, in: build)
                if !isFirst {
                    try tx.ensureKey(of: build)
                    for keys in [gone, rows.map(\.key)] where !keys.isEmpty {
                        try tx.run("DELETE FROM \(identifier: build.schema).record WHERE key = ANY (\(array: keys))")
                    }
                }
                guard !rows.isEmpty else { return true }
                var copied = CopiedRows(rows)
                try tx.copyIn(
                    """
                    COPY \(identifier: build.schema).record (key, position, document) FROM STDIN (FORMAT binary)
                    """
                ) { copied.piece() }
                return true
            }
        }
    }

    /// Takes hold of all checkpoints of a build that is rebuilt.
    ///
    /// - Returns: Where each slice is.
    /// - Throws: ``PostgresError``; `overtaken` when somebody newer drives the rebuild, or the build is gone.
    func holdAll(_ build: Build, fence: Int64) throws(PostgresError) -> [Int64] {
        let found = try run(
            """
            SELECT position, fence FROM rm.checkpoint
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
             ORDER BY slice FOR UPDATE
            """
        ).all(Int64.self, Int64.self)
        guard !found.isEmpty, found.allSatisfy({ $0.1 == fence }) else { throw .overtaken }
        return found.map(\.0)
    }

    /// Moves the checkpoints of all slices of a build, which are at one place while it is loaded.
    func moveAll(_ build: Build, fence: Int64, from position: Int64, to end: Int64) throws(PostgresError) {
        guard try holdAll(build, fence: fence).allSatisfy({ $0 == position }) else { throw .overtaken }
        try run(
            """
            UPDATE rm.checkpoint SET position = \(end)
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
            """
        )
        try run("SELECT set_config('synchronous_commit', 'off', true)")
    }

    /// Begins a rebuild again, wherever its slices are; part of a transaction.
    func restart(_ projection: any Projection.Type, _ build: Build, fence: Int64) throws(PostgresError) {
        _ = try holdAll(build, fence: fence)
        guard let file = projection.file else { throw .overtaken }
        try run(
            """
            UPDATE rm.checkpoint SET position = 0
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
            """
        )
        try run("DROP SCHEMA \(identifier: build.schema) CASCADE")
        try makeTables(of: build, from: ReadModelFile(file.text).loadable)
        try run(
            """
            DELETE FROM rm.block
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
            """
        )
    }

    /// Makes the primary key, without which the rows were loaded.
    func ensureKey(of build: Build) throws(PostgresError) {
        let there = try run(
            """
            SELECT FROM pg_constraint
             WHERE conname = 'record_pkey'
               AND conrelid = (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                                WHERE n.nspname = \(build.schema) AND c.relname = 'record')
            """
        )
        guard there.count == 0 else { return }
        try run("ALTER TABLE \(identifier: build.schema).record ADD CONSTRAINT record_pkey PRIMARY KEY (key)")
    }

    /// Makes the indexes, and says that the loading is over.
    func index(
        _ projection: any Projection.Type,
        _ build: Build,
        fence: Int64
    ) throws(PostgresError) -> Bool {
        guard let file = projection.file else { return false }
        return try unhurried { connection throws(PostgresError) in
            try connection.transaction { tx throws(PostgresError) in
                guard try tx.enter(.catchingUp, build, fence: fence) else { return false }
                try tx.ensureKey(of: build)
                let schema = SQL.quoted(identifier: build.schema)
                try tx.script("SET LOCAL search_path = \(schema);\n\(ReadModelFile(file.text).indexes)")
                try tx.run("ANALYZE \(identifier: build.schema).record")
                return true
            }
        }
    }

    /// Notes the phase of a rebuild, if its lease is still ours.
    func enter(_ phase: RebuildState.Phase, _ build: Build, fence: Int64) throws(PostgresError) -> Bool {
        // Held until the transaction ends: nobody can take over meanwhile.
        let fences = try run(
            """
            SELECT fence FROM rm.checkpoint
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
             ORDER BY slice FOR UPDATE
            """
        ).column(Int64.self)
        guard !fences.isEmpty, fences.allSatisfy({ $0 == fence }) else { return false }
        return try run(
            """
            UPDATE rm.rebuild SET phase = \(phase.rawValue), updated_at = clock_timestamp()
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number) AND ended_at IS NULL
            """
        ).changed == 1
    }

    /// Ends a rebuild; whoever feeds its build from now on leases the slices.
    func end(_ build: Build, as phase: RebuildState.Phase, error: String? = nil) throws(PostgresError) {
        try run(
            """
            UPDATE rm.rebuild
               SET phase = \(phase.rawValue), error = \(error), ended_at = clock_timestamp(),
                   updated_at = clock_timestamp(), seconds_left = NULL, rate = 0
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number) AND ended_at IS NULL
            """
        )
        try run(
            """
            UPDATE rm.checkpoint SET fence = 0
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
            """
        )
    }

    /// Removes a build that no view shows.
    ///
    /// - Returns: `false` when it is live, or not there.
    /// - Throws: ``PostgresError``; a reader that does not let go of it in time makes it fail.
    func drop(
        _ build: Build,
        as phase: RebuildState.Phase? = nil,
        error: String? = nil
    ) throws(PostgresError) -> Bool {
        try transaction { tx throws(PostgresError) in
            try tx.takeBuildLock()
            try tx.script("SET LOCAL lock_timeout = '5s'")
            _ = try tx.positions(of: build, locking: true)
            let gone = try tx.run(
                """
                DELETE FROM rm.build
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number) AND NOT live
                """
            ).changed
            guard gone == 1 else { return false }
            if let phase { try tx.end(build, as: phase, error: error) }
            try tx.run("DROP SCHEMA IF EXISTS \(identifier: build.anew.schema) CASCADE")
            try tx.run("DROP SCHEMA \(identifier: build.schema) CASCADE")
            return true
        }
    }

    /// Runs what may take as long as it likes.
    func unhurried<Value: Sendable>(
        _ body: (isolated Connection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        let before = statementLimit
        try limit(statement: nil)
        let outcome: Result<Value, PostgresError>
        do throws(PostgresError) { outcome = .success(try body(self)) } catch { outcome = .failure(error) }
        if isOpen { try limit(statement: before) }
        return try outcome.get()
    }
}

/// The file of a read model, in two parts: what rows need, and what readers need.
struct ReadModelFile {
    private(set) var tables = ""
    private(set) var indexes = ""

    /// Tables that rows can be loaded into fast: what makes them be found comes when they are all there.
    var loadable: String { tables + "ALTER TABLE record DROP CONSTRAINT record_pkey;\n" }

    init(_ text: String) {
        let lines = text.split(separator: "\n").filter { line in !line.drop { $0 == " " }.hasPrefix("--") }
        let plain = lines.joined(separator: "\n")
        for statement in plain.split(separator: ";") {
            let words = statement.split { $0 == " " || $0 == "\n" }
            guard !words.isEmpty else { continue }
            let isIndex = words.count > 2 && words[0] == "CREATE" && (words[1] == "INDEX" || words[2] == "INDEX")
            if isIndex { indexes += statement + ";\n" } else { tables += statement + ";\n" }
        }
    }
}
