internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres
internal import Synchronization

/// The one place of a process where events are appended: many callers, one transaction at a time.
///
/// While one flush is in flight the next fills; there is no artificial delay. A request is answered after its commit.
/// When the connection is lost under way nobody knows what became of the flush, so the identical flush is sent over
/// another connection, where every request that was written is recognised.
package final class LogWriter: Sendable {
    /// What was written by one flush.
    struct Written: Sendable {
        /// The last position.
        let position: Int64
        let hasEvents: Bool
        let hasWork: Bool
    }

    private let connect: @Sendable () async throws(PostgresError) -> Connection
    private let onWritten: @Sendable (Written) -> Void
    private let patience: Duration
    private let logger: Logger
    private let mailbox: Mailbox<Waiting>
    /// Whether the database could not be reached the last time; requests are refused at once then.
    private let isDown = Atomic(false)
    /// The highest position seen: a log without it has lost its tail, and is not written to.
    private let seen = Atomic<Int64>(0)

    /// - Parameters:
    ///   - connect: Makes a connection that may execute `log.append`; called again whenever one is lost.
    ///   - queue: How many requests may wait; more are refused as `unavailable`.
    ///   - patience: How long a flush whose fate is unknown is held while the database is away.
    ///   - logger: For what operators should know.
    ///   - onWritten: Called after each commit that wrote something; must not block.
    init(
        connect: @escaping @Sendable () async throws(PostgresError) -> Connection,
        queue: Int,
        patience: Duration,
        logger: Logger,
        onWritten: @escaping @Sendable (Written) -> Void
    ) {
        self.connect = connect
        self.onWritten = onWritten
        self.patience = patience
        self.logger = logger
        self.mailbox = Mailbox(limit: queue)
    }

    /// Writes one decision; returns when it is durable.
    ///
    /// Once called it cannot be taken back.
    package func append(_ request: AppendRequest) async throws(AppendError) -> Appended {
        if let flaw = request.flaw { throw .invalid(flaw) }
        guard !isDown.load(ordering: .relaxed) else { throw .unavailable }
        let answer = await withCheckedContinuation { continuation in
            if !mailbox.put(Waiting(request: request, continuation: continuation)) {
                continuation.resume(returning: .failure(.unavailable))
            }
        }
        return try answer.get()
    }

    /// Ends ``run()`` after what was already accepted is written.
    package func close() {
        mailbox.close()
    }

    /// A position that is in the log, to begin looking at.
    var newest: Int64 { seen.load(ordering: .acquiring) }

    /// Says that a position was seen.
    func saw(_ position: Int64) {
        seen.max(position, ordering: .releasing)
    }

    /// Writes until ``close()``, over one connection after another.
    package func run() async {
        var unanswered: Flush?
        var lostAt = ContinuousClock.now
        var pause = Duration.milliseconds(50)
        while true {
            do throws(PostgresError) {
                let connection = try await connect()
                try await prepare(connection)
                isDown.store(false, ordering: .relaxed)
                pause = .milliseconds(50)
                unanswered = await write(beginningWith: unanswered, on: connection)
                await connection.close()
                guard unanswered != nil else { break }
                lostAt = .now
                FlushMetrics.resends.increment()
                logger.warning("the connection of the log writer was lost; its flush is sent again")
            } catch {
                isDown.store(true, ordering: .relaxed)
                for waiting in mailbox.takeAll() { waiting.continuation.resume(returning: .failure(.unavailable)) }
                logger.error("the log cannot be written", metadata: ["error": "\(error)"])
                if ContinuousClock.now - lostAt > patience {
                    unanswered?.refuse(.unavailable)
                    unanswered = nil
                }
                guard !mailbox.isClosed || unanswered != nil else { break }
                do {
                    try await Task.sleep(for: pause * Double.random(in: 0.5...1))
                } catch {
                    break
                }
                pause = min(pause * 2, .seconds(2))
            }
        }
        mailbox.close()
        // Only a cancelled writer gets here with something left.
        unanswered?.refuse(.unavailable)
        for waiting in mailbox.takeAll() { waiting.continuation.resume(returning: .failure(.unavailable)) }
    }

    private func prepare(_ connection: isolated Connection) throws(PostgresError) {
        try connection.prepare("append", as: FlushArguments.statement)
        if newest == 0 {
            saw(try connection.run("SELECT coalesce(max(position), 0) FROM log.event").decode(0, Int64.self))
        }
    }

    /// Writes flush after flush.
    ///
    /// - Returns: The flush whose answer was lost with the connection; `nil` when the writer was closed or cancelled.
    private func write(beginningWith unanswered: Flush?, on connection: isolated Connection) async -> Flush? {
        if let unanswered {
            do throws(PostgresError) {
                unanswered.answer(try write(unanswered, again: true, on: connection))
            } catch {
                return unanswered
            }
        }
        while let flush = await mailbox.next(Flush.take) {
            do throws(PostgresError) {
                flush.answer(try write(flush, again: false, on: connection))
            } catch {
                return flush
            }
        }
        return nil
    }

    /// - Throws: `lost`, when nobody knows what was written.
    private func write(
        _ flush: Flush,
        again: Bool,
        on connection: isolated Connection
    ) throws(PostgresError) -> [Result<Appended, AppendError>] {
        FlushMetrics.requests.record(flush.waiting.count)
        var attempts = 0
        while true {
            do throws(PostgresError) {
                attempts += 1
                let arguments = FlushArguments(flush.waiting.map(\.request))
                let rows = try connection.execute("append", arguments.parameters(hint: newest, again: again))
                let answers = try arguments.answers(rows)
                announce(answers, of: flush)
                return answers
            } catch {
                switch error.consequence {
                case .unknown:
                    throw error
                case .tryAgain where attempts < 3:
                    continue
                case .someoneIsGuilty where flush.waiting.count > 1:
                    let (first, second) = flush.halves
                    return try write(first, again: again, on: connection) + write(second, again: again, on: connection)
                case .someoneIsGuilty:
                    return [.failure(.invalid(error.description))]
                case .tryAgain, .nothingWasWritten:
                    logger.error("a flush was refused", metadata: ["error": "\(error)", "code": "\(error.code)"])
                    return flush.waiting.map { _ in .failure(.unavailable) }
                }
            }
        }
    }

    private func announce(_ answers: [Result<Appended, AppendError>], of flush: Flush) {
        var last: Int64 = 0
        var wrote = false
        for answer in answers {
            switch answer {
            case .success(let appended):
                wrote = true
                if appended.firstPosition > 0 { last = max(last, appended.lastPosition) }
            case .failure:
                FlushMetrics.refusals.increment()
            }
        }
        if last > 0 { saw(last) }
        guard wrote else { return }
        onWritten(Written(position: newest, hasEvents: last > 0, hasWork: flush.hasWork))
    }
}

/// What the writer counts.
private enum FlushMetrics {
    static let requests = Recorder(label: "signalbox_log_flush_requests")
    static let refusals = Counter(label: "signalbox_log_refusals_total")
    static let resends = Counter(label: "signalbox_log_resends_total")
}

/// What a failed `log.append` means for its flush.
private enum Consequence {
    /// It may have been written.
    case unknown
    /// Nothing was written, and the same may work at once.
    case tryAgain
    /// Nothing was written because one of the requests cannot be.
    case someoneIsGuilty
    /// Nothing was written, for reasons that lie with the server.
    case nothingWasWritten
}

extension PostgresError {
    /// By class of SQLSTATE, https://www.postgresql.org/docs/15/errcodes-appendix.html.
    fileprivate var consequence: Consequence {
        if kind == .lost { return .unknown }
        guard kind == .refused else { return .nothingWasWritten }
        return switch code.prefix(2) {
        case "22", "23", "54": .someoneIsGuilty
        case "40": .tryAgain
        default: code == "55P03" ? .tryAgain : .nothingWasWritten
        }
    }
}
