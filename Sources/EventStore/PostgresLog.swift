internal import Kernel
package import Logging
package import Postgres
internal import Synchronization

/// The log in Postgres.
///
/// Appends go through one ``LogWriter``, reads through a pool. Every append commits before it is answered, so what is
/// visible is durable and the frontier is the newest position.
package final class PostgresLog: EventLog {
    /// Rings when an event was written, here or elsewhere.
    package let bell = Bell()
    /// Rings when leased work was changed by an append, here or elsewhere.
    package let workBell = Bell()

    let pool: Pool
    let archive: ArchiveReader
    private let writer: LogWriter
    private let listener: Listener
    private let notices: Mailbox<LogWriter.Written>
    private let logger: Logger

    /// Connects once, to fail early; ``run()`` must be running before anything is appended.
    ///
    /// - Parameters:
    ///   - conninfo: Where the log is; the writer and the listener have a connection of their own.
    ///   - role: Who they become after the login.
    ///   - pool: For reads and wake-ups, as a role that may read the log and execute its functions.
    ///   - queue: How many appends may wait; more are refused as `unavailable`.
    ///   - patience: How long an append is held whose fate is unknown because the database went away under way; then
    ///     it is answered as `unavailable`.
    ///   - archive: The folder of the files of what was archived; `nil` when there is none.
    ///   - logger: For what operators should know.
    /// - Returns: A log that can be read at once.
    /// - Throws: ``PostgresError`` when there is no log there now.
    package static func open(
        conninfo: String,
        role: String? = "signalbox_append",
        pool: Pool,
        queue: Int = 4096,
        patience: Duration = .seconds(5),
        archive: String? = nil,
        logger: Logger = Logger(label: "signalbox.log")
    ) async throws(PostgresError) -> PostgresLog {
        let log = PostgresLog(
            conninfo: conninfo,
            role: role,
            pool: pool,
            queue: queue,
            patience: patience,
            archive: archive,
            logger: logger
        )
        log.writer.saw(try await log.newestPosition())
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
            queue: 1,
            patience: .zero,
            archive: archive,
            logger: Logger(label: "signalbox.log")
        )
        log.close()
        return log
    }

    private init(
        conninfo: String,
        role: String?,
        pool: Pool,
        queue: Int,
        patience: Duration,
        archive: String?,
        logger: Logger
    ) {
        let notices = Mailbox<LogWriter.Written>()
        let (bell, workBell) = (bell, workBell)
        self.pool = pool
        self.archive = ArchiveReader(folder: archive)
        self.notices = notices
        self.logger = logger
        listener = Listener(conninfo: conninfo, channels: ["log", "work"], role: role)
        writer = LogWriter(
            connect: { () async throws(PostgresError) in
                try await Connection.open(conninfo, role: role, applicationName: "signalbox-log")
            },
            queue: queue,
            patience: patience,
            logger: logger
        ) { written in
            // Whoever waits in this process need not wait for the round trip.
            if written.hasEvents { bell.ring() }
            if written.hasWork { workBell.ring() }
            _ = notices.put(written)
        }
    }

    /// Writes, listens and keeps house until ``close()`` has been called and what was accepted is written.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.notify() }
            group.addTask { await self.listen() }
            group.addTask { await self.keepHouse() }
            await writer.run()
            notices.close()
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
        let known = writer.newest
        let (recent, end) = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) -> (EventPage, Int64) in
                let end = known < wanted ? min(wanted, try connection.newestPosition()) : wanted
                return (try connection.page(after: position, through: end, matching: filter, limit: limit), end)
            }
        }
        writer.saw(end > known && end > position ? end : known)
        let page = try await completed(recent, matching: filter, limit: limit)
        if filter.isEverything { try page.assertContiguous() }
        return page
    }

    package func frontier() async throws(LogError) -> Int64 {
        let newest = try await LogError.wrap { () async throws(PostgresError) in try await self.newestPosition() }
        writer.saw(newest)
        return newest
    }

    private func newestPosition() async throws(PostgresError) -> Int64 {
        try await pool.with { connection throws(PostgresError) in try connection.newestPosition() }
    }

    // MARK: In the background

    /// Tells other processes, after the commit and never inside it: NOTIFY takes a lock until the disk has flushed.
    private func notify() async {
        while let written = await notices.next({ $0.takeAll() }) {
            let position = written.reduce(0) { $1.hasEvents ? max($0, $1.position) : $0 }
            let hasWork = written.contains(where: \.hasWork)
            do throws(PostgresError) {
                try await pool.with { connection throws(PostgresError) in
                    if position > 0 {
                        try connection.run("SELECT pg_notify('log', \(String(position)))", prepared: true)
                    }
                    if hasWork { try connection.run("SELECT pg_notify('work', '')", prepared: true) }
                }
            } catch {
                // Only a wake-up was lost; who waits for it looks by itself within a second.
                logger.debug("nobody was woken", metadata: ["error": "\(error)"])
            }
        }
    }

    private func listen() async {
        for await element in listener {
            switch element {
            case .listening:
                bell.ring()
                workBell.ring()
            case .notification(channel: "work", payload: _):
                workBell.ring()
            case .notification:
                bell.ring()
            }
        }
    }

    /// Makes partitions ahead of need, and forgets the commands of last week.
    private func keepHouse() async {
        while !Task.isCancelled {
            do throws(PostgresError) {
                try await pool.with { connection throws(PostgresError) in
                    try connection.run("SELECT log.ensure_partitions()")
                    // One batch after the other, so that it keeps up with any rate.
                    while try connection.run("SELECT log.forget_commands(10000)").decode(0, Int64.self) == 10_000 {}
                }
            } catch {
                if Task.isCancelled { return }
                logger.warning("the log could not be kept in order", metadata: ["error": "\(error)"])
            }
            do {
                try await Task.sleep(for: .seconds(60))
            } catch {
                return
            }
        }
    }
}

extension EventPage {
    /// - Throws: `violated` when a position is missing: nothing may ever be skipped silently.
    func assertContiguous() throws(LogError) {
        for (index, event) in events.enumerated() where event.position != scannedFrom + Int64(index) {
            throw .violated("position \(scannedFrom + Int64(index)) is missing")
        }
        guard events.count == max(0, scannedTo - scannedFrom + 1) else {
            throw .violated("position \(scannedFrom + Int64(events.count)) is missing")
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
