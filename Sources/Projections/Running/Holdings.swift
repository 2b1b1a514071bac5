internal import EventStore
internal import Synchronization

/// The slices whose leases this process has, and who feeds them.
final class Holdings: Sendable {
    private struct State {
        var items: [Build: [Int: WorkItem]] = [:]
        /// The builds that a task feeds.
        var fed: Set<Build> = []
        var shares: [String: Int] = [:]
    }

    private let state = Mutex(State())
    /// Rings whenever a slice comes or goes.
    let changes = Bell()

    /// How many it may have of each kind, with regard to the others.
    var shares: [String: Int] {
        get { state.withLock { $0.shares } }
        set { state.withLock { $0.shares = newValue } }
    }

    /// How many more it may have of each kind; nothing is said of those it has enough of.
    var room: [String: Int] {
        state.withLock { state in
            let counts = state.items.reduce(into: [:]) { $0[$1.key.workKind, default: 0] += $1.value.count }
            return state.shares.reduce(into: [:]) { room, share in
                let left = share.value - counts[share.key, default: 0]
                if left > 0 { room[share.key] = left }
            }
        }
    }

    /// The leases that it has beyond its share of a kind: the slices with the highest numbers.
    var excess: [WorkItem] {
        state.withLock { state in
            let kinds = Dictionary(grouping: state.items) { $0.key.workKind }
            return kinds.flatMap { kind, builds in
                builds.flatMap(\.value).sorted { $0.key < $1.key }.dropFirst(state.shares[kind] ?? 0).map(\.value)
            }
        }
    }

    /// Every lease.
    var items: [WorkItem] { state.withLock { $0.items.values.flatMap(\.values) } }

    /// The leases of builds that are not among those that there are.
    func items(except builds: Set<Build>, among held: Set<Build>) -> [WorkItem] {
        state.withLock { state in
            state.items.filter { held.contains($0.key) && !builds.contains($0.key) }.flatMap(\.value.values)
        }
    }

    /// The builds of which it has a slice.
    var builds: Set<Build> { state.withLock { Set($0.items.filter { !$0.value.isEmpty }.keys) } }

    /// Takes slices that were claimed.
    ///
    /// - Returns: The builds among them that nobody feeds yet; whoever asks has to.
    func take(_ claimed: [(build: Build, slice: Int, item: WorkItem)]) -> Set<Build> {
        let new = state.withLock { state in
            for (build, slice, item) in claimed { state.items[build, default: [:]][slice] = item }
            let new = Set(claimed.map(\.build)).subtracting(state.fed)
            state.fed.formUnion(new)
            return new
        }
        if !claimed.isEmpty { changes.ring() }
        return new
    }

    /// Lets go of leases, unless they were claimed anew meanwhile.
    func drop(_ items: [WorkItem]) {
        guard !items.isEmpty else { return }
        let gone = Dictionary(items.map { ($0.stream, $0.fence) }) { max($0, $1) }
        state.withLock { state in
            for (build, slices) in state.items {
                state.items[build] = slices.filter { _, item in
                    gone[item.stream].map { item.fence > $0 } ?? true
                }
            }
        }
        changes.ring()
    }

    /// The leases of a build, by slice.
    func slices(of build: Build) -> [Int: WorkItem] { state.withLock { $0.items[build] ?? [:] } }

    /// Ends the feeding of a build of which no slice is held.
    ///
    /// - Returns: `false` when there is one again.
    func end(_ build: Build) -> Bool {
        state.withLock { state in
            guard state.items[build]?.isEmpty ?? true else { return false }
            state.items[build] = nil
            state.fed.remove(build)
            return true
        }
    }
}
