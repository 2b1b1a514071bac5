internal import Kernel
internal import Metrics
package import Postgres

/// Leased work in Postgres, on the database's clock.
package struct PostgresWorkQueue: WorkQueue {
    let pool: Pool

    /// - Parameter pool: As a role that may execute `log.claim`, `log.renew` and `log.release`.
    package init(pool: Pool) {
        self.pool = pool
    }

    package func claim(
        kinds: [String],
        owner: String,
        limit: Int,
        lease: Duration
    ) async throws(LogError) -> [WorkItem] {
        var (items, takenOver, moment) = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) -> ([WorkItem], [Bool], Timestamp?) in
                let rows = try connection.run(
                    """
                    SELECT stream, kind, lane, status, step, target, fence, deadline, taken_over,
                           statement_timestamp() AS moment
                      FROM log.claim(\(array: kinds), \(owner), \(Int32(clamping: limit)),
                           \(lease.microseconds) * interval '1 microsecond')
                    """,
                    prepared: true
                )
                var takenOver: [Bool] = []
                for row in 0..<rows.count { takenOver.append(try Bool.read(rows, row: row, column: 8)) }
                let moment = rows.count == 0 ? nil : try Timestamp.read(rows, row: 0, column: 9)
                return (try rows.workItems(), takenOver, moment)
            }
        }
        for index in items.indices { items[index].claimedAt = moment }
        for kind in kinds {
            let count = zip(items, takenOver).count { $0.kind == kind && $1 }
            Counter(label: "signalbox_work_takeovers_total", dimensions: [("kind", kind)]).increment(by: count)
        }
        return items
    }

    package func renew(_ item: WorkItem, lease: Duration) async throws(LogError) -> Bool {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT log.renew(\(item.stream.text), \(item.fence),
                           \(lease.microseconds) * interval '1 microsecond')
                    """,
                    prepared: true
                ).value(Bool.self, row: 0, column: 0) ?? false
            }
        }
    }

    package func renew(_ items: [WorkItem], lease: Duration) async throws(LogError) -> [WorkItem] {
        guard !items.isEmpty else { return [] }
        let held = try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT log.renew(n.stream, n.fence, \(lease.microseconds) * interval '1 microsecond')
                      FROM unnest(\(array: items.map(\.stream.text)), \(array: items.map(\.fence)))
                           WITH ORDINALITY AS n (stream, fence, number)
                     ORDER BY n.number
                    """,
                    prepared: true
                ).column(Bool.self)
            }
        }
        return zip(items, held).filter { !$1 }.map(\.0)
    }

    package func release(_ item: WorkItem, after: Duration) async throws(LogError) {
        try await LogError.wrap { () async throws(PostgresError) in
            // A task that was told to stop gives back what it holds, so that a successor need not wait.
            try await self.pool.with(evenIfCancelled: true) { connection throws(PostgresError) in
                _ = try connection.run(
                    """
                    SELECT log.release(\(item.stream.text), \(item.fence),
                           \(after.microseconds) * interval '1 microsecond')
                    """,
                    prepared: true
                )
            }
        }
    }

    package func list(kinds: [String]?, statuses: [String]) async throws(LogError) -> [WorkItem] {
        try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                try connection.run(
                    """
                    SELECT s.name, w.kind, w.lane, w.status, w.step, w.target, w.fence, w.deadline
                      FROM log.work AS w
                      JOIN log.stream AS s USING (stream_id)
                     WHERE (\(kinds == nil) OR w.kind = ANY (\(array: kinds ?? [])))
                       AND w.status = ANY (\(array: statuses))
                     ORDER BY s.name COLLATE "C"
                    """
                ).workItems()
            }
        }
    }

    package func members(ofLane lane: String) async throws(LogError) -> [WorkItem] {
        guard !lane.isEmpty else { return [] }
        return try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                // Two statements in one, for each has an index of its own.
                try connection.run(
                    """
                    SELECT s.name, w.kind, w.lane, w.status, w.step, w.target, w.fence, w.deadline
                      FROM (
                            SELECT *
                              FROM log.work
                             WHERE lane = \(lane)
                               AND lane <> ''
                               AND status IN ('running', 'waiting', 'compensating', 'parked')
                            UNION ALL
                            SELECT *
                              FROM log.work
                             WHERE lane = \(lane)
                               AND lane <> ''
                               AND status = 'queued'
                           ) AS w
                      JOIN log.stream AS s USING (stream_id)
                     ORDER BY s.name COLLATE "C"
                    """
                ).workItems()
            }
        }
    }
}

extension Rows {
    func workItems() throws(PostgresError) -> [WorkItem] {
        var items: [WorkItem] = []
        for row in 0..<count {
            let (stream, kind, lane, status, step, target, fence, deadline) = try decode(
                row,
                String.self,
                String.self,
                String.self,
                String.self,
                String.self,
                String.self,
                Int64.self,
                Timestamp?.self
            )
            guard let stream = StreamName(stream) else {
                throw PostgresError(.shape, message: "\(stream) is not a stream name")
            }
            items.append(
                WorkItem(
                    stream: stream,
                    kind: kind,
                    lane: lane,
                    status: status,
                    step: step,
                    target: target,
                    fence: fence,
                    deadline: deadline
                )
            )
        }
        return items
    }
}
