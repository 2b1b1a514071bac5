internal import EventStore
internal import Kernel

/// Some slices of one build, as the holder of their leases sees them.
///
/// Slices that are at one position are fed together, in one transaction; so they soon all are.
struct HeldSlices: Sendable, Equatable {
    let build: Build
    /// How many slices the build has, whoever holds them.
    let count: Int
    /// What proves each lease.
    let fences: [Int: Int64]
    /// Where each is.
    private(set) var positions: [Int: Int64]

    init(build: Build, count: Int, fences: [Int: Int64], positions: [Int: Int64]) {
        self.build = build
        self.count = count
        self.fences = fences
        self.positions = positions
    }

    /// Where those are that are furthest behind.
    var lowest: Int64 { positions.values.min() ?? 0 }

    /// Where the next ones are; `nil` when all are at one position.
    var second: Int64? {
        let lowest = lowest
        return positions.values.filter { $0 > lowest }.min()
    }

    /// Those that are furthest behind, in order.
    var behind: [Int] {
        let lowest = lowest
        return positions.filter { $0.value == lowest }.keys.sorted()
    }

    /// Whether this holder has every slice of the build.
    var areAll: Bool { positions.count == count }

    /// Those events of a page that are for those that are furthest behind.
    func part<P: Projection>(of events: [RecordedEvent], for _: P.Type) -> [RecordedEvent] {
        let behind = Set(behind)
        return events.filter { behind.contains(P.slice(of: $0.organization?.value ?? 0, among: count)) }
    }

    /// Notes that those that were furthest behind were fed.
    mutating func move(to position: Int64) {
        for slice in behind { positions[slice] = position }
    }
}
