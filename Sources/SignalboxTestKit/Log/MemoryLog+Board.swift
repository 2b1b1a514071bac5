package import EventStore
internal import Kernel

extension MemoryLog: WorkBoard {
    package func rows(_ filter: WorkFilter, after cursor: String?, limit: Int) async throws(LogError) -> WorkPage {
        let last = cursor.map { Int($0) ?? 0 } ?? .max
        let found = work.values.sorted { $0.number > $1.number }.filter { row in
            row.number < last && filter.matches(WorkRow(row))
        }
        let shown = found.prefix(limit)
        return WorkPage(
            rows: shown.map { WorkRow($0) },
            next: found.count > limit ? shown.last.map { String($0.number) } : nil
        )
    }
}

extension WorkRow {
    fileprivate init(_ row: MemoryWork) {
        self.init(
            item: row.item,
            priority: row.priority,
            owner: row.owner,
            leaseUntil: row.leaseUntil,
            wakeAt: row.wakeAt
        )
    }
}
