internal import EventStore
internal import Kernel
internal import Postgres

/// The long part of a rebuild: the log from the checkpoint to the goal, folded by several workers, into a table that has
/// no indexes yet.
struct RebuildLoading<P: Projection> {
    private let rebuilder: Rebuilder<P>
    private let turn: RebuildTurn
    private let partitions: [FoldPartition<P>]
    private var passed = Passed()
    private var torn: Set<StreamName> = []
    /// What could not be folded, and is not noted yet.
    private var poisoned: [Poison] = []
    /// Where the checkpoint is.
    private var written: Int64
    /// How far was folded.
    private var position: Int64
    private var events: Int64
    private var rows = 0
    /// Whether rows may be in the table that are not in memory.
    private var hasSpilled: Bool
    private var hasWritten: Bool
    private var speed: Speed
    private var flushedAt = ContinuousClock.now

    init(_ rebuilder: Rebuilder<P>, _ turn: RebuildTurn) {
        self.rebuilder = rebuilder
        self.turn = turn
        partitions = (0..<turn.parallel).map { _ in FoldPartition<P>() }
        written = turn.position
        position = turn.position
        events = turn.events
        hasSpilled = turn.position > 0
        hasWritten = turn.position > 0
        speed = Speed(position: turn.position, events: turn.events)
    }

    /// Loads.
    ///
    /// - Returns: Why there is nothing more to be driven; `nil` when the indexes come next.
    mutating func run() async throws -> RebuildStop? {
        let frontier = try await rebuilder.log.frontier()
        let goal = min(turn.until ?? frontier, frontier)
        let build = rebuilder.build
        passed = try await rebuilder.ask { connection throws(PostgresError) in try connection.passed(by: build) }
        // What was erased before is read without its payload; only what is erased from now on can be read in clear.
        let begun = position > 0 ? turn.begun : frontier
        if position == 0, try await !note(begun: begun) { return .lost }
        if position < goal {
            var page = try await rebuilder.read(after: position, through: goal, limit: rebuilder.settings.stretch)
            while true {
                try Task.checkCancellation()
                // The next stretch is read while this one is folded.
                let (rebuilder, end) = (rebuilder, page.scannedTo)
                async let following = rebuilder.next(after: end, through: goal)
                if ProjectionRunner.forgets(page, since: position, begunAt: begun, P.self) {
                    return try await rebuilder.restart() ? nil : .lost
                }
                guard try await keepsSkipping() else { return try await rebuilder.restart() ? nil : .lost }
                try await fold(page)
                let isDue = ContinuousClock.now - flushedAt >= rebuilder.settings.flushEvery
                if rows >= rebuilder.settings.mostRows || isDue {
                    guard try await flush(letting: rows >= rebuilder.settings.mostRows) else { return .lost }
                }
                guard try await tell(goal) else {
                    return try await flush(letting: true) ? .paused : .lost
                }
                guard let more = try await following else { break }
                page = more
            }
        }
        guard try await flush(letting: true) else { return .lost }
        let fence = rebuilder.fence
        let isOurs = try await rebuilder.ask { connection throws(PostgresError) in
            try connection.transaction { tx throws(PostgresError) in
                try tx.enter(.indexing, build, fence: fence)
            }
        }
        return isOurs ? nil : .lost
    }

    /// Notes where the log ended when the loading began, for whoever takes over.
    ///
    /// - Returns: Whether the rebuild is still ours.
    private func note(begun: Int64) async throws -> Bool {
        let (build, fence) = (rebuilder.build, rebuilder.fence)
        return try await rebuilder.ask { connection throws(PostgresError) in
            try connection.transaction(otherwise: false) { tx throws(PostgresError) in
                _ = try tx.holdAll(build, fence: fence)
                return try tx.run(
                    """
                    UPDATE rm.rebuild SET begun = \(begun)
                     WHERE name = \(build.name) AND shape = \(build.shape) AND build = \(build.number)
                       AND ended_at IS NULL
                    """
                ).changed == 1
            }
        }
    }

    /// Learns what an operator had passed over meanwhile.
    ///
    /// - Returns: `false` when some of it was folded, or blocked its organization, already.
    private mutating func keepsSkipping() async throws -> Bool {
        let build = rebuilder.build
        let skipped = try await rebuilder.ask { connection throws(PostgresError) in
            try connection.passed(by: build).skipped
        }
        let new = skipped.subtracting(passed.skipped)
        passed.skipped = skipped
        return !new.contains { $0 <= position }
    }

    /// Folds a stretch, all workers at once.
    private mutating func fold(_ page: EventPage) async throws {
        let count = partitions.count
        var parts = [[RecordedEvent]](repeating: [], count: count)
        for event in page.events {
            parts[P.slice(of: event.organization?.value ?? 0, among: count)].append(event)
        }
        while true {
            let lacking = try await attempt(parts)
            guard !lacking.isEmpty else { break }
            // What presupposes a row that an erased payload would have made is nobody's fault.
            let streams = lacking
            let more = try await rebuilder.ask { connection throws(PostgresError) in
                try connection.tornStreams(among: streams, of: P.name)
            }
            guard !more.isEmpty else { break }
            torn.formUnion(more)
        }
        var held = 0
        for partition in partitions { held += await partition.accept() }
        rows = held
        for poison in found { passed.blocked.insert(poison.organization) }
        poisoned += found
        found = []
        position = page.scannedTo
        events += Int64(page.events.count)
    }

    /// What the last attempt could not fold.
    private var found: [Poison] = []

    /// Folds a stretch without anything counting yet.
    ///
    /// - Returns: The streams of what lacked a row and was not known to be torn.
    private mutating func attempt(_ parts: [[RecordedEvent]]) async throws -> Set<StreamName> {
        let (partitions, passed, torn) = (partitions, passed, torn)
        let missing = await withTaskGroup(of: (Int, [String]).self) { group in
            for (index, events) in parts.enumerated() {
                group.addTask {
                    let keys = await partitions[index].decode(
                        events,
                        blocked: passed.blocked,
                        torn: torn,
                        skipped: passed.skipped
                    )
                    return (index, keys)
                }
            }
            return await group.reduce(into: [Int: [String]]()) { $0[$1.0] = $1.1 }
        }
        var documents: [Int: [(String, String)]] = [:]
        if hasSpilled {
            let build = rebuilder.build
            for (index, keys) in missing where !keys.isEmpty {
                documents[index] = try await rebuilder.ask { connection throws(PostgresError) in
                    try connection.documents(build, keys)
                }
            }
        }
        let stored = documents
        let outcomes = try await withThrowingTaskGroup(of: (poison: [Poison], lacking: Set<StreamName>).self) { group in
            for index in partitions.indices {
                group.addTask { try await partitions[index].fold(stored[index] ?? []) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        found = outcomes.flatMap(\.poison).sorted { $0.position < $1.position }
        return outcomes.reduce(into: Set()) { $0.formUnion($1.lacking) }.subtracting(torn)
    }

    /// Writes what has changed, with the checkpoint.
    ///
    /// - Parameter isLetting: Whether the rows are let go of.
    /// - Returns: Whether the rebuild is still ours.
    /// - Throws: ``PostgresError``; then nothing was written.
    private mutating func flush(letting isLetting: Bool) async throws -> Bool {
        var changed: [StoredRow] = []
        var gone: [String] = []
        try await withThrowingTaskGroup(of: (rows: [StoredRow], gone: [String]).self) { group in
            for partition in partitions { group.addTask { try await partition.drain() } }
            for try await part in group {
                changed += part.rows
                gone += part.gone
            }
        }
        let (rows, keys, noted) = (changed, gone, poisoned)
        let (build, fence, from, to, isFirst) = (rebuilder.build, rebuilder.fence, written, position, !hasWritten)
        let isOurs = try await rebuilder.ask { connection throws(PostgresError) in
            try connection.flush(
                rows,
                gone: keys,
                poisoned: noted,
                into: build,
                fence: fence,
                from: from,
                to: to,
                isFirst: isFirst
            )
        }
        guard isOurs else { return false }
        poisoned = []
        written = position
        hasWritten = true
        if isLetting { hasSpilled = true }
        for partition in partitions { await partition.written(keeping: !isLetting) }
        if isLetting { self.rows = 0 }
        flushedAt = .now
        return true
    }

    /// Tells how far it is, not too often.
    ///
    /// - Returns: Whether it is to go on.
    private mutating func tell(_ goal: Int64) async throws -> Bool {
        guard let (rate, left) = speed.look(position: position, events: events, goal: goal) else { return true }
        let progress = RebuildProgress(position: position, goal: goal, events: events, rate: rate, secondsLeft: left)
        let build = rebuilder.build
        return try await rebuilder.ask { connection throws(PostgresError) in try connection.tell(progress, of: build) }
    }
}

/// How fast a rebuild is, over the last while.
struct Speed {
    private var position: Int64
    private var events: Int64
    private var at: ContinuousClock.Instant?
    private var rate: Double?
    private var pace: Double?

    init(position: Int64, events: Int64) {
        self.position = position
        self.events = events
    }

    /// Looks, at most four times a second.
    ///
    /// - Returns: Events and seconds left; `nil` when it was looked at just now.
    mutating func look(position: Int64, events: Int64, goal: Int64) -> (rate: Double, left: Double?)? {
        let now = ContinuousClock.now
        guard let at else {
            self.at = now
            (self.position, self.events) = (position, events)
            return (0, nil)
        }
        guard now - at >= .milliseconds(250) else { return nil }
        let seconds = Double((now - at).components.seconds) + Double((now - at).components.attoseconds) / 1e18
        // Smoothed: one stretch is folded faster than the next.
        func smooth(_ old: Double?, _ new: Double) -> Double { old.map { $0 * 0.7 + new * 0.3 } ?? new }
        let rate = smooth(rate, Double(events - self.events) / seconds)
        let pace = smooth(pace, Double(position - self.position) / seconds)
        (self.rate, self.pace, self.at) = (rate, pace, now)
        (self.position, self.events) = (position, events)
        return (rate, pace > 0 ? Double(goal - position) / pace : nil)
    }
}
