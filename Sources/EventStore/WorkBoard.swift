package import Kernel

/// Leased work as people look at it: who holds what, and what is due when.
package protocol WorkBoard: Sendable {
    /// The rows that a filter lets through, the newest first.
    ///
    /// - Parameters:
    ///   - filter: Which of them.
    ///   - cursor: The ``WorkPage/next`` of the page before; `nil` begins.
    ///   - limit: How many, at most.
    /// - Returns: One page; empty for a cursor that was never given.
    /// - Throws: ``LogError``.
    func rows(_ filter: WorkFilter, after cursor: String?, limit: Int) async throws(LogError) -> WorkPage
}

/// One piece of leased work, with what its worker need not know.
package struct WorkRow: Sendable, Equatable {
    package var item: WorkItem
    package var priority: Int16
    /// Who holds it, or held it last; `nil` when it was given back.
    package var owner: String?
    package var leaseUntil: Timestamp?
    /// When it is due; `nil` means never by itself.
    package var wakeAt: Timestamp?

    package init(
        item: WorkItem,
        priority: Int16,
        owner: String? = nil,
        leaseUntil: Timestamp? = nil,
        wakeAt: Timestamp? = nil
    ) {
        self.item = item
        self.priority = priority
        self.owner = owner
        self.leaseUntil = leaseUntil
        self.wakeAt = wakeAt
    }
}

/// Some rows of leased work.
package struct WorkPage: Sendable, Equatable {
    package var rows: [WorkRow]
    /// Where the page after it begins; `nil` when this was the last.
    package var next: String?

    package init(rows: [WorkRow], next: String? = nil) {
        self.rows = rows
        self.next = next
    }
}

/// Which leased work is wanted; `nil` wants any.
package struct WorkFilter: Sendable, Equatable {
    /// The category of the streams, such as `saga`.
    package var category: String?
    package var streams: [StreamName]?
    package var kinds: [String]?
    package var statuses: [String]?
    package var target: String?
    package var lane: String?
    /// Only what is parked, or should have been through before this moment and is not.
    package var stuckAt: Timestamp?

    package init(
        category: String? = nil,
        streams: [StreamName]? = nil,
        kinds: [String]? = nil,
        statuses: [String]? = nil,
        target: String? = nil,
        lane: String? = nil,
        stuckAt: Timestamp? = nil
    ) {
        self.category = category
        self.streams = streams
        self.kinds = kinds
        self.statuses = statuses
        self.target = target
        self.lane = lane
        self.stuckAt = stuckAt
    }

    /// The states in which work has an end.
    package static let ends = ["completed", "compensated", "abandoned", "superseded"]

    /// Whether a row is wanted.
    package func matches(_ row: WorkRow) -> Bool {
        let item = row.item
        return category.map { item.stream.category == $0 } ?? true
            && streams.map { $0.contains(item.stream) } ?? true
            && kinds.map { $0.contains(item.kind) } ?? true
            && statuses.map { $0.contains(item.status) } ?? true
            && target.map { $0 == item.target } ?? true
            && lane.map { $0 == item.lane } ?? true
            && stuckAt.map { isStuck(item, at: $0) } ?? true
    }

    private func isStuck(_ item: WorkItem, at moment: Timestamp) -> Bool {
        item.status == "parked" || !Self.ends.contains(item.status) && item.deadline.map { $0 < moment } ?? false
    }
}
