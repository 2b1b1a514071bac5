internal import Domain
internal import EventStore
package import Kernel
internal import Postgres

/// Who does something to a read model, and why.
package struct ProjectionDeed: Sendable, Equatable {
    /// An opaque principal.
    package var actor: String
    package var reason: String
    package var command: UniqueID
    package var traceparent: String?

    package init(actor: String, reason: String, command: UniqueID, traceparent: String? = nil) {
        self.actor = actor
        self.reason = reason
        self.command = command
        self.traceparent = traceparent
    }
}

/// What operators may do to the builds of read models; each deed is an event, with who and why.
package struct ProjectionDesk: Sendable {
    let runner: ProjectionRunner

    /// - Parameter runner: Of this process; it need not run for a deed to be done, but for a rebuild to go on.
    package init(_ runner: ProjectionRunner) {
        self.runner = runner
    }

    /// Has a read model built anew, beside the one that is shown.
    ///
    /// - Parameters:
    ///   - name: Which read model.
    ///   - order: How.
    ///   - deed: Who, and why.
    /// - Returns: How it stands.
    /// - Throws: ``RebuildError``.
    package func rebuild(
        _ name: String,
        _ order: RebuildOrder,
        by deed: ProjectionDeed
    ) async throws(RebuildError) -> RebuildState {
        let projection = try projection(name)
        let build = try await doing { () async throws in
            let frontier = try await runner.log.frontier()
            if let until = order.until, until > frontier { throw RebuildError.beyond(frontier) }
            let opened = try await runner.pool.with { connection throws(PostgresError) in
                try connection.prepareControl()
                return try connection.openRebuild(
                    of: projection,
                    order,
                    goal: order.until ?? frontier,
                    slices: runner.settings.slices
                )
            }
            guard let build = opened else { throw RebuildError.notPossible("a rebuild of it is under way") }
            guard let stream = StreamName(build.rebuildStream) else { throw RebuildError.unknownProjection }
            let due = WorkUpdate(
                stream,
                guard: .create,
                kind: ProjectionRunner.rebuildKind,
                status: "queued",
                wakeAt: WorkUpdate.atOnce
            )
            let fact = PlatformEvent.ProjectionOperated(
                projection: name,
                verb: "rebuild",
                build: build.number,
                reason: deed.reason
            )
            try await note(deed, fact, due)
            runner.prompt.ring()
            return build
        }
        return try await state(build)
    }

    /// Has a rebuild stop where it is, or go on.
    ///
    /// - Parameters:
    ///   - name: Which read model.
    ///   - paused: Whether it is to stop.
    ///   - deed: Who, and why.
    /// - Returns: How it stands.
    /// - Throws: ``RebuildError``.
    package func pause(
        _ name: String,
        _ paused: Bool,
        by deed: ProjectionDeed
    ) async throws(RebuildError)
        -> RebuildState
    {
        let projection = try projection(name)
        let build = try await doing { () async throws in
            guard
                let open = try await runner.pool.with({ connection throws(PostgresError) in
                    try connection.openRebuild(projection.name, shape: projection.shape)
                })
            else { throw RebuildError.notPossible("no rebuild of it is under way") }
            let verb = paused ? "pause" : "resume"
            try await note(deed, .init(projection: name, verb: verb, build: open.number, reason: deed.reason))
            try await runner.pool.with { connection throws(PostgresError) in
                _ = try connection.run(
                    """
                    UPDATE rm.rebuild SET paused = \(paused), updated_at = clock_timestamp()
                     WHERE name = \(open.name) AND shape = \(open.shape) AND build = \(open.number)
                       AND ended_at IS NULL
                    """
                )
            }
            if !paused { try await runner.wake(open) }
            return open
        }
        return try await state(build)
    }

    /// Drops a build that is not shown; a rebuild of it ends.
    ///
    /// - Parameters:
    ///   - name: Which read model.
    ///   - number: Which build; `nil` stands for that of the rebuild under way.
    ///   - deed: Who, and why.
    /// - Throws: ``RebuildError``.
    package func cancel(_ name: String, build number: Int?, by deed: ProjectionDeed) async throws(RebuildError) {
        let projection = try projection(name)
        try await doing { () async throws in
            let target: Build?
            if let number {
                target = Build(name: name, shape: projection.shape, number: number)
            } else {
                target = try await runner.pool.with { connection throws(PostgresError) in
                    try connection.openRebuild(projection.name, shape: projection.shape)
                }
            }
            guard let target else { throw RebuildError.notPossible("no rebuild of it is under way") }
            try await check(target)
            try await note(deed, .init(projection: name, verb: "cancel", build: target.number, reason: deed.reason))
            let isGone = try await runner.pool.with { connection throws(PostgresError) in
                try connection.drop(target, as: .cancelled)
            }
            guard isGone else { throw RebuildError.notPossible("it is shown") }
            // Whoever drives or feeds it finds that it is gone.
            try await runner.wake(target)
        }
    }

    /// Shows another build, at the position at which the present one stops being shown.
    ///
    /// - Parameters:
    ///   - name: Which read model.
    ///   - number: Which build; `nil` stands for the newest that was rebuilt and not shown yet.
    ///   - accepting: Whether it may be one that was found not to be equal.
    ///   - deed: Who, and why.
    /// - Returns: The number of the build that is shown now.
    /// - Throws: ``RebuildError``.
    package func show(
        _ name: String,
        build number: Int?,
        acceptingDifferences accepting: Bool,
        by deed: ProjectionDeed
    ) async throws(RebuildError) -> Int {
        let projection = try projection(name)
        return try await doing { () async throws in
            let states = try await rebuilds(name)
            let candidate = number ?? states.last { [.ready, .unequal].contains($0.phase) }?.build
            guard let candidate else { throw RebuildError.notPossible("no rebuilt build waits to be shown") }
            let target = Build(name: name, shape: projection.shape, number: candidate)
            try await check(target)
            if let state = states.first(where: { $0.build == candidate }) {
                guard [.ready, .unequal, .done].contains(state.phase) else {
                    throw RebuildError.notPossible("its rebuild is \(state.phase.rawValue)")
                }
                guard state.phase != .unequal || accepting else {
                    throw RebuildError.notPossible("it is not equal to what is shown; say that you accept it")
                }
            }
            try await note(deed, .init(projection: name, verb: "switch", build: candidate, reason: deed.reason))
            try await exchange(projection, for: target)
            return candidate
        }
    }

    /// Shows the build again that was shown before the present one.
    ///
    /// - Parameters:
    ///   - name: Which read model.
    ///   - deed: Who, and why.
    /// - Returns: The number of the build that is shown now.
    /// - Throws: ``RebuildError``.
    package func rollBack(_ name: String, by deed: ProjectionDeed) async throws(RebuildError) -> Int {
        let projection = try projection(name)
        return try await doing { () async throws in
            let previous = try await runner.pool.with { connection throws(PostgresError) in
                try connection.previousBuild(projection.name, shape: projection.shape)
            }
            guard let previous else { throw RebuildError.notPossible("no other build was shown before") }
            try await note(deed, .init(projection: name, verb: "rollback", build: previous.number, reason: deed.reason))
            try await exchange(projection, for: previous)
            return previous.number
        }
    }

    /// Has the view show a build that is kept fed, as soon as it can be had where the other one is.
    private func exchange(_ projection: any Projection.Type, for build: Build) async throws {
        func attempt<P: Projection>(_: P.Type) async throws(PostgresError) -> Leveling {
            try await runner.pool.with { connection throws(PostgresError) in
                try connection.exchange(P.self, for: build, fence: nil)
            }
        }
        var pause = Pause()
        for _ in 0..<20 {
            do {
                switch try await attempt(projection) {
                case .done: return
                case .lost: throw RebuildError.unknownBuild
                case .apart, .forgets: break
                }
            } catch let error as PostgresError where error.isTransient && error.kind == .refused {
                // Somebody reads, or feeds, in just this moment.
            }
            await pause.wait()
        }
        throw RebuildError.notPossible("it does not catch up with what is shown, or readers do not let go")
    }
}
