internal import Domain
package import EventStore
internal import Kernel
package import Logging
package import Postgres

/// Names everything outside that was ever intended until it is known to be gone: the table `saga.resource`.
///
/// It follows the log with a checkpoint that is written in the same transaction as the rows, so no intent is missed and
/// none is taken in twice, whatever dies when; it can be thrown away and made again from the log at any time. The log's
/// positions are dense, and a page that skips one is refused.
package struct ResourceLedger: Sendable {
    private let pool: Pool
    private let log: any EventLog
    private let logger: Logger
    private let poll: Duration
    private let wakeup: SagaEngine.Wakeup
    static let checkpoint = "resources"

    /// Makes a ledger; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - pool: As the role `signalbox_append`.
    ///   - log: What it follows.
    ///   - logger: For operators.
    ///   - poll: How long to wait for a bell before reading all the same.
    ///   - wakeup: Rings when something was appended.
    package init(
        pool: Pool,
        log: any EventLog,
        logger: Logger = Logger(label: "signalbox.resources"),
        poll: Duration = .milliseconds(500),
        wakeup: @escaping SagaEngine.Wakeup = SagaEngine.sleep
    ) {
        self.pool = pool
        self.log = log
        self.logger = logger
        self.poll = poll
        self.wakeup = wakeup
    }

    /// Follows the log until it is cancelled.
    package func run() async {
        while !Task.isCancelled {
            do throws(LogError) {
                if try await turn() == false { await wakeup(poll) }
            } catch .violated(let what) {
                // It stands still: what was not read right must not be passed over.
                logger.critical("the log broke a promise; no resource is named", metadata: ["what": "\(what)"])
                await wakeup(.seconds(30))
            } catch {
                logger.warning("the resource ledger cannot be kept", metadata: ["error": "\(error)"])
                await wakeup(.seconds(1))
            }
        }
    }

    /// Takes in the next stretch of the log.
    ///
    /// - Returns: Whether there was anything to read.
    /// - Throws: ``EventStore/LogError``; what was read will be read again.
    @discardableResult
    package func turn() async throws(LogError) -> Bool {
        let position = try await position()
        let page = try await log.read(
            after: position,
            through: nil,
            matching: EventFilter(types: LedgerFold.types),
            limit: 1000
        )
        try page.check(after: position, for: .ledger)
        guard page.scannedTo > position else { return false }
        do {
            return try await pool.transaction { connection throws(PostgresError) in
                try connection.advance(Self.checkpoint, from: position, over: page)
            }
        } catch {
            guard error.kind != .shape else { throw .violated(error.message) }
            throw .unavailable("\(error)")
        }
    }

    /// How far it has come.
    package func position() async throws(LogError) -> Int64 {
        try await PostgresCheckpoint(pool: pool, name: Self.checkpoint).position()
    }

    /// Throws the ledger away, so that it is made again from the log.
    package func forget() async throws(LogError) {
        do throws(PostgresError) {
            try await pool.transaction { connection throws(PostgresError) in
                _ = try connection.run("DELETE FROM saga.resource")
                _ = try connection.run("UPDATE saga.checkpoint SET position = 0 WHERE name = \(Self.checkpoint)")
            }
        } catch { throw .unavailable("\(error)") }
    }
}

extension Connection {
    /// Takes a page in, unless another process was faster.
    fileprivate func advance(_ name: String, from position: Int64, over page: EventPage) throws(PostgresError) -> Bool {
        _ = try run("INSERT INTO saga.checkpoint (name, position) VALUES (\(name), 0) ON CONFLICT DO NOTHING")
        let known = try run("SELECT position FROM saga.checkpoint WHERE name = \(name) FOR UPDATE")
        guard try known.decode(0, Int64.self) == position else { return true }
        if !page.events.isEmpty {
            var fold = LedgerFold(try rows(about: page.events))
            for event in page.events {
                do {
                    try fold.apply(event)
                } catch {
                    throw PostgresError(.shape, message: "\(event.stream) \(event.version) cannot be read: \(error)")
                }
            }
            for id in fold.changed { if let row = fold.rows[id] { try write(row) } }
        }
        _ = try run("UPDATE saga.checkpoint SET position = \(page.scannedTo) WHERE name = \(name)")
        return true
    }

    /// Everything in the ledger that these events can change.
    private func rows(about events: [RecordedEvent]) throws(PostgresError) -> [LedgerRow] {
        var kinds: [String] = []
        var names: [String] = []
        for event in events where event.type == SagaEvent.Name.stepStarted.rawValue {
            // What cannot be read is complained of when it is taken in.
            let read = event.payload.flatMap {
                try? SagaEvent.decode(type: event.type, schemaVersion: event.schemaVersion, payload: $0)
            }
            guard case .stepStarted(let fact) = read else { continue }
            for resource in fact.resources ?? [] {
                kinds.append(resource.kind.rawValue)
                names.append(resource.name)
            }
        }
        let streams = Set(events.map(\.stream.text)).sorted()
        return try run(
            """
            SELECT \(unsafe: LedgerRow.columns)
              FROM saga.resource AS r
             WHERE r.saga = ANY (\(array: streams))
                OR r.instance = ANY (\(array: streams))
                OR (r.kind, r.name) IN (SELECT * FROM unnest(\(array: kinds), \(array: names)))
            """
        ).ledgerRows()
    }

    private func write(_ row: LedgerRow) throws(PostgresError) {
        _ = try run(
            """
            INSERT INTO saga.resource (kind, name, instance, generation, org_id, saga, step, state, keeps, intended_at,
                   changed_at, observed_at, until, position)
            VALUES (\(row.kind.rawValue), \(row.name), \(row.instance), \(row.generation.map { Int32(clamping: $0) }),
                   \(row.organization?.value), \(row.saga), \(row.step), \(row.state.rawValue), \(row.keeps),
                   \(row.intendedAt), \(row.changedAt), \(row.observedAt), \(row.until), \(row.position))
            ON CONFLICT (kind, name) DO UPDATE
               SET (instance, generation, org_id, saga, step, state, keeps, changed_at, observed_at, until, position)
                 = (excluded.instance, excluded.generation, excluded.org_id, excluded.saga, excluded.step,
                    excluded.state, excluded.keeps, excluded.changed_at, excluded.observed_at, excluded.until,
                    excluded.position)
            """,
            prepared: true
        )
    }
}

extension LedgerRow {
    static let columns = """
        r.kind, r.name, r.instance, r.generation, r.org_id, r.saga, r.step, r.state, r.keeps, r.intended_at,
               r.changed_at, r.observed_at, r.until, r.position
        """
}

extension Rows {
    func ledgerRows() throws(PostgresError) -> [LedgerRow] {
        var all: [LedgerRow] = []
        for row in 0..<count {
            let (kind, name, instance, generation, organization, saga, step) = try decode(
                row,
                String.self,
                String.self,
                String?.self,
                Int32?.self,
                Int64?.self,
                String.self,
                String.self
            )
            guard let kind = IntendedResource.Kind(rawValue: kind),
                let state = LedgerRow.State(rawValue: try String.read(self, row: row, column: 7))
            else { throw PostgresError(.shape, message: "a resource is of no known kind or state") }
            all.append(
                LedgerRow(
                    kind: kind,
                    name: name,
                    instance: instance,
                    generation: generation.map { Int($0) },
                    organization: organization.flatMap { OrganizationID(String($0)) },
                    saga: saga,
                    step: step,
                    state: state,
                    keeps: try Bool.read(self, row: row, column: 8),
                    intendedAt: try Timestamp.read(self, row: row, column: 9),
                    changedAt: try Timestamp.read(self, row: row, column: 10),
                    observedAt: try value(Timestamp.self, row: row, column: 11),
                    until: try value(Timestamp.self, row: row, column: 12),
                    position: try Int64.read(self, row: row, column: 13)
                )
            )
        }
        return all
    }
}
