internal import Domain

extension Subscription {
    func requestPlanChange(
        _ fact: SubscriptionEvent.PlanChangeRequested
    ) throws(Refusal) -> [SubscriptionEvent] {
        if change == fact { return [] }
        guard change == nil else { throw .changePending }
        guard let requested, fact.price != requested.price else { throw .samePlan }
        // What was scheduled before may lead down; what a person wants at once may not.
        guard !fact.immediately || fact.plan.tier >= requested.plan.tier else { throw .lowerRank }
        guard fact.immediately, scheduled != nil else { return [.planChangeRequested(fact)] }
        return [.planChangeCancelled(.init(reason: "another plan was chosen")), .planChangeRequested(fact)]
    }

    func scheduleDowngrade(_ fact: SubscriptionEvent.DowngradeScheduled) throws(Refusal) -> [SubscriptionEvent] {
        if scheduled == fact { return [] }
        guard change == nil, scheduled == nil else { throw .changePending }
        guard let requested, fact.price != requested.price else { throw .samePlan }
        guard fact.plan.tier <= requested.plan.tier else { throw .higherRank }
        return [.downgradeScheduled(fact)]
    }

    func planChanged(_ fact: SubscriptionEvent.PlanChanged) -> [SubscriptionEvent] {
        change == nil && requested?.price == fact.price && billingID == fact.billingID ? [] : [.planChanged(fact)]
    }
}
