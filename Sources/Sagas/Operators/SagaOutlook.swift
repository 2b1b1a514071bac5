internal import Domain
internal import EventStore
package import Kernel

/// What comes next for a saga, and why: from its stream, its row of leased work and the time; pure.
package struct SagaOutlook: Sendable {
    /// What happens next.
    package struct Next: Sendable, Equatable, Codable {
        package enum Action: String, Sendable, Codable {
            /// It has ended.
            case nothing
            /// A person has to decide.
            case person
            /// Another saga holds its lane.
            case queue
            /// Somebody works on it now.
            case underWay = "under-way"
            /// The step, or the undo, is tried when the time has come.
            case attempt, undo
        }

        package var action: Action
        package var step: String?
        /// When; absent where no time is set.
        package var at: Timestamp?
        /// For people.
        package var why: String
    }

    /// A turn at it.
    package struct Lease: Sendable, Equatable, Codable {
        package var owner: String
        package var until: Timestamp
        package var fence: Int64
    }

    let definition: SagaDefinition?
    private let newest: SagaDefinition?
    private let state: SagaState
    private let row: WorkRow?
    private let holder: WorkRow?
    private let now: Timestamp

    /// - Parameters:
    ///   - state: The saga as its stream tells it.
    ///   - definition: What it goes by; `nil` when this build does not know it.
    ///   - newest: What it could go by.
    ///   - row: Its leased work; `nil` when there is none.
    ///   - holder: Who is in its lane, when it has to wait for that.
    ///   - now: The time.
    init(
        state: SagaState,
        definition: SagaDefinition?,
        newest: SagaDefinition?,
        row: WorkRow?,
        holder: WorkRow?,
        now: Timestamp
    ) {
        self.newest = newest
        self.state = state
        self.definition = definition
        self.row = row
        self.holder = holder
        self.now = now
    }

    /// As the queue has it where that knows more than the stream.
    var status: String {
        guard let row, ["queued", "waiting"].contains(row.item.status), state.status == "running" else {
            return state.status
        }
        return row.item.status
    }

    var lease: Lease? {
        guard let row, row.isHeld(at: now), let until = row.leaseUntil else { return nil }
        return Lease(owner: row.owner ?? "", until: until, fence: row.item.fence)
    }

    var next: Next {
        if case .ended(let end) = state.mode { return Next(action: .nothing, why: "it is \(end.rawValue)") }
        if let parked = state.parked {
            return Next(action: .person, step: parked.step.isEmpty ? nil : parked.step, why: parked.reason)
        }
        if status == "queued" { return queued }
        let isForward = state.mode == .forward
        let step = definition.flatMap { state.present($0) } ?? state.current
        let known = step.flatMap { state.steps[$0] }
        let failure = isForward ? known?.failure : known?.undo.failure
        var next = Next(action: isForward ? .attempt : .undo, step: step, at: row?.wakeAt, why: "")
        if let lease {
            (next.action, next.at) = (.underWay, nil)
            next.why = "\(lease.owner) works on it"
        } else if let failure, let retryAt = failure.retryAt, retryAt > now {
            let attempt = isForward ? known?.attempt : known?.undo.attempt
            next.why =
                "attempt \(attempt ?? 1), because the one before ended as \(failure.failure.rawValue) "
                + "\(failure.code): \(failure.message)"
        } else if isForward, let condition = known?.condition, known?.succeeded == false {
            next.why = "it is looked at again until \(condition.condition): \(condition.reason)"
        } else if let at = next.at, at > now {
            next.why = "it waits until then"
        } else {
            next.why = "it is due, and no process has taken it yet"
        }
        if case .compensating(let reason) = state.mode { next.why += "; it takes everything back: \(reason)" }
        return next
    }

    private var queued: Next {
        guard let holder else {
            return Next(action: .queue, at: row?.wakeAt, why: "it is due, and no process has taken it yet")
        }
        let item = holder.item
        return Next(action: .queue, why: "\(item.stream) holds the lane \(item.lane), and is \(item.status)")
    }

    /// The verbs that the state allows.
    var deeds: [SagaVerb.Name] {
        SagaVerb.Name.allCases.filter { name in
            let verb: SagaVerb =
                switch name {
                case .retry: .retry
                case .park: .park
                case .resume: .resume
                case .skip: .skip(force: true)
                case .setOutput: .setOutput(step: state.current ?? "", .object([:]), evidence: .null)
                case .cancel: .cancel
                case .abandon: .abandon
                case .migrate: .migrate(force: true)
                }
            let deed = SagaDeed(actor: "", reason: "")
            return (try? SagaPlan(verb, state, deed, definition: definition, newest: newest)) != nil
        }
    }
}
