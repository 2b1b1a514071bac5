internal import Kernel
internal import Postgres

/// The arguments of `log.append_one` for the plainest of flushes, and how to read its answer.
///
/// `schema/functions/append_one.sql` says what each means.
struct PlainAppend {
    static let statement = """
        SELECT is_written, base, version, waited
          FROM log.append_one(\((1...17).map { "$\($0)" }.joined(separator: ", ")))
        """

    private let request: AppendRequest
    private let write: StreamWrite

    /// `nil` unless there is one request, which writes one stream and does nothing else.
    ///
    /// - Parameter requests: Those of a flush.
    init?(_ requests: some Collection<AppendRequest>) {
        guard requests.count == 1, let request = requests.first, request.writes.count == 1,
            let write = request.writes.first, !write.events.isEmpty, request.claims.isEmpty, request.work.isEmpty
        else { return nil }
        self.request = request
        self.write = write
    }

    /// - Parameters:
    ///   - hint: A position that was seen in the log, 0 for none.
    ///   - durable: Whether the commit waits for the disk.
    /// - Returns: All 17 of them.
    func parameters(hint: Int64, durable: Bool) -> Parameters {
        var parameters = Parameters(reserving: request.weight + 512)
        parameters.add(hint)
        parameters.add(durable)
        parameters.add(request.causation.command)
        parameters.add(request.causation.actor)
        parameters.add(request.causation.cause)
        parameters.add(request.causation.correlation)
        parameters.add(request.metadata)
        parameters.add(request.command?.principal)
        parameters.add(request.command?.requestHash)
        parameters.add(request.command?.answer)
        parameters.add(write.stream.text)
        parameters.add(write.organization)
        parameters.add(write.expected.wire)
        parameters.add(array: write.events.map(\.type))
        parameters.add(array: write.events.map(\.schemaVersion))
        parameters.add(array: write.events.map(\.id))
        parameters.add(array: write.events.map(\.payload))
        return parameters
    }

    /// What became of it; `nil` when nothing was written and `log.append` has to say why.
    func answers(_ rows: borrowing Rows) throws(PostgresError) -> FlushAnswers? {
        guard try rows.decode(0, Bool.self) else { return nil }
        let base = try rows.value(Int64.self, row: 0, column: 1) ?? 0
        let version = try rows.value(Int64.self, row: 0, column: 2) ?? 0
        let size = Int64(write.events.count)
        let appended = Appended(
            firstPosition: base + 1,
            lastPosition: base + size,
            versions: [write.stream: version + size]
        )
        return FlushAnswers(
            results: [.success(appended)],
            lastPosition: base + size,
            hasWrittenEvents: true,
            lockWait: .microseconds(try rows.value(Int64.self, row: 0, column: 3) ?? 0)
        )
    }
}
