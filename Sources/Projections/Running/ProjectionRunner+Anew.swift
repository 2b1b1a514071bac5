internal import Domain
internal import EventStore
internal import Kernel
internal import Postgres

/// Rows keep what they were folded from; when the log is made to forget, they have to forget too.
extension ProjectionRunner {
    /// What a projection is fed: what it reads, and what it must forget.
    static func filter<P: Projection>(for _: P.Type) -> EventFilter {
        EventFilter(types: P.reads.union([ErasureEvent.Name.payloadErased.rawValue]).sorted())
    }

    /// Whether a page records that something was erased that was folded before.
    ///
    /// What was erased further on in the page was read without its payload already.
    static func forgets<P: Projection>(_ page: EventPage, since position: Int64, _: P.Type) -> Bool {
        page.events.contains { record in
            guard record.type == ErasureEvent.Name.payloadErased.rawValue,
                case .erasure(.payloadErased(let fact))? = try? Entry(record)?.event
            else { return false }
            return fact.position <= position && P.reads.contains(fact.type)
        }
    }

    /// Folds everything again beside the rows that are shown, up to the end of the log, and then shows the new ones.
    ///
    /// - Parameters:
    ///   - projection: What folds.
    ///   - slice: The one slice of the build.
    ///   - position: Where its checkpoint is.
    /// - Returns: Where the checkpoint is now; `nil` when the slice was lost to another process.
    /// - Throws: `LogError` or `PostgresError`; the rows are as they were then, and the checkpoint too.
    func foldAnew<P: Projection>(
        _ projection: P.Type,
        _ slice: Slice,
        from position: Int64
    ) async throws -> Int64? {
        let end = try await log.frontier()
        let build = slice.build
        let skipped = try await pool.with { connection throws(PostgresError) in
            try connection.beginAnew(build)
            return try connection.passed(by: build).skipped
        }
        var at: Int64 = 0
        var poisoned: [Poison] = []
        while at < end {
            try Task.checkCancellation()
            let page = try await log.read(
                after: at,
                through: end,
                matching: EventFilter(types: P.reads.sorted()),
                limit: settings.pageLimit
            )
            guard page.scannedFrom == at + 1, page.scannedTo > at else {
                throw LogError.violated("after \(at) came \(page.scannedFrom)…\(page.scannedTo)")
            }
            let passed = Passed(blocked: Set(poisoned.map(\.organization)), skipped: skipped)
            poisoned += try await pool.with { connection throws(PostgresError) in
                try connection.transaction { tx throws(PostgresError) in
                    try tx.fold(projection, page.events, into: build.anew, passing: passed).poisoned
                }
            }
            at = page.scannedTo
        }
        let found = poisoned
        let isOurs = try await pool.with { connection throws(PostgresError) in
            try connection.replace(slice, from: position, to: end, poisoned: found)
        }
        return isOurs ? end : nil
    }
}
