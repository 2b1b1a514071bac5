internal import Kernel
internal import Postgres

extension PostgresWorkQueue: WorkBoard {
    package func rows(_ filter: WorkFilter, after cursor: String?, limit: Int) async throws(LogError) -> WorkPage {
        let last = cursor.map { Int64($0) ?? 0 } ?? Int64.max
        let streams = filter.streams.map { $0.map(\.text) }
        return try await LogError.wrap { () async throws(PostgresError) in
            try await self.pool.with { connection throws(PostgresError) in
                let rows = try connection.run(
                    """
                    SELECT s.name, w.kind, w.lane, w.status, w.step, w.target, w.fence, w.deadline,
                           w.priority, w.owner, w.lease_until, w.wake_at, w.stream_id
                      FROM log.work AS w
                      JOIN log.stream AS s USING (stream_id)
                     WHERE w.stream_id < \(last)
                       AND (\(filter.category == nil) OR s.category = \(filter.category ?? ""))
                       AND (\(streams == nil) OR s.name = ANY (\(array: streams ?? [])))
                       AND (\(filter.kinds == nil) OR w.kind = ANY (\(array: filter.kinds ?? [])))
                       AND (\(filter.statuses == nil) OR w.status = ANY (\(array: filter.statuses ?? [])))
                       AND (\(filter.target == nil) OR w.target = \(filter.target ?? ""))
                       AND (\(filter.lane == nil) OR w.lane = \(filter.lane ?? ""))
                       AND (\(filter.stuckAt == nil)
                            OR w.status = 'parked'
                            OR (NOT w.status = ANY (\(array: WorkFilter.ends)) AND w.deadline < \(filter.stuckAt)))
                     ORDER BY w.stream_id DESC
                     LIMIT \(Int64(limit) + 1)
                    """
                )
                return try rows.workPage(limit: limit)
            }
        }
    }
}

extension Rows {
    fileprivate func workPage(limit: Int) throws(PostgresError) -> WorkPage {
        let items = try workItems()
        var page = WorkPage(rows: [])
        for (row, item) in items.prefix(limit).enumerated() {
            page.rows.append(
                WorkRow(
                    item: item,
                    priority: try Int16.read(self, row: row, column: 8),
                    owner: try value(String.self, row: row, column: 9),
                    leaseUntil: try value(Timestamp.self, row: row, column: 10),
                    wakeAt: try value(Timestamp.self, row: row, column: 11)
                )
            )
        }
        if items.count > limit, limit > 0 {
            page.next = String(try Int64.read(self, row: limit - 1, column: 12))
        }
        return page
    }
}
