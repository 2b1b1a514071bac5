internal import Domain
internal import EventStore
internal import Kernel
internal import Logging
internal import Postgres

/// Rows keep what they were folded from; when the log is made to forget, they have to forget too.
extension ProjectionRunner {
    /// What a projection is fed: what it reads, and what it must forget.
    static func filter<P: Projection>(for _: P.Type) -> EventFilter {
        EventFilter(types: P.reads.union([ErasureEvent.Name.payloadErased.rawValue]).sorted())
    }

    /// Whether a page records that something was erased that was folded before.
    ///
    /// What was erased further on in the page was read without its payload already, and so was everything that was
    /// erased before the reading of all began.
    static func forgets<P: Projection>(
        _ page: EventPage,
        since position: Int64,
        begunAt begun: Int64 = 0,
        _: P.Type
    ) -> Bool {
        page.events.contains { record in
            guard record.position > begun, record.type == ErasureEvent.Name.payloadErased.rawValue,
                case .erasure(.payloadErased(let fact))? = try? Entry(record)?.event
            else { return false }
            return fact.position <= position && P.reads.contains(fact.type)
        }
    }

    /// Whether a page records that something was erased that some slice of the build may have folded before.
    ///
    /// Only the holder of the first slice looks, and all others go past the record: so one folds anew, and as the slice
    /// stays before the record meanwhile, no reader is told that it was reflected already.
    func mustForget<P: Projection>(_ page: EventPage, _ build: Build, _: P.Type) async throws(PostgresError) -> Bool {
        guard Self.forgets(page, since: .max, P.self) else { return false }
        let furthest = try await pool.with { connection throws(PostgresError) in try connection.furthest(of: build) }
        return Self.forgets(page, since: furthest, P.self)
    }

    /// Folds everything again beside the rows that are shown, up to the end of the log, and then shows the new ones.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - build: Whose rows, of all slices.
    ///   - fence: Proves the lease of its first slice.
    /// - Returns: `false` when that was lost to another process: nothing was changed.
    /// - Throws: `LogError` or `PostgresError`; the rows are as they were then, and the checkpoints too.
    func foldAnew<P: Projection>(_ projection: P.Type, _ build: Build, fence: Int64) async throws -> Bool {
        do {
            while true {
                if try await attemptAnew(projection, build, fence: fence) { return true }
                logger.notice("a payload was erased meanwhile; it begins again", metadata: ["projection": "\(P.name)"])
            }
        } catch let error as PostgresError where error == .overtaken {
            return false
        }
    }

    /// - Returns: `false` when something that was folded is to be forgotten by now.
    private func attemptAnew<P: Projection>(_ projection: P.Type, _ build: Build, fence: Int64) async throws -> Bool {
        let begun = try await log.frontier()
        var end = begun
        let skipped = try await pool.with { connection throws(PostgresError) in
            try connection.beginAnew(projection, build, fence: fence)
        }
        var at: Int64 = 0
        var poisoned: [Poison] = []
        while true {
            while at < end {
                try Task.checkCancellation()
                let filter = Self.filter(for: P.self)
                let page = try await log.read(after: at, through: end, matching: filter, limit: settings.pageLimit)
                try page.check(after: at, for: .projection)
                guard page.scannedTo > at else { throw LogError.violated("nothing after \(at), before \(end)") }
                if Self.forgets(page, since: at, begunAt: begun, P.self) { return false }
                let passed = Passed(blocked: Set(poisoned.map(\.organization)), skipped: skipped)
                poisoned += try await pool.with { connection throws(PostgresError) in
                    try connection.foldAnew(projection, page.events, beside: build, fence: fence, passing: passed)
                }
                at = page.scannedTo
            }
            let (found, reached) = (poisoned, at)
            let replacement = try await pool.with { connection throws(PostgresError) in
                try connection.replace(
                    projection,
                    build,
                    fence: fence,
                    to: reached,
                    poisoned: found,
                    skipped: skipped
                )
            }
            switch replacement {
            case .done: return true
            case .stale: return false
            case .behind(let position): end = position
            }
        }
    }
}
