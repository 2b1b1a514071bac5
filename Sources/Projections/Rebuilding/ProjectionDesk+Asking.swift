internal import EventStore
internal import Kernel
internal import Logging
internal import Postgres

extension ProjectionDesk {
    /// The rebuilds of a read model in its present shape, oldest first.
    ///
    /// - Throws: ``RebuildError``.
    package func rebuilds(_ name: String) async throws(RebuildError) -> [RebuildState] {
        let projection = try projection(name)
        return try await doing { () async throws in
            try await runner.pool.with { connection throws(PostgresError) in
                try connection.rebuilds(projection.name, shape: projection.shape)
            }
        }
    }

    /// The newest rebuild of a read model.
    ///
    /// - Throws: ``RebuildError``; `notPossible` when there was none.
    package func newest(_ name: String) async throws(RebuildError) -> RebuildState {
        guard let state = try await rebuilds(name).last else { throw .notPossible("it was never rebuilt") }
        return state
    }

    func state(_ build: Build) async throws(RebuildError) -> RebuildState {
        guard let state = try await rebuilds(build.name).first(where: { $0.build == build.number }) else {
            throw .unknownBuild
        }
        return state
    }

    func projection(_ name: String) throws(RebuildError) -> any Projection.Type {
        guard let projection = runner.projections.first(where: { $0.name == name }) else {
            throw .unknownProjection
        }
        return projection
    }

    /// - Throws: ``RebuildError/unknownBuild`` when it is not there.
    func check(_ build: Build) async throws {
        let isThere = try await runner.pool.with { connection throws(PostgresError) in
            try !connection.positions(of: build, locking: false).isEmpty
        }
        guard isThere else { throw RebuildError.unknownBuild }
    }

    /// - Throws: ``RebuildError/notPossible(_:)`` when there is none.
    func openRebuild(of projection: any Projection.Type) async throws -> Build {
        let open = try await runner.pool.with { connection throws(PostgresError) in
            try connection.openRebuild(projection.name, shape: projection.shape)
        }
        guard let open else { throw RebuildError.notPossible("no rebuild of it is under way") }
        return open
    }

    /// Does something, and says in the words of this desk why it could not be done.
    func doing<Value: Sendable>(_ body: () async throws -> Value) async throws(RebuildError) -> Value {
        do {
            return try await body()
        } catch let error as RebuildError {
            throw error
        } catch AppendError.commandReused {
            throw .commandReused
        } catch let error as PostgresError where error.isLockUnavailable {
            throw .notPossible("somebody else has it in use; try again")
        } catch {
            runner.logger.warning("a deed upon a read model failed", metadata: ["error": "\(error)"])
            throw .unavailable
        }
    }
}

extension Connection {
    /// The build of the rebuild that is under way.
    func openRebuild(_ name: String, shape: Int) throws(PostgresError) -> Build? {
        let rows = try run(
            "SELECT build FROM rm.rebuild WHERE name = \(name) AND shape = \(shape) AND ended_at IS NULL"
        )
        return rows.count == 1 ? Build(name: name, shape: shape, number: try rows.decode(0, Int.self)) : nil
    }

    func rebuilds(_ name: String, shape: Int) throws(PostgresError) -> [RebuildState] {
        let rows = try run(
            """
            SELECT build, phase, paused, dry, position, goal, events, rate, seconds_left, started_at, updated_at,
                   ended_at, error, compared_at, rows, live_rows, checksum, live_checksum, differing
              FROM rm.rebuild
             WHERE name = \(name) AND shape = \(shape)
             ORDER BY build
            """
        )
        var states: [RebuildState] = []
        for row in 0..<rows.count {
            func read<Value: Column>(_: Value.Type, _ column: Int) throws(PostgresError) -> Value {
                try Value.read(rows, row: row, column: column)
            }
            let (position, goal) = (try read(Int64.self, 4), try read(Int64.self, 5))
            var state = RebuildState(
                name: name,
                shape: shape,
                build: try read(Int.self, 0),
                phase: RebuildState.Phase(rawValue: try read(String.self, 1)) ?? .failed,
                paused: try read(Bool.self, 2),
                dryRun: try read(Bool.self, 3),
                position: position,
                goal: goal,
                percent: goal > 0 ? min(100, Double(position) * 100 / Double(goal)) : 100,
                events: try read(Int64.self, 6),
                eventsPerSecond: try read(Double.self, 7),
                secondsLeft: try read(Double?.self, 8),
                verdict: nil,
                error: try read(String?.self, 12),
                startedAt: try read(Timestamp.self, 9),
                updatedAt: try read(Timestamp.self, 10),
                endedAt: try read(Timestamp?.self, 11)
            )
            if let at = try read(Int64?.self, 13) {
                state.verdict = RebuildState.Verdict(
                    position: at,
                    rows: try read(Int64.self, 14),
                    liveRows: try read(Int64.self, 15),
                    checksum: try read(String.self, 16),
                    liveChecksum: try read(String.self, 17),
                    differing: try rows.array(String.self, row: row, column: 18)
                )
            }
            states.append(state)
        }
        return states
    }
}
