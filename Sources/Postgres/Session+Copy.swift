internal import CLibPQ

extension Session {
    /// Streams bytes into `COPY … FROM STDIN`; the number of rows.
    func copyIn(_ statement: String, from next: () throws(PostgresError) -> [UInt8]?) throws(PostgresError) -> Int {
        try startCopy(statement, expecting: PGRES_COPY_IN)
        var patience = copyPatience
        var failure: PostgresError?
        do throws(PostgresError) {
            while let chunk = try next() {
                try put(chunk, &patience)
                // The limit is for each chunk, not for the whole.
                patience = copyPatience
            }
        } catch {
            guard error.kind != .lost else { throw error }
            failure = error
        }
        // 0 cannot come from a blocked send: libpq queues the end whatever the socket says.
        guard (failure == nil ? PQputCopyEnd(raw, nil) : PQputCopyEnd(raw, "given up by the client")) == 1 else {
            throw lost
        }
        do throws(PostgresError) {
            let changed = try finish(cancellable: failure == nil).changed
            guard let failure else { return changed }
            throw failure
        } catch  where error.kind != .lost {
            throw failure ?? error
        }
    }

    /// Hands out what `COPY … TO STDOUT` sends, a row at a time.
    func copyOut(
        _ statement: String,
        to take: (UnsafeRawBufferPointer) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        try startCopy(statement, expecting: PGRES_COPY_OUT)
        var patience = copyPatience
        var failure: PostgresError?
        while true {
            var row: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(raw, &row, 1)
            defer { PQfreemem(row) }
            switch count {
            case 0:
                try wait(Int16(POLLIN), &patience)
                guard PQconsumeInput(raw) == 1 else { throw lost }
            case -1:
                do throws(PostgresError) {
                    _ = try finish(cancellable: failure == nil)
                } catch  where error.kind != .lost {
                    throw failure ?? error
                }
                if let failure { throw failure }
                return
            case 1...:
                guard failure == nil else { continue }
                do throws(PostgresError) {
                    try take(UnsafeRawBufferPointer(start: row, count: Int(count)))
                    patience = copyPatience
                } catch {
                    // The rest is read and dropped, for the little while until the server has stopped.
                    failure = error
                    stop(&patience)
                }
            default:
                throw lost
            }
        }
    }

    private var copyPatience: Patience {
        Patience(
            limit: statementLimit.map { $0 + limits.grace },
            whenCancelled: heedsCancellation ? .tellServer : .goOn
        )
    }

    private func startCopy(_ statement: String, expecting status: ExecStatusType) throws(PostgresError) {
        try begin(cancellable: true) { PQsendQuery(raw, statement) }
        var patience = copyPatience
        guard let rows = try next(&patience) else { throw lost }
        if rows.status == status { return }
        let refusal = rows.refusal
        switch rows.status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            while try next(&patience) != nil {}
            throw PostgresError(.shape, message: "not a COPY")
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            throw PostgresError(.lost, message: "a COPY of the other direction")
        default:
            while try next(&patience) != nil {}
            throw refusal
        }
    }

    private func put(_ chunk: [UInt8], _ patience: inout Patience) throws(PostgresError) {
        while true {
            let outcome = chunk.withUnsafeBytes { bytes in
                PQputCopyData(raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
            }
            switch outcome {
            case 1:
                // Nothing piles up here: what the socket does not take is waited for.
                return try flush(&patience)
            case 0:
                try flush(&patience)
            default:
                throw lost
            }
        }
    }
}
