internal import Kernel
internal import Logging
internal import Postgres
internal import Synchronization

/// One life of the writer: connections that are opened together and given up together.
///
/// A server that restarts may lose what it had committed without waiting for the disk. So a barrier vouches only for
/// flushes that were sent while its own session already stood: one lost connection ends them all, and what was not
/// answered is sent again.
final class WriterSession: Sendable {
    /// How a session came to its end.
    enum Ending {
        /// Everything that had been accepted is written and answered.
        case closed
        /// A connection was lost; nobody knows what became of these.
        case lost([Flush])

        var unanswered: [Flush] {
            if case .lost(let flushes) = self { flushes } else { [] }
        }
    }

    /// What the server has committed.
    private struct Landed: Sendable {
        let flush: Flush
        let answers: FlushAnswers
        let committedAt: ContinuousClock.Instant
        /// Whether it waited for the disk itself, and was answered already.
        let isDurable: Bool
    }

    /// How many flushes may wait behind the barrier.
    private static let mostLanded = 32
    /// How many requests must wait before a flush is sent behind one that is in flight: fewer do not earn what a
    /// transaction costs, and go with the next.
    private static let leastBehind = 32
    /// How many connections take turns: while the server writes one flush, the next is encoded, sent and parsed.
    private static let appenderCount = 2

    /// The server processes of a session.
    struct Backends: Sendable {
        var pids: [Int32]
        /// Microseconds of the server's clock when all of them had begun; a later process with such a number is another.
        var begunBefore: Int64
    }

    /// What has to be ended before anything is sent again when this session is lost.
    let backends: Backends

    private let desk: WriterDesk
    private let appenders: [Connection]
    private let barrier: Connection
    private let landed = Mailbox<Landed>()
    private let answered = Atomic(false)
    private let turns = Atomic(0)
    /// The flushes in flight by their turn, and since when.
    private let inFlight = Mutex<[Int: ContinuousClock.Instant]>([:])
    /// A position that was seen in the log by this session, where looking for its end begins.
    private let hint: Atomic<Int64>

    /// Whether a flush of this session became durable.
    var hasAnswered: Bool { answered.load(ordering: .relaxed) }

    /// Connects, every time to the same server.
    ///
    /// - Parameters:
    ///   - desk: What is written, and who hears of it.
    ///   - lost: What is left at the server of a session that was lost: it may be stopped and have our statement before it.
    ///   - connect: Makes a connection.
    /// - Returns: A session that has not begun to write.
    /// - Throws: ``PostgresError`` when one of the connections cannot be had.
    static func open(
        desk: WriterDesk,
        ending lost: Backends? = nil,
        connect: @Sendable () async throws(PostgresError) -> Connection
    ) async throws(PostgresError) -> WriterSession {
        var connections: [Connection] = []
        do throws(PostgresError) {
            let barrier = try await connect()
            connections.append(barrier)
            try await barrier.prepareBarrier()
            if let lost { try await barrier.end(lost, desk.logger) }
            let place = try await barrier.place()
            var backends = Backends(pids: [place.pid], begunBefore: place.now)
            for _ in 0..<appenderCount {
                let appender = try await connect()
                connections.append(appender)
                try await appender.prepare("append", as: FlushArguments.statement)
                try await appender.prepare("append_one", as: PlainAppend.statement)
                let other = try await appender.place()
                guard other.server == place.server else {
                    throw PostgresError(.unreachable, message: "two connections reached two servers")
                }
                backends.pids.append(other.pid)
                backends.begunBefore = other.now
            }
            let newest = try await barrier.newestPosition()
            return WriterSession(
                desk: desk,
                appenders: Array(connections.dropFirst()),
                barrier: barrier,
                backends: backends,
                newest: newest
            )
        } catch {
            for connection in connections { await connection.close() }
            throw error
        }
    }

    private init(
        desk: WriterDesk,
        appenders: [Connection],
        barrier: Connection,
        backends: Backends,
        newest: Int64
    ) {
        self.desk = desk
        self.backends = backends
        self.appenders = appenders
        self.barrier = barrier
        hint = Atomic(newest)
    }

    /// A position that is in the log; others write too, and what they told counts as well.
    private var seen: Int64 { max(hint.load(ordering: .acquiring), desk.frontier.position) }

    func close() async {
        for connection in appenders + [barrier] { await connection.close() }
    }

    /// Sends again what was not answered, then writes flush after flush.
    func run(resending unanswered: [Flush]) async -> Ending {
        for (index, flush) in unanswered.enumerated() {
            do throws(PostgresError) {
                try await resend(flush)
            } catch {
                return .lost(Array(unanswered[index...]))
            }
        }
        var lost: [Flush] = []
        var isLost = false
        await withTaskGroup(of: [Flush]?.self) { group in
            group.addTask { await self.append() }
            group.addTask { await self.release(after: self.barrier) }
            for await unanswered in group {
                guard let unanswered else { continue }
                lost += unanswered
                isLost = true
                group.cancelAll()
            }
        }
        // A cancelled session leaves some without having lost anything.
        lost += landed.takeAll().filter { !$0.isDurable }.map(\.flush)
        guard isLost || !lost.isEmpty else { return .closed }
        // What was taken later may have been decided on what an earlier one wrote, never the other way round.
        return .lost(lost.sorted { $0.turn < $1.turn })
    }

    /// Sends a flush that may have been written before, and answers its callers once it is durable.
    private func resend(_ flush: Flush) async throws(PostgresError) {
        let answers = try await write(again: flush, on: appenders[0])
        hint.max(answers.lastPosition, ordering: .acquiringAndReleasing)
        // What is recognised writes nothing, so its commit waits for nothing.
        let position = try await barrier.pass(News(position: seen, hasWork: flush.hasWork))
        desk.frontier.raise(to: position)
        settle(Landed(flush: flush, answers: answers, committedAt: .now, isDurable: true))
    }

    private func write(
        again flush: Flush,
        on connection: isolated Connection
    ) throws(PostgresError) -> FlushAnswers {
        try flush.write(hint: seen, again: true, durable: false, on: connection)
    }

    // MARK: Appending

    /// Writes over all connections, which take turns.
    ///
    /// - Returns: What was in flight when connections were lost; `nil` when all was written.
    private func append() async -> [Flush]? {
        defer { landed.close() }
        return await withTaskGroup(of: Flush?.self) { group in
            for connection in appenders { group.addTask { await self.append(on: connection) } }
            group.addTask {
                await self.watch()
                return nil
            }
            var lost: [Flush] = []
            var left = appenders.count
            for await flush in group {
                left -= 1
                if let flush { lost.append(flush) }
                // The watch ends when nobody is left to wake.
                if flush != nil || left == 0 { group.cancelAll() }
            }
            return lost.isEmpty ? nil : lost
        }
    }

    /// How many requests must wait to be worth a transaction: one when nothing is in flight, or what is does not come
    /// back.
    private func least() -> Int {
        guard let oldest = inFlight.withLock({ $0.values.min() }) else { return 1 }
        return ContinuousClock.now - oldest < desk.stuckAfter ? Self.leastBehind : 1
    }

    /// Has the few who wait behind a flush that does not come back be written over the other connection.
    private func watch() async {
        while !Task.isCancelled {
            // Cancellation is all that can be thrown, and it ends the watch.
            try? await Task.sleep(for: desk.stuckAfter / 2)
            if least() == 1 { desk.queue.look() }
        }
    }

    /// Takes what waits: anything when nothing is in flight, else only what is worth a transaction of its own.
    private func next() async -> Flush? {
        await desk.queue.next {
            self.least()
        } _: { waiting in
            var flush = Flush.take(from: &waiting)
            let turn = self.turns.add(1, ordering: .relaxed).newValue
            flush.turn = turn
            self.inFlight.withLock { $0[turn] = .now }
            return flush
        }
    }

    /// Writes flush after flush.
    ///
    /// - Returns: What was in flight when the connection was lost; `nil` when all was written.
    private func append(on connection: isolated Connection) async -> Flush? {
        while let flush = await next() {
            defer { _ = inFlight.withLock { $0.removeValue(forKey: flush.turn) } }
            desk.probe?(.taken)
            // One request alone is durable sooner when it waits for the disk itself; and when the disk does not keep up,
            // this side must wait too, or what waits behind the barrier would grow without bound.
            let isDurable =
                desk.durability == .commit || flush.waiting.count == 1 && landed.isIdle
                || landed.count >= Self.mostLanded
            do throws(PostgresError) {
                let answers = try flush.write(
                    hint: seen,
                    again: false,
                    durable: isDurable,
                    probe: desk.probe,
                    on: connection
                )
                desk.probe?(.committed)
                if let error = answers.refusal {
                    desk.logger.error("a flush was refused", metadata: ["error": "\(error)", "code": "\(error.code)"])
                }
                hint.max(answers.lastPosition, ordering: .acquiringAndReleasing)
                WriterMetrics.lag(committed: hint.load(ordering: .relaxed), durable: desk.frontier.position)
                // A transaction that wrote nothing waits for nothing, but what it saw may not be on the disk yet.
                let done = Landed(
                    flush: flush,
                    answers: answers,
                    committedAt: .now,
                    isDurable: isDurable && answers.hasWrittenEvents
                )
                if done.isDurable { settle(done) }
                _ = landed.put(done)
            } catch {
                return flush
            }
        }
        return nil
    }

    // MARK: Answering

    /// Waits for the disk on behalf of everything that landed meanwhile, and tells other processes.
    ///
    /// - Returns: What landed and was not answered when the connection was lost; `nil` when nothing is left.
    private func release(after barrier: isolated Connection) async -> [Flush]? {
        while let batch = await landed.next({ $0.takeAll() }) {
            let waiting = batch.filter { !$0.isDurable }
            let hasWork = batch.contains { $0.flush.hasWork && $0.answers.hasWritten }
            do throws(PostgresError) {
                if waiting.isEmpty {
                    // Not what was seen: the next flush may have been, and nobody has waited for the disk for it.
                    try barrier.tell(News(position: desk.frontier.position, hasWork: hasWork))
                } else {
                    desk.probe?(.barrierBegun)
                    let position = try barrier.pass(News(position: seen, hasWork: hasWork))
                    desk.probe?(.barrierEnded)
                    desk.frontier.raise(to: position)
                    for done in waiting { settle(done) }
                }
            } catch {
                return waiting.map(\.flush)
            }
        }
        return nil
    }

    /// Answers the callers of a flush that is durable now.
    private func settle(_ landed: Landed) {
        desk.frontier.raise(to: landed.answers.lastPosition)
        answered.store(true, ordering: .relaxed)
        landed.flush.answer(landed.answers.results)
        desk.probe?(.answered)
        if landed.flush.hasWork, landed.answers.hasWritten { desk.workBell.ring() }
        WriterMetrics.lag(committed: hint.load(ordering: .relaxed), durable: desk.frontier.position)
        WriterMetrics.count(landed.answers, durableAfter: ContinuousClock.now - landed.committedAt)
    }
}

extension Connection {
    /// Which server this is, by when it was started; which of its processes; and its clock, in microseconds.
    fileprivate func place() throws(PostgresError) -> (server: Int64, pid: Int32, now: Int64) {
        try run(
            """
            SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
                   pg_backend_pid(),
                   (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
            """
        ).decode(0, Int64.self, Int32.self, Int64.self)
    }

    /// Ends what is left of a lost session: a process that is stopped, or has not noticed that nobody listens, would still
    /// do what it was sent, after it was sent again.
    fileprivate func end(_ lost: WriterSession.Backends, _ logger: Logger) throws(PostgresError) {
        do throws(PostgresError) {
            try transaction { tx throws(PostgresError) in
                // They belong to whoever logged in, not to the role that it became.
                try tx.script("SET LOCAL ROLE NONE")
                _ = try tx.run(
                    """
                    SELECT pg_terminate_backend(pid)
                      FROM pg_stat_activity
                     WHERE pid = ANY (\(array: lost.pids))
                       AND backend_start <= to_timestamp(\(lost.begunBefore) / 1000000.0)
                    """
                )
            }
        } catch  where error.kind == .refused {
            logger.warning("what is left of a lost session was not ended", metadata: ["error": "\(error)"])
        }
    }
}
