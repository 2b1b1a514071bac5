internal import Kernel
internal import Postgres

/// What became of a flush.
struct FlushAnswers: Sendable {
    /// One for each request, in order.
    var results: [Result<Appended, AppendError>]
    /// The last position it wrote, 0 for none.
    var lastPosition: Int64 = 0
    /// Whether its transaction wrote an event, rather than recognising or refusing everything.
    var hasWrittenEvents = false
    /// How long it waited for the log lock.
    var lockWait: Duration = .zero
    /// Why the server refused it as a whole, for our own log lines.
    var refusal: PostgresError?

    /// Whether anything was written: events, claims or leased work.
    var hasWritten: Bool { results.contains { if case .success = $0 { true } else { false } } }

    static func + (first: Self, second: Self) -> Self {
        Self(
            results: first.results + second.results,
            lastPosition: max(first.lastPosition, second.lastPosition),
            hasWrittenEvents: first.hasWrittenEvents && second.hasWrittenEvents,
            lockWait: first.lockWait + second.lockWait,
            refusal: first.refusal ?? second.refusal
        )
    }
}

extension Flush {
    /// Writes it in one transaction; when one of its requests cannot be written at all, finds it by halving.
    ///
    /// - Parameters:
    ///   - hint: A position that was seen in the log.
    ///   - again: Whether it may have been written already.
    ///   - durable: Whether the commit waits for the disk.
    ///   - probe: Told when the statement has left.
    ///   - connection: One that has prepared `append` and `append_one`.
    /// - Returns: What became of each request.
    /// - Throws: ``PostgresError`` of kind `lost`, when nobody knows what was written.
    func write(
        hint: Int64,
        again: Bool,
        durable: Bool,
        probe: (@Sendable (LogStep) -> Void)? = nil,
        on connection: isolated Connection
    ) throws(PostgresError) -> FlushAnswers {
        var attempts = 0
        while true {
            do throws(PostgresError) {
                attempts += 1
                if attempts == 1, !again, let plain = PlainAppend(waiting.lazy.map(\.request)) {
                    let parameters = plain.parameters(hint: hint, durable: durable)
                    let rows = try connection.execute("append_one", parameters) { probe?(.sent) }
                    if let answers = try plain.answers(rows) { return answers }
                }
                let arguments = FlushArguments(waiting.map(\.request))
                let parameters = arguments.parameters(hint: hint, again: again || attempts > 1, durable: durable)
                let rows = try connection.execute("append", parameters) { probe?(.sent) }
                return try arguments.answers(rows)
            } catch {
                switch error.consequence {
                case .unknown:
                    throw error
                case .tryAgain where attempts < 3:
                    continue
                case .someoneIsGuilty where waiting.count > 1:
                    let (first, second) = halves
                    let begun = try first.write(hint: hint, again: again, durable: durable, on: connection)
                    let seen = max(hint, begun.lastPosition)
                    return try begun + second.write(hint: seen, again: again, durable: durable, on: connection)
                case .someoneIsGuilty:
                    return FlushAnswers(results: [.failure(.invalid(error.description))])
                case .nothingWasWritten where error.kind == .cancelled && Task.isCancelled:
                    // Broken off because another connection was lost: its callers are not to hear of that.
                    throw error
                case .tryAgain, .nothingWasWritten:
                    return FlushAnswers(results: waiting.map { _ in .failure(.unavailable) }, refusal: error)
                }
            }
        }
    }
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
        // A check without a constraint's name is a row that no partition takes: nobody made one in time.
        case "23" where code == "23514" && constraint == nil: .nothingWasWritten
        case "22", "23", "54": .someoneIsGuilty
        case "40": .tryAgain
        default: code == "55P03" ? .tryAgain : .nothingWasWritten
        }
    }
}
