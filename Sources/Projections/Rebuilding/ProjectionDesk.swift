internal import Domain
internal import EventStore
internal import Kernel
internal import Postgres

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
        if let time = order.asOf {
            guard order.until == nil else { throw .twoEnds }
            guard time <= runner.ids.now() else { throw .future }
        }
        let command = deed.requestHash == nil ? nil : deed.command
        let build = try await doing { () async throws in
            if let number = deed.earlier?.build { return Build(name: name, shape: projection.shape, number: number) }
            let frontier = try await runner.log.frontier()
            var order = order
            if let time = order.asOf { order.until = try await runner.lastPosition(at: time, before: frontier) }
            if let until = order.until, until > frontier { throw RebuildError.beyond(frontier) }
            let wanted = order
            let opened = try await runner.pool.with { connection throws(PostgresError) in
                try connection.prepareControl()
                return try connection.openRebuild(
                    of: projection,
                    wanted,
                    goal: wanted.until ?? frontier,
                    slices: runner.settings.slices,
                    command: command
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
            _ = try await noted(deed, work: due) {
                .init(projection: name, verb: "rebuild", build: build.number, reason: deed.reason)
            }
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
            let (fact, _) = try await noted(deed) {
                let open = try await openRebuild(of: projection)
                let verb = paused ? "pause" : "resume"
                return .init(projection: name, verb: verb, build: open.number, reason: deed.reason)
            }
            let open = Build(name: name, shape: projection.shape, number: fact.build ?? 0)
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
            let (fact, isRepeated) = try await noted(deed) {
                let target: Build
                if let number {
                    target = Build(name: name, shape: projection.shape, number: number)
                } else {
                    target = try await openRebuild(of: projection)
                }
                try await check(target)
                return .init(projection: name, verb: "cancel", build: target.number, reason: deed.reason)
            }
            let target = Build(name: name, shape: projection.shape, number: fact.build ?? 0)
            let isGone = try await runner.pool.with { connection throws(PostgresError) in
                guard try !connection.drop(target, as: .cancelled) else { return true }
                // Whoever came before may have got so far.
                return isRepeated ? try connection.positions(of: target, locking: false).isEmpty : false
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
            let (fact, _) = try await noted(deed) {
                let states = try await rebuilds(name)
                let candidate = number ?? states.last { [.ready, .unequal].contains($0.phase) }?.build
                guard let candidate else { throw RebuildError.notPossible("no rebuilt build waits to be shown") }
                try await check(Build(name: name, shape: projection.shape, number: candidate))
                if let state = states.first(where: { $0.build == candidate }) {
                    guard [.ready, .unequal, .done].contains(state.phase) else {
                        throw RebuildError.notPossible("its rebuild is \(state.phase.rawValue)")
                    }
                    guard state.phase != .unequal || accepting else {
                        throw RebuildError.notPossible("it is not equal to what is shown; say that you accept it")
                    }
                }
                return .init(projection: name, verb: "switch", build: candidate, reason: deed.reason)
            }
            return try await exchange(projection, for: fact.build ?? 0)
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
            let (fact, _) = try await noted(deed) {
                let previous = try await runner.pool.with { connection throws(PostgresError) in
                    try connection.previousBuild(projection.name, shape: projection.shape)
                }
                guard let previous else { throw RebuildError.notPossible("no other build was shown before") }
                return .init(projection: name, verb: "rollback", build: previous.number, reason: deed.reason)
            }
            return try await exchange(projection, for: fact.build ?? 0)
        }
    }

    /// Has the view show a build that is kept fed, as soon as it can be had where the other one is.
    private func exchange(_ projection: any Projection.Type, for number: Int) async throws -> Int {
        let build = Build(name: projection.name, shape: projection.shape, number: number)
        func attempt<P: Projection>(_: P.Type) async throws(PostgresError) -> Leveling {
            try await runner.pool.with { connection throws(PostgresError) in
                try connection.exchange(P.self, for: build, fence: nil)
            }
        }
        var pause = Pause()
        for _ in 0..<20 {
            do {
                switch try await attempt(projection) {
                case .done: return number
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

extension ProjectionRunner {
    /// The last position up to a frontier that was recorded at or before a time, in the archive too; 0 when there is none.
    fileprivate func lastPosition(at time: Timestamp, before frontier: Int64) async throws(LogError) -> Int64 {
        var (low, high) = (Int64(0), frontier + 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            let page = try await log.read(after: middle - 1, through: middle, matching: .everything, limit: 1)
            guard let event = page.events.first else { throw .violated("position \(middle) is missing") }
            if event.recordedAt <= time { low = middle } else { high = middle }
        }
        return low
    }
}
