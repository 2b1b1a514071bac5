internal import Domain

/// The two places in which releases of an instance run, and how one takes over from the other.
extension Instance {
    /// Where a slot is in its life; the values stand in snapshots.
    package enum SlotStage: String, Codable, Sendable, CaseIterable {
        /// A release runs there, and nobody comes.
        case deployed
        /// It could serve.
        case ready
        case serving
        /// The other one serves; what is under way here may end.
        case draining
        /// Nothing runs there any more.
        case retired

        /// What can come next.
        fileprivate var next: Set<SlotStage> {
            switch self {
            case .deployed: [.ready, .retired]
            case .ready: [.serving, .retired]
            case .serving: [.draining]
            case .draining: [.serving, .retired]
            case .retired: []
            }
        }
    }

    /// One of the two.
    package struct Slot: Codable, Sendable, Equatable {
        package var stage: SlotStage
        package var release: String
        /// `nil` for the one that the instance began with, whose job is the instance's.
        package var job: String?
    }

    /// Where a slot stands; `nil` for one that was never used.
    package func slotStage(_ name: String) -> SlotStage? {
        slots[name]?.stage ?? (name == serving && running != nil ? .serving : nil)
    }

    mutating func move(_ fact: InstanceEvent.SlotMoved, to stage: SlotStage) {
        slots[fact.slot] = Slot(stage: stage, release: fact.release, job: slots[fact.slot]?.job)
        if stage == .serving { serving = fact.slot }
    }

    /// Whether a change of the release is under way, or was when the end of the instance was asked for.
    private var changesRelease: Bool {
        (stage == .changing || stage == .terminating) && change?.change == InstanceChange.version
    }

    func deploy(_ fact: InstanceEvent.SlotDeployed) throws(Refusal) -> [InstanceEvent] {
        let known = slots[fact.slot]
        if known?.stage == .deployed, known?.release == fact.release, known?.job == fact.job { return [] }
        guard changesRelease else { throw .notChanging }
        guard fact.slot != serving, known == nil || known?.stage == .retired || known?.stage == .deployed else {
            throw .slotMisplaced
        }
        return [.slotDeployed(fact)]
    }

    func moveSlot(_ fact: InstanceEvent.SlotMoved, to goal: SlotStage) throws(Refusal) -> [InstanceEvent] {
        // What was never there is retired already.
        guard let known = slotStage(fact.slot) else {
            if goal == .retired { return [] }
            throw .slotMisplaced
        }
        guard known != goal else { return [] }
        guard known.next.contains(goal) else { throw .slotMisplaced }
        switch goal {
        case .deployed: throw .slotMisplaced
        case .ready: return [.slotReady(fact)]
        case .serving: return [.slotServing(fact)]
        case .draining: return [.slotDraining(fact)]
        case .retired: return [.slotRetired(fact)]
        }
    }

    /// Whether all of it goes where it goes anyway.
    func isUndivided(_ fact: InstanceEvent.TrafficShifted) -> Bool {
        fact.weights.allSatisfy { weight in
            let share = weight.slot == serving ? 100 : 0
            return weight.reads == share && weight.writes == share
        }
    }

    func shift(_ fact: InstanceEvent.TrafficShifted) throws(Refusal) -> [InstanceEvent] {
        guard weights != fact else { return [] }
        if weights == nil, isUndivided(fact) { return [] }
        // What is withdrawn has no traffic to be divided.
        guard route != nil else { return [] }
        guard changesRelease else { throw .notChanging }
        return [.trafficShifted(fact)]
    }

    func hand(_ fact: InstanceEvent.LeaseHandedOver) throws(Refusal) -> [InstanceEvent] {
        // Who holds it is what counts; a hand-over that nobody got to know of has its epoch.
        guard lease?.slot ?? SlotName.first != fact.slot else { return [] }
        guard changesRelease else { throw .notChanging }
        guard fact.epoch > lease?.epoch ?? 0 else { throw .staleEpoch }
        return [.leaseHandedOver(fact)]
    }
}
