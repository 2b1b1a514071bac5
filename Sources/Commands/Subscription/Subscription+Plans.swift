internal import Domain
internal import Kernel

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

    /// The saga that ends it reads the subscription after its end has come: who withdraws has to be through by then.
    func withdrawCancellation(_ reason: String, at now: Timestamp) throws(Refusal) -> [SubscriptionEvent] {
        guard let cancellation else { throw .nothingScheduled }
        guard now + Self.lastMoment < cancellation else { throw .tooLate }
        return [.cancellationWithdrawn(.init(reason: reason))]
    }

    /// More than a clock may be wrong, and than an append may take.
    static let lastMoment = Duration.seconds(60)
}
