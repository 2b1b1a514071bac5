internal import Kernel
internal import Postgres

/// The arguments of `log.append_one` for the plainest of flushes, and how to read its answer.
///
/// `schema/functions/append_one.sql` says what each means.
struct PlainAppend {
    static let statement = """
        SELECT is_written, base, version, waited
          FROM log.append_one(\((1...25).map { "$\($0)" }.joined(separator: ", ")))
        """

    private let request: AppendRequest
    private let write: StreamWrite

    /// `nil` unless there is one request, which writes one stream and at most goes on with the work of that stream.
    ///
    /// - Parameter requests: Those of a flush.
    init?(_ requests: some Collection<AppendRequest>) {
        guard requests.count == 1, let request = requests.first, request.writes.count == 1,
            let write = request.writes.first, !write.events.isEmpty, request.claims.isEmpty,
            request.work.count <= 1, request.work.allSatisfy({ $0.stream == write.stream && $0.keepsLease })
        else { return nil }
        self.request = request
        self.write = write
    }

    /// - Parameters:
    ///   - hint: A position that was seen in the log, 0 for none.
    ///   - durable: Whether the commit waits for the disk.
    /// - Returns: All 25 of them.
    func parameters(hint: Int64, durable: Bool) -> Parameters {
        var parameters = Parameters(reserving: request.weight + 512)
        parameters.add(hint)
        parameters.add(durable)
        parameters.add(request.causation.command)
        parameters.add(request.causation.actor)
        parameters.add(request.causation.cause)
        parameters.add(request.causation.correlation)
        parameters.add(request.metadata)
        parameters.add(Leaf.metadataHash(request.metadata))
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
        let salts = Leaf.salts(write.events.count)
        parameters.add(array: salts)
        parameters.add(array: zip(salts, write.events).map { Leaf.payloadHash(salt: $0, payload: $1.payload) })
        let work = request.work.first
        parameters.add(work?.guard.fence)
        parameters.add(work?.status)
        parameters.add(work?.step)
        parameters.add(work?.target)
        parameters.add(work?.deadline)
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

extension WorkUpdate {
    /// Whether it changes nothing but how far the holder of the lease has come.
    fileprivate var keepsLease: Bool {
        guard case .holding = self.guard else { return false }
        return wakeAt == nil && (status == "running" || status == "compensating")
    }
}

extension WorkUpdate.Guard {
    fileprivate var fence: Int64? {
        guard case .holding(let fence) = self else { return nil }
        return fence
    }
}
