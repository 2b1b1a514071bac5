internal import EventStore
internal import Kernel
internal import Logging
internal import Postgres

/// Why a rebuild is not driven any further.
enum RebuildStop: Sendable, Equatable {
    case ended
    case paused
    /// Somebody else drives it now, it was cancelled, or this process stops.
    case lost
}

/// Drives one rebuild from wherever it is to its end: loading, indexes, catching up, comparing, switching.
///
/// Everything it knows is in the database, moved in the transaction that does what it says; whoever takes over goes on
/// from there. It has two connections at a time, one that reads the log and one that writes.
struct Rebuilder<P: Projection>: Sendable {
    let pool: Pool
    let log: any EventLog
    let build: Build
    let fence: Int64
    let settings: RebuildSettings
    let logger: Logger

    /// Drives until there is nothing to drive; tries again what may be better later.
    func run() async -> RebuildStop {
        var pause = Pause()
        var reached: Int64 = -1
        while !Task.isCancelled {
            var mark = reached
            do {
                return try await drive(&mark)
            } catch is CancellationError {
                return .lost
            } catch let error as PostgresError where error.isTransient || error.kind == .cancelled {
                if Task.isCancelled { return .lost }
                logger.warning("the rebuild is interrupted", metadata: ["error": "\(error)"])
            } catch LogError.unavailable(let why) {
                logger.warning("the rebuild is interrupted", metadata: ["error": "\(why)"])
            } catch {
                logger.error("the rebuild failed", metadata: ["error": "\(error)"])
                if await fail("\(error)") { return .ended }
            }
            // Who got further may try again soon.
            if mark > reached { pause.reset() }
            reached = mark
            await pause.wait()
        }
        return .lost
    }

    private func fail(_ why: String) async -> Bool {
        do {
            try await ask { connection throws(PostgresError) in
                try connection.transaction { tx throws(PostgresError) in
                    if try tx.enter(.failed, build, fence: fence) { try tx.end(build, as: .failed, error: why) }
                }
            }
            return true
        } catch {
            return false
        }
    }

    /// Drives it from where it is; `mark` says afterwards where that was.
    private func drive(_ mark: inout Int64) async throws -> RebuildStop {
        guard
            let turn = try await ask({ connection throws(PostgresError) in
                try connection.adoptRebuild(build, fence: fence)
            })
        else { return .lost }
        mark = turn.position
        if turn.paused { return .paused }
        switch turn.phase {
        case .loading:
            var loading = RebuildLoading(self, turn)
            if let stop = try await loading.run() { return stop }
            return try await drive(&mark)
        case .indexing:
            return try await index(&mark)
        case .catchingUp, .verifying, .switching:
            return try await finish(turn, &mark)
        case .done, .ready, .unequal, .held, .cancelled, .failed:
            return .lost
        }
    }

    private func index(_ mark: inout Int64) async throws -> RebuildStop {
        let isOurs = try await ask { connection throws(PostgresError) in
            try connection.index(P.self, build, fence: fence)
        }
        return isOurs ? try await drive(&mark) : .lost
    }

    /// Brings the build to where the live one is, compares the two, and shows it.
    private func finish(_ turn: RebuildTurn, _ mark: inout Int64) async throws -> RebuildStop {
        if turn.until != nil { return try await end(as: .held) }
        var pause = Pause()
        var isEqual = false
        while true {
            try Task.checkCancellation()
            guard try await goesOn() else { return try await drive(&mark) }
            let leveling: Leveling
            do throws(PostgresError) {
                if isEqual {
                    leveling = try await ask { connection throws(PostgresError) in
                        try connection.exchange(P.self, for: build, fence: fence)
                    }
                    if leveling == .done { return .ended }
                } else {
                    let found = try await ask { connection throws(PostgresError) in
                        try connection.verify(P.self, build, fence: fence)
                    }
                    leveling = found.leveling
                    if let verdict = found.verdict {
                        if turn.isDry { return try await end(as: .done, dropping: true) }
                        if !verdict.isEqual { return try await end(as: .unequal) }
                        if !turn.switches { return try await end(as: .ready) }
                        isEqual = true
                        continue
                    }
                }
            } catch {
                guard error.isTransient, error.kind == .refused else { throw error }
                await pause.wait()
                continue
            }
            switch leveling {
            case .done: break
            case .lost: return .lost
            case .forgets:
                guard try await restart() else { return .lost }
                return try await drive(&mark)
            case .apart:
                guard try await catchUp() else { return .lost }
                // What it is compared with may be behind itself.
                await pause.wait()
            }
        }
    }

    /// Whether nobody paused it.
    private func goesOn() async throws -> Bool {
        try await ask { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT paused FROM rm.rebuild
                 WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                   AND ended_at IS NULL
                """
            )
            return rows.count == 1 ? !(try rows.decode(0, Bool.self)) : false
        }
    }

    private func end(
        as phase: RebuildState.Phase,
        dropping: Bool = false
    ) async throws(PostgresError) -> RebuildStop {
        let isOurs = try await ask { connection throws(PostgresError) in
            try connection.transaction { tx throws(PostgresError) in
                guard try tx.enter(phase, build, fence: fence) else { return false }
                try tx.end(build, as: phase)
                return true
            }
        }
        guard isOurs else { return .lost }
        if dropping { _ = try await ask { connection throws(PostgresError) in try connection.drop(build) } }
        return .ended
    }

    /// Folds page by page what was appended since the loading.
    ///
    /// Never beyond the live build: it must be possible to compare the two.
    private func catchUp() async throws -> Bool {
        let at = try await ask { connection throws(PostgresError) in
            let live = try connection.shownBuild(build.name, shape: build.shape)
            return (
                mine: try connection.positions(of: build, locking: false).min() ?? 0,
                live: try live.map { live throws(PostgresError) in
                    try connection.positions(of: live, locking: false).min() ?? 0
                } ?? 0
            )
        }
        var position = at.mine
        while at.live - position > Connection.mostAtOnce / 10 {
            try Task.checkCancellation()
            let page = try await read(after: position, through: at.live, limit: Int(Connection.mostAtOnce))
            switch try await ask({ connection throws(PostgresError) in
                try connection.catchUp(P.self, build, with: page, fence: fence)
            }) {
            case .done: position = page.scannedTo
            case .forgets: return try await restart()
            case .lost, .apart: return false
            }
        }
        return true
    }

    /// Something was erased or skipped that was folded already: nothing of it may stay.
    func restart() async throws -> Bool {
        logger.notice("an event was erased or skipped; the rebuild begins again")
        return try await ask { connection throws(PostgresError) in
            try connection.transaction(otherwise: false) { tx throws(PostgresError) in
                guard try tx.enter(.loading, build, fence: fence) else { return false }
                try tx.restart(P.self, build, fence: fence)
                return true
            }
        }
    }

    func read(after position: Int64, through end: Int64, limit: Int) async throws -> EventPage {
        let filter = ProjectionRunner.filter(for: P.self)
        let page = try await log.read(after: position, through: end, matching: filter, limit: limit)
        try page.check(after: position, for: .projection)
        guard page.scannedTo > position else { throw LogError.violated("nothing after \(position), before \(end)") }
        return page
    }

    func next(after position: Int64, through end: Int64) async throws -> EventPage? {
        position < end ? try await read(after: position, through: end, limit: settings.stretch) : nil
    }

    func ask<Value: Sendable>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await pool.with(body)
    }
}
