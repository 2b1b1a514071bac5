internal import Domain
internal import EventStore
internal import Kernel

extension SagaState {
    /// The row of leased work that says what the saga's stream says.
    ///
    /// - Parameters:
    ///   - stream: The saga's.
    ///   - guarding: How the row is found.
    ///   - definition: The table; without it, nothing is known of targets and of the order of taking back.
    ///   - wakeAt: When it is due.
    /// - Returns: The row; `waiting` when it goes forward and is due at a moment.
    func work(
        _ stream: StreamName,
        guard guarding: WorkUpdate.Guard,
        _ definition: SagaDefinition?,
        wakeAt: Timestamp?
    ) -> WorkUpdate {
        let step =
            switch mode {
            case .forward: current ?? ""
            case .compensating: definition.flatMap { undos($0).first?.id } ?? ""
            case .ended: ""
            }
        let isWaiting = status == "running" && wakeAt != nil && wakeAt != WorkUpdate.atOnce
        return WorkUpdate(
            stream,
            guard: guarding,
            kind: started?.kind ?? "",
            lane: started?.lane ?? "",
            priority: definition?.priority ?? 1,
            status: isWaiting ? "waiting" : status,
            step: step,
            target: definition?.step(step)?.policy.target ?? "",
            wakeAt: wakeAt,
            deadline: started?.deadline
        )
    }

    /// The row as it has to be when nobody holds a lease, from nothing but the log.
    ///
    /// What only waits between two looks is due at once: looks are not recorded.
    ///
    /// - Parameters:
    ///   - stream: The saga's.
    ///   - definition: The table.
    ///   - isLaneTaken: Whether another saga of the lane has begun and has not ended.
    /// - Returns: The row.
    func restored(_ stream: StreamName, _ definition: SagaDefinition, isLaneTaken: Bool) -> WorkUpdate {
        if isQueued {
            var row = work(stream, guard: .create, definition, wakeAt: nil)
            row.status = "queued"
            row.wakeAt = isLaneTaken ? nil : begunAt
            return row
        }
        guard let lastAt else { return work(stream, guard: .create, definition, wakeAt: nil) }
        switch next(definition, at: lastAt) {
        case .rest: return work(stream, guard: .create, definition, wakeAt: nil)
        case .wait(let until): return work(stream, guard: .create, definition, wakeAt: until)
        default:
            var row = work(stream, guard: .create, definition, wakeAt: nil)
            row.wakeAt = lastAt
            return row
        }
    }

    /// Whether its turn has not come yet.
    var isQueued: Bool {
        guard case .forward = mode, parked == nil else { return false }
        return !hasBegun
    }

    /// Whether it keeps others of its lane from beginning.
    var takesLane: Bool {
        if case .ended = mode { return false }
        return !isQueued
    }
}
