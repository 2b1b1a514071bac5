internal import Kernel
internal import Postgres

/// A row of leased work as the events of its stream make it.
package struct RestoredWork: Sendable, Equatable {
    /// The row, as if it were just created; its guard means nothing.
    package var row: WorkUpdate
    /// The version of the stream that it was made from.
    package var version: Int64

    package init(_ row: WorkUpdate, at version: Int64) {
        self.row = row
        self.version = version
    }
}

extension PostgresWorkQueue {
    /// Puts rows in place of what is there; who works on them loses its lease.
    ///
    /// - Parameter rows: All of a lane together.
    /// - Returns: The streams that have moved on since; their rows stay as they are.
    /// - Throws: ``LogError``.
    package func restore(_ rows: [RestoredWork]) async throws(LogError) -> [StreamName] {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT log.restore_work(
                        \(array: rows.map(\.row.stream.text)), \(array: rows.map(\.version)),
                        \(array: rows.map(\.row.kind)), \(array: rows.map(\.row.lane)),
                        \(array: rows.map(\.row.priority)), \(array: rows.map(\.row.status)),
                        \(array: rows.map(\.row.step)), \(array: rows.map(\.row.target)),
                        \(array: rows.map(\.row.wakeAt)), \(array: rows.map(\.row.deadline))
                    )
                    """
                ).column(String.self).compactMap { StreamName($0) }
            }
        }
    }
}
