internal import EventStore
internal import Postgres

extension Connection {
    /// Makes the tables that say what was built; harmless when they are there.
    ///
    /// - Throws: ``PostgresError``.
    func prepareControl() throws(PostgresError) {
        guard let file = Schema.readModel("control", shape: 1) else {
            throw PostgresError(.shape, message: "schema/readmodels/control.v1.sql is not embedded")
        }
        try transaction { tx throws(PostgresError) in
            try tx.takeBuildLock()
            try tx.script(file.text)
        }
    }

    /// The live build of a projection; makes the first one when there is none.
    ///
    /// - Parameters:
    ///   - projection: Whose.
    ///   - slices: How many slices the first one has; that stays.
    /// - Returns: The build.
    /// - Throws: ``PostgresError``.
    func liveBuild(of projection: any Projection.Type, slices: Int) throws(PostgresError) -> Build {
        let (name, shape) = (projection.name, projection.shape)
        guard let file = projection.file else {
            throw PostgresError(.shape, message: "schema/readmodels/\(name).v\(shape).sql is not embedded")
        }
        return try transaction { tx throws(PostgresError) in
            try tx.takeBuildLock()
            let live = try tx.run("SELECT build FROM rm.build WHERE name = \(name) AND shape = \(shape) AND live")
            if live.count == 1 {
                return Build(name: name, shape: shape, number: try live.decode(0, Int.self))
            }
            let build = Build(name: name, shape: shape, number: 1)
            try tx.make(build, slices: slices, from: file.text)
            try tx.show(build)
            return build
        }
    }

    /// Makes a build's tables and its checkpoint at the beginning of the log.
    func make(_ build: Build, slices: Int, from text: String) throws(PostgresError) {
        try makeTables(of: build, from: text)
        try run(
            """
            INSERT INTO rm.build (name, shape, build, slices, live)
            VALUES (\(build.name), \(build.shape), \(build.number), \(slices), false)
            """
        )
        try run(
            """
            INSERT INTO rm.checkpoint (name, shape, build, slice, position, fence)
            SELECT \(build.name), \(build.shape), \(build.number), s, 0, 0
              FROM generate_series(0, \(slices - 1)) AS s
            """
        )
    }

    func makeTables(of build: Build, from text: String) throws(PostgresError) {
        let schema = SQL.quoted(identifier: build.schema)
        try script("CREATE SCHEMA \(schema); SET LOCAL search_path = \(schema);\n\(text)\nRESET search_path")
    }

    /// The slices that have to be kept fed: those of the live build, and of all that may take its place.
    func fedSlices(_ name: String, shape: Int) throws(PostgresError) -> [(build: Build, slice: Int)] {
        try run(
            """
            SELECT c.build, c.slice
              FROM rm.checkpoint AS c
              LEFT JOIN rm.rebuild AS r USING (name, shape, build)
             WHERE c.name = \(name) AND c.shape = \(shape)
               AND (r.build IS NULL OR r.phase IN ('done', 'ready', 'unequal'))
            """
        ).all(Int.self, Int.self).map { (Build(name: name, shape: shape, number: $0), $1) }
    }

    /// Puts a build behind the view of its shape; queries see either the one before or this one.
    func show(_ build: Build) throws(PostgresError) {
        try run(
            """
            UPDATE rm.build SET live = false, shown_at = coalesce(shown_at, created_at)
             WHERE name = \(build.name) AND shape = \(build.shape) AND live
            """
        )
        try run(
            """
            UPDATE rm.build SET live = true, shown_at = clock_timestamp()
             WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
            """
        )
        try run(
            """
            CREATE OR REPLACE VIEW rm.\(identifier: "\(build.name)_v\(build.shape)")
            AS SELECT * FROM \(identifier: build.schema).record
            """
        )
    }

    /// Lets one process at a time make builds in this database.
    func takeBuildLock() throws(PostgresError) {
        try run("SELECT pg_advisory_xact_lock(hashtextextended('signalbox read models', 0))")
    }
}
