internal import Kernel
package import Postgres

/// Erases in the database of the log: record and effect are one transaction.
package struct PostgresEraser: Eraser {
    private let pool: Pool

    /// Works as a role that may append.
    package init(pool: Pool) {
        self.pool = pool
    }

    package func erase(
        _ erasure: Erasure,
        recording request: AppendRequest
    ) async throws(AppendError) -> Appended {
        if let flaw = request.flaw { throw .invalid(flaw) }
        let answer: Result<Appended, AppendError>
        do throws(PostgresError) {
            answer = try await pool.transaction { connection throws(PostgresError) in
                let answer = try connection.append(request)
                guard case .success = answer else { return answer }
                try connection.run(
                    "SELECT log.erase_recorded(\(array: erasure.positions), \(array: erasure.subjects))"
                )
                return answer
            }
        } catch {
            throw .because(error)
        }
        let appended = try answer.get()
        if appended.firstPosition > 0 { await tell(appended.lastPosition) }
        return appended
    }

    /// Wakes whoever follows the log, after the commit.
    private func tell(_ position: Int64) async {
        // Only a wake-up is lost when it fails; who waits for it looks by itself within a second.
        try? await pool.with { connection throws(PostgresError) in
            _ = try connection.run("SELECT pg_notify('log', \(String(position)))")
        }
    }
}

extension Connection {
    /// Appends one request in the transaction that is open, past the log writer.
    func append(_ request: AppendRequest) throws(PostgresError) -> Result<Appended, AppendError> {
        let arguments = FlushArguments([request])
        let newest = try newestPosition()
        // The unnamed statement: the next one replaces it.
        try prepare("", as: FlushArguments.statement)
        let rows = try execute("", arguments.parameters(hint: newest, again: false, durable: true))
        guard let answer = try arguments.answers(rows).results.first else {
            throw PostgresError(.shape, message: "no answer to a request")
        }
        return answer
    }
}

extension AppendError {
    /// Says what a failed transaction means for the one request in it.
    static func because(_ error: PostgresError) -> Self {
        error.kind == .refused && ["22", "23", "42"].contains(error.code.prefix(2))
            ? .invalid(error.description) : .unavailable
    }
}

/// Whose key was destroyed, as anybody may know who reads the log.
package struct PostgresErasedSubjects: ErasedSubjects {
    private let pool: Pool

    /// Works as any role that may read the log.
    package init(pool: Pool) {
        self.pool = pool
    }

    package func erased(among subjects: Set<String>) async throws(LogError) -> Set<String> {
        guard !subjects.isEmpty else { return [] }
        return try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                Set(try connection.run("SELECT log.erased_subjects(\(array: subjects.sorted()))").column(String.self))
            }
        }
    }
}
