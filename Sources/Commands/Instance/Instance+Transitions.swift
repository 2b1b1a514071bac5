internal import Domain

extension Instance {
    /// Once is enough; whoever asks again has what they want.
    func requestTermination(_ reason: String) -> [InstanceEvent] {
        switch stage {
        case .absent, .terminating, .terminated: []
        case .provisioning, .provisioningFailed, .running, .changing, .stopping, .stopped, .starting:
            [.terminationRequested(.init(reason: reason))]
        }
    }

    /// What was asked for is done; a termination that was asked for meanwhile goes on from there.
    func settle(
        in goal: Stage,
        after way: Stage,
        as event: InstanceEvent
    ) throws(Refusal) -> [InstanceEvent] {
        switch stage {
        case goal: return []
        case way: return [event]
        case .terminating: return resting == goal ? [] : [event]
        default: throw .notAsked
        }
    }

    /// Back to where it was; nothing when that is known already.
    func rollBack(_ transition: InstanceTransition, _ reason: String) -> [InstanceEvent] {
        let way: Stage =
            switch transition {
            case .stop: .stopping
            case .start: .starting
            case .termination: .terminating
            }
        guard stage == way || stage == .terminating else { return [] }
        // A termination may have been asked for before anything else had come to an end.
        let back = resting ?? .running
        return [.changeRolledBack(.init(change: transition.rawValue, reason: reason, back: back.rawValue))]
    }
}
