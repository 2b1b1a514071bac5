internal import Kernel
package import Logging
package import Postgres

/// What may be asked of the read models.
///
/// Every answer says which position of the log it reflects; ``wait(for:timeout:)`` makes a reader see their own writes.
package struct ReadModels: Sendable {
    private let pool: Pool
    private let logger: Logger

    /// - Parameters:
    ///   - pool: Connections that may read the schema `rm`, usually as the role `signalbox_project`; best not those that
    ///     the ``ProjectionRunner`` uses.
    ///   - logger: Where it tells what went wrong.
    package init(pool: Pool, logger: Logger = Logger(label: "signalbox.read-models")) {
        self.pool = pool
        self.logger = logger
    }

    /// Returns once every read model has passed a position.
    ///
    /// - Parameters:
    ///   - position: 0 and below never wait.
    ///   - timeout: How long to wait, at most.
    /// - Throws: ``ReadError/behind(position:)`` or ``ReadError/unavailable`` when the time is over first.
    package func wait(for position: Int64, timeout: Duration) async throws(ReadError) {
        try await wait(for: position, timeout: timeout, models: Registry.all)
    }

    /// The position that every read model has passed.
    ///
    /// - Returns: 0 while nothing is folded.
    /// - Throws: ``ReadError/unavailable``.
    package func position() async throws(ReadError) -> Int64 {
        try await position(of: Registry.all)
    }

    /// Returns once some read models have passed a position; those that are not asked may be anywhere.
    ///
    /// - Parameters:
    ///   - position: 0 and below never wait.
    ///   - timeout: How long to wait, at most.
    ///   - models: Those that an answer is made of.
    /// - Throws: ``ReadError/behind(position:)`` or ``ReadError/unavailable`` when the time is over first.
    package func wait(
        for position: Int64,
        timeout: Duration,
        models: [any Projection.Type]
    ) async throws(ReadError) {
        guard position > 0 else { return }
        let deadline = ContinuousClock.now + timeout
        var pause: Duration = .milliseconds(2)
        while true {
            let failure: ReadError
            do throws(ReadError) {
                let reached = try await self.position(of: models)
                if reached >= position { return }
                failure = .behind(position: reached)
            } catch {
                // The read models may be about to be made, or the database about to come back.
                failure = error
            }
            let left = deadline - .now
            guard left > .zero, !Task.isCancelled else { throw failure }
            // Cancelled early: seen above.
            try? await Task.sleep(for: min(pause, left))
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    /// The events of a read model that an operator had passed over for good.
    ///
    /// - Throws: ``ReadError/unavailable``.
    package func skipped(of name: String) async throws(ReadError) -> Set<Int64> {
        try await look { connection throws(PostgresError) in
            Set(try connection.run("SELECT position FROM rm.skipped WHERE name = \(name)").column(Int64.self))
        }
    }

    func position(of models: [any Projection.Type]) async throws(ReadError) -> Int64 {
        try await ask(models) { connection throws(PostgresError) in () }.position
    }

    /// Runs a query, and says which position its answer reflects at least.
    ///
    /// A read model that nothing was made of yet reflects nothing. The position is read first: whatever the live builds fold meanwhile is in the answer as well.
    func ask<Value: Sendable>(
        _ models: [any Projection.Type],
        _ query: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(ReadError) -> Reading<Value> {
        let names = models.map { "\($0.name).v\($0.shape)" }
        return try await look { connection throws(PostgresError) in
            let rows = try connection.run(
                """
                SELECT CASE WHEN count(DISTINCT b.name) = \(models.count) THEN coalesce(min(c.position), 0)
                            ELSE 0 END
                  FROM rm.checkpoint AS c
                  JOIN rm.build AS b USING (name, shape, build)
                 WHERE b.live AND b.name || '.v' || b.shape = ANY (\(array: names))
                """,
                prepared: true
            )
            let position = try rows.decode(0, Int64.self)
            return Reading(try query(connection), at: position)
        }
    }

    /// Runs a query whose answer is as new as it is, for what nobody is told a position of.
    func look<Value: Sendable>(
        _ query: @Sendable (isolated Connection) throws(PostgresError) -> Value
    ) async throws(ReadError) -> Value {
        do throws(PostgresError) {
            return try await pool.with(query)
        } catch {
            logger.warning("a read model cannot be asked", metadata: ["error": "\(error)"])
            throw .unavailable
        }
    }

    /// Runs a query for documents and reads them.
    func documents<Row: Decodable & Sendable>(
        _: Row.Type,
        from models: [any Projection.Type],
        _ sql: SQL
    ) async throws(ReadError) -> Reading<[Row]> {
        try await ask(models) { connection throws(PostgresError) in
            try connection.run(sql).column(String.self).map { text throws(PostgresError) in try Self.row(from: text) }
        }
    }

    /// One document, by a query that has one plan whatever its values are: the server makes it once per session.
    func document<Row: Decodable & Sendable>(
        _: Row.Type,
        from model: any Projection.Type,
        _ sql: SQL
    ) async throws(ReadError) -> Reading<Row?> {
        try await ask([model]) { connection throws(PostgresError) in try Self.first(sql, connection) }
    }

    /// The same for what nobody is told a position of, such as who may do what.
    func document<Row: Decodable & Sendable>(_: Row.Type, _ sql: SQL) async throws(ReadError) -> Row? {
        try await look { connection throws(PostgresError) in try Self.first(sql, connection) }
    }

    private static func first<Row: Decodable>(
        _ sql: SQL,
        _ connection: isolated Connection
    ) throws(PostgresError) -> Row? {
        guard let text = try connection.run(sql, prepared: true).column(String.self).first else { return nil }
        return try row(from: text)
    }

    /// One part of a list: the rows of a query that asks for one more than the page holds.
    func page<Row: Codable & Equatable & Sendable>(
        of list: String,
        _ request: PageRequest,
        _ rows: Reading<[Row]>,
        place: (Row) -> Int64
    ) -> Reading<Page<Row>> {
        rows.map { rows in
            let data = Array(rows.prefix(request.limit))
            let last = rows.count > request.limit ? data.last.map(place) : nil
            return Page(data: data, next: last.map { Cursor(list: list, last: $0).text })
        }
    }

    static func row<Row: Decodable>(from text: String) throws(PostgresError) -> Row {
        do {
            return try JSON.decode(Row.self, from: text.utf8)
        } catch {
            throw PostgresError(.shape, message: "\(Row.self): \(error)")
        }
    }
}
