internal import Kernel
package import Logging
package import Postgres
internal import Synchronization

/// The log in Postgres.
///
/// Appends go through one ``LogWriter``, reads through a pool. What is read is durable: nothing that a crash of the
/// server could take back is ever given out, not even to those who decide on it.
package final class PostgresLog: EventLog {
    /// Rings when an event became durable, written here or elsewhere.
    package let bell = Bell()
    /// Rings when leased work was changed by an append, here or elsewhere.
    package let workBell = Bell()

    let pool: Pool
    let archive: ArchiveReader
    private let writer: LogWriter
    private let listener: Listener
    let known: Frontier
    private let logger: Logger

    /// Connects once, to fail early; ``run()`` must be running before anything is appended.
    ///
    /// - Parameters:
    ///   - conninfo: Where the log is; the writer and the listener have a connection of their own.
    ///   - role: Who they become after the login.
    ///   - pool: For reads and wake-ups, as a role that may read the log and execute its functions.
    ///   - durability: When an append counts as done.
    ///   - queue: How many appends may wait; more are refused as `unavailable`.
    ///   - queuedBytes: How many bytes they may hold together.
    ///   - patience: How long an append is held whose fate is unknown because the database went away under way; then
    ///     it is answered as `unavailable`.
    ///   - stuckAfter: How long a transaction may be under way before even a few do not wait for it any longer, and are
    ///     written over the other connection.
    ///   - archive: The folder of the files of what was archived; `nil` when there is none.
    ///   - logger: For what operators should know.
    ///   - probe: Told of each step of writing, on the thread that takes it; for crash campaigns.
    /// - Returns: A log that can be read at once.
    /// - Throws: ``PostgresError`` when there is no log there now.
    package static func open(
        conninfo: String,
        role: String? = "signalbox_append",
        pool: Pool,
        durability: Durability = .pipelined,
        queue: Int = 4096,
        queuedBytes: Int = 64 << 20,
        patience: Duration = .seconds(5),
        stuckAfter: Duration = .seconds(1),
        archive: String? = nil,
        logger: Logger = Logger(label: "signalbox.log"),
        probe: (@Sendable (LogStep) -> Void)? = nil
    ) async throws(PostgresError) -> PostgresLog {
        let log = PostgresLog(
            conninfo: conninfo,
            role: role,
            pool: pool,
            durability: durability,
            queue: .init(items: queue, weight: queuedBytes),
            patience: patience,
            stuckAfter: stuckAfter,
            archive: archive,
            logger: logger,
            probe: probe
        )
        _ = try await log.lookForFrontier()
        return log
    }

    /// A log that is only read, such as by a command line: it appends nothing and hears nothing.
    ///
    /// - Parameters:
    ///   - pool: As a role that may read the log.
    ///   - archive: The folder of the files of what was archived; `nil` when there is none.
    /// - Returns: A log that refuses appends.
    package static func reader(pool: Pool, archive: String? = nil) -> PostgresLog {
        let log = PostgresLog(
            conninfo: "",
            role: nil,
            pool: pool,
            durability: .commit,
            queue: .init(items: 0),
            patience: .zero,
            stuckAfter: .zero,
            archive: archive,
            logger: Logger(label: "signalbox.log"),
            probe: nil
        )
        log.close()
        return log
    }

    private init(
        conninfo: String,
        role: String?,
        pool: Pool,
        durability: Durability,
        queue: Mailbox<Waiting>.Limit,
        patience: Duration,
        stuckAfter: Duration,
        archive: String?,
        logger: Logger,
        probe: (@Sendable (LogStep) -> Void)?
    ) {
        self.pool = pool
        self.archive = ArchiveReader(folder: archive)
        self.logger = logger
        known = Frontier(bell: bell)
        listener = Listener(conninfo: conninfo, channels: ["log", "work"], role: role)
        writer = LogWriter(
            connect: { () async throws(PostgresError) in
                try await Connection.open(conninfo, role: role, applicationName: "signalbox-log")
            },
            patience: patience,
            desk: WriterDesk(
                durability: durability,
                queue: Mailbox(limit: queue, weigh: \.request.weight),
                frontier: known,
                workBell: workBell,
                logger: logger,
                probe: probe,
                stuckAfter: stuckAfter
            )
        )
    }

    /// Writes, listens and keeps house until ``close()`` has been called and what was accepted is written.
    package func run() async {
        LogConsumer.offer()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listen() }
            group.addTask { await self.keepHouse() }
            await writer.run()
            group.cancelAll()
        }
    }

    /// Refuses new appends, and ends ``run()`` once the accepted ones are written.
    package func close() {
        writer.close()
    }

    package func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        try await writer.append(request)
    }

    package func read(
        _ stream: StreamName,
        after version: Int64,
        limit: Int
    ) async throws(LogError) -> [RecordedEvent] {
        let recent = try await inDatabase(stream, after: version, limit: limit)
        let events = try await completed(recent, of: stream, after: version, limit: limit)
        for (index, event) in events.enumerated() where event.version != version + Int64(index) + 1 {
            throw .violated("\(stream) has a hole after version \(version + Int64(index))")
        }
        return events
    }

    package func read(
        after position: Int64,
        through: Int64?,
        matching filter: EventFilter,
        limit: Int
    ) async throws(LogError) -> EventPage {
        // A filter may look far; without one a page needs no more than its limit.
        let reach = filter.isEverything ? Int64(max(0, limit)) : .max
        let wanted = min(reach < .max - position ? position + reach : .max, through ?? .max)
        let end = max(position, min(wanted, try await frontier(wanted: wanted, atLeast: position + 1)))
        let recent = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.page(after: position, through: end, matching: filter, limit: limit)
            }
        }
        let page = try await completed(recent, matching: filter, limit: limit)
        try page.check(after: position, isWhole: filter.isEverything, for: .page)
        return page
    }

    // MARK: In the background

    private func listen() async {
        for await element in listener {
            switch element {
            case .listening:
                bell.ring()
                workBell.ring()
            case .notification(channel: "work", payload: _):
                workBell.ring()
            case .notification(channel: _, payload: let position):
                // What a barrier tells is durable.
                if let position = Int64(position) { known.raise(to: position) }
            }
        }
    }

    /// Makes partitions ahead of need, and forgets the commands of last week.
    private func keepHouse() async {
        while !Task.isCancelled {
            await chore { connection throws(PostgresError) in try connection.makePartitions() }
            await chore { connection throws(PostgresError) in
                // One batch after the other, so that it keeps up with any rate.
                while try connection.run("SELECT log.forget_commands(10000)").decode(0, Int64.self) == 10_000 {}
            }
            do {
                try await Task.sleep(for: .seconds(60))
            } catch {
                return
            }
        }
    }

    /// Does something that is tried again soon when it fails.
    private func chore(_ body: @Sendable (isolated Connection) throws(PostgresError) -> Void) async {
        do throws(PostgresError) {
            try await pool.with(body)
        } catch {
            if Task.isCancelled { return }
            logger.warning("the log could not be kept in order", metadata: ["error": "\(error)"])
        }
    }
}

extension LogError {
    /// Says what a failure of Postgres means for a reader.
    static func wrap<Value: Sendable>(
        _ body: () async throws(PostgresError) -> Value
    ) async throws(LogError) -> Value {
        do throws(PostgresError) {
            return try await body()
        } catch {
            throw .unavailable(error.code.isEmpty ? "\(error)" : "\(error), SQLSTATE \(error.code)")
        }
    }
}
