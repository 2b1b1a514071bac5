import Kernel
import Synchronization

/// What the workers said they were answered, as they said it.
final class Ledger: Sendable {
    private struct State {
        /// The position of number 1, 2, 3, … of each lane.
        var lanes: [String: [Int64]] = [:]
        var refusals = 0
        var fences: [(lane: String, fence: Int64, position: Int64)] = []
        var fenced: [String: Int] = [:]
        var bugs: [String] = []
        var total = 0
        var last: ContinuousClock.Instant?
        var stall = Duration.zero
    }

    private let state = Mutex(State())

    /// Takes in one line of a worker.
    func hear(_ line: some StringProtocol) {
        let words = line.split(separator: " ")
        state.withLock { state in
            switch words.first {
            case "ack" where words.count == 4:
                let now = ContinuousClock.now
                if let last = state.last { state.stall = max(state.stall, now - last) }
                state.last = now
                state.total += 1
                let lane = String(words[1])
                guard let number = Int64(words[2]), let position = Int64(words[3]) else {
                    state.bugs.append(String(line))
                    return
                }
                if lane.contains(".") {
                    let known = state.lanes[lane, default: []].count
                    if number != known + 1 { state.bugs.append("\(line), after \(known)") }
                    state.lanes[lane, default: []].append(position)
                } else {
                    state.fences.append((lane, number, position))
                }
            case "fenced" where words.count == 3:
                state.fenced[String(words[1]), default: 0] += 1
            case "away":
                state.refusals += 1
            default:
                state.bugs.append(String(line))
            }
        }
    }

    /// How many acknowledgements there were.
    var total: Int { state.withLock { $0.total } }

    var stall: Duration { state.withLock { $0.stall } }

    /// What no worker should ever have said.
    var bugs: [String] { state.withLock { $0.bugs } }

    /// How often a worker was told that the log is not to be had.
    var refusals: Int { state.withLock { $0.refusals } }

    /// Under which fences events were acknowledged.
    var fences: [(lane: String, fence: Int64, position: Int64)] { state.withLock { $0.fences } }

    /// How often this worker was told that its lease is gone.
    func fenced(_ name: String) -> Int { state.withLock { $0.fenced[name, default: 0] } }

    /// How many acknowledgements the lanes of one worker have.
    func total(of worker: String) -> Int {
        state.withLock { state in
            state.lanes.reduce(0) { $0 + ($1.key.hasPrefix(worker + ".") ? $1.value.count : 0) }
                + state.fences.count { $0.lane == worker }
        }
    }

    /// The number each lane of a worker has to go on with.
    func next(of worker: String, lanes: Int) -> [Int] {
        state.withLock { state in (0..<lanes).map { state.lanes["\(worker).\($0)", default: []].count + 1 } }
    }

    /// The positions of a lane after the first `count`.
    func positions(after count: [String: Int]) -> [String: ArraySlice<Int64>] {
        state.withLock { state in
            Dictionary(uniqueKeysWithValues: state.lanes.map { ($0, $1[count[$0, default: 0]...]) })
        }
    }
}

/// What readers were shown at each position.
final class Shown: Sendable {
    private struct State {
        var ids: [UniqueID] = []
        var skipped = 0
        var changed = 0
    }

    private let state = Mutex(State())

    /// Takes in that a reader saw this event right after `previous`.
    func note(_ id: UniqueID, at position: Int64, after previous: Int64) {
        state.withLock { state in
            if position != previous + 1 { state.skipped += 1 }
            let index = Int(position) - 1
            if index == state.ids.count {
                state.ids.append(id)
            } else if index > state.ids.count {
                state.skipped += 1
            } else if state.ids[index] != id {
                state.changed += 1
            }
        }
    }

    var count: Int { state.withLock { $0.ids.count } }
    /// How often a reader missed a position.
    var skipped: Int { state.withLock { $0.skipped } }
    /// How often a position held something else than before.
    var changed: Int { state.withLock { $0.changed } }

    func ids(after count: Int) -> ArraySlice<UniqueID> { state.withLock { $0.ids[count...] } }
}
