internal import Domain
package import EventStore
internal import Kernel
package import Postgres

/// What operators see of the resource ledger.
package struct ResourceDirectory: Sendable {
    private let pool: Pool

    /// - Parameter pool: As the role `signalbox_append`.
    package init(pool: Pool) {
        self.pool = pool
    }

    /// Some resources, by kind and name.
    ///
    /// - Parameters:
    ///   - wish: Which of them.
    ///   - cursor: ``ResourcePage/next`` of the page before.
    ///   - limit: How many, at most.
    /// - Returns: One page.
    /// - Throws: ``SagaOperationError``.
    package func list(
        _ wish: ResourceWish = ResourceWish(),
        after cursor: String? = nil,
        limit: Int = 50
    ) async throws(SagaOperationError) -> ResourcePage {
        let parts = cursor.map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
        if let parts, parts.count != 2 { throw .badCursor }
        let (kind, name) = (parts?[0] ?? "", parts?[1] ?? "")
        do throws(PostgresError) {
            let rows = try await pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT \(unsafe: LedgerRow.columns)
                      FROM saga.resource AS r
                     WHERE (r.kind, r.name) > (\(kind), \(name))
                       AND (\(wish.kind == nil) OR r.kind = \(wish.kind ?? ""))
                       AND (\(wish.instance == nil) OR r.instance = \(wish.instance ?? ""))
                       AND (\(wish.saga == nil) OR split_part(r.saga, '.', 2) = \(wish.saga ?? ""))
                       AND (CASE WHEN \(wish.state == nil) THEN \(wish.all) OR r.state <> 'gone'
                                 ELSE r.state = \(wish.state ?? "") END)
                       AND (\(!wish.orphans) OR \(unsafe: Self.orphan))
                     ORDER BY r.kind, r.name
                     LIMIT \(Int64(limit) + 1)
                    """
                ).ledgerRows()
            }
            let shown = Array(rows.prefix(limit))
            let next = rows.count > limit ? shown.last.map { "\($0.kind.rawValue):\($0.name)" } : nil
            return ResourcePage(data: shown, next: next)
        } catch {
            throw .unavailable
        }
    }

    /// How many have nobody who looks after them.
    package func orphanCount() async throws(LogError) -> Int64 {
        do throws(PostgresError) {
            return try await pool.with { connection throws(PostgresError) in
                try connection.run("SELECT count(*) FROM saga.resource AS r WHERE \(unsafe: Self.orphan)")
                    .decode(0, Int64.self)
            }
        } catch { throw .unavailable("\(error)") }
    }

    /// Nobody works for it, and it should not be there.
    ///
    /// Its saga was taken back or given up, or whoever meant to make or to remove it is through and it is neither there
    /// nor gone. What was put aside has its time first.
    private static let orphan = """
        (r.state <> 'gone'
         AND (r.until IS NULL OR r.until < clock_timestamp())
         AND NOT EXISTS (
             SELECT
               FROM log.work AS w
               JOIN log.stream AS s USING (stream_id)
              WHERE (w.lane = r.instance OR s.name = r.saga)
                AND w.status IN ('queued', 'running', 'waiting', 'compensating', 'parked'))
         AND (r.state IN ('intended', 'deleting')
              OR NOT r.keeps AND EXISTS (
                  SELECT
                    FROM log.work AS w
                    JOIN log.stream AS s USING (stream_id)
                   WHERE s.name = r.saga
                     AND w.status IN ('compensated', 'abandoned', 'superseded'))))
        """
}

/// Which resources an operator wants to see; `nil` wants any.
package struct ResourceWish: Sendable, Equatable {
    package var kind: String?
    package var state: String?
    /// The stream of the instance.
    package var instance: String?
    /// The id of the saga.
    package var saga: String?
    /// What is gone, too.
    package var all: Bool
    /// Only those that nobody looks after.
    package var orphans: Bool

    package init(
        kind: String? = nil,
        state: String? = nil,
        instance: String? = nil,
        saga: String? = nil,
        all: Bool = false,
        orphans: Bool = false
    ) {
        self.kind = kind
        self.state = state
        self.instance = instance
        self.saga = saga
        self.all = all
        self.orphans = orphans
    }
}

/// Some resources.
package struct ResourcePage: Sendable, Equatable, Codable {
    package var data: [LedgerRow]
    /// Where the page after it begins; absent when this was the last.
    package var next: String?

    package init(data: [LedgerRow], next: String? = nil) {
        self.data = data
        self.next = next
    }
}
