package import Domain
package import Kernel

/// The write model of one subscription.
package struct Subscription: Decider {
    package static let stateVersion: Int16 = 3

    /// Where a subscription is in its life.
    package enum Stage: String, Codable, Sendable, CaseIterable {
        case absent, requested, draft, abandoned, active, paused, cancelled, ended
    }

    package enum Command: Sendable, Equatable {
        case request(SubscriptionEvent.Requested)
        /// Billing has a draft; a retry may bring the same draft for a later generation, or another.
        case recordDraft(billingID: String, generation: Int)
        case recordActivated(anchor: Timestamp)
        /// The draft will never be activated.
        case abandon(reason: String)
        /// Its end is agreed on: the instance is terminated then.
        case requestCancellation(effectiveAt: Timestamp)
        /// It goes on after all; not in the last moment before its end.
        case withdrawCancellation(reason: String, at: Timestamp)
        /// Another plan of the same rank or, if it is to be at once, a higher one.
        case requestPlanChange(SubscriptionEvent.PlanChangeRequested)
        /// Another plan of the same rank or a lower one, when the period that is paid for has ended.
        case scheduleDowngrade(SubscriptionEvent.DowngradeScheduled)
        case recordPlanChanged(SubscriptionEvent.PlanChanged)
        /// The change that was asked for, or scheduled, is not made.
        case cancelPlanChange(reason: String)
        /// The same, for somebody who believes that one is scheduled.
        case cancelScheduledChange(reason: String)
        /// The schedule that a saga waited with is not kept.
        case giveUpSchedule(SubscriptionEvent.DowngradeScheduled, reason: String)
        case recordPaused
        case recordResumed
        case recordCancelled
        case recordEnded
    }

    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        case alreadyRequested
        case notRequested
        case notDrafted
        /// Billing has another draft of the same generation.
        case otherDraft
        /// The generation has been succeeded by another.
        case staleGeneration
        case notActive
        /// It is active, so it can be cancelled but not abandoned.
        case active
        case notCancelled
        /// Its end is agreed on already.
        case cancellationRequested
        /// An upgrade leads to no lower rank.
        case lowerRank
        /// A downgrade leads to no higher rank.
        case higherRank
        /// It has this plan already.
        case samePlan
        /// Another change is scheduled, or being made.
        case changePending
        case nothingScheduled
        /// Its end has come, or is so near that it may be under way.
        case tooLate
        case abandoned
        case over
    }

    package private(set) var stage = Stage.absent
    package private(set) var requested: SubscriptionEvent.Requested?
    /// Billing's id, also of a draft that was abandoned: a retry looks whether it can still be used.
    package private(set) var billingID: String?
    /// The generation of the instance that the draft was made for; 0 before the first.
    package private(set) var generation = 0
    /// Periods end on this moment's day of the month.
    package private(set) var anchor: Timestamp?
    /// When it is to be cancelled, once that is agreed on.
    package private(set) var cancellation: Timestamp?
    /// The change that is being made.
    package private(set) var change: SubscriptionEvent.PlanChangeRequested?
    /// The change that is waited with.
    package private(set) var scheduled: SubscriptionEvent.DowngradeScheduled?

    package init() {}

    package mutating func evolve(_ event: SubscriptionEvent) {
        switch event {
        case .requested(let fact): (stage, requested) = (.requested, fact)
        case .drafted(let fact): (stage, billingID, generation) = (.draft, fact.billingID, fact.generation)
        case .activated(let fact): (stage, anchor) = (.active, fact.anchor)
        case .abandoned: stage = .abandoned
        case .paused: stage = .paused
        case .resumed: stage = .active
        case .planChanged(let fact):
            requested?.price = fact.price
            requested?.plan = fact.plan
            billingID = fact.billingID
            (change, scheduled) = (nil, nil)
        case .planChangeRequested(let fact): (change, scheduled) = (fact, nil)
        case .downgradeScheduled(let fact): (change, scheduled) = (nil, fact)
        case .planChangeCancelled: (change, scheduled) = (nil, nil)
        case .cancellationRequested(let fact): cancellation = fact.effectiveAt
        case .cancellationWithdrawn: cancellation = nil
        case .cancelled: stage = .cancelled
        case .ended: stage = .ended
        }
    }

    package func decide(_ command: Command) throws(Refusal) -> [SubscriptionEvent] {
        switch (command, stage) {
        case (.request(let fact), .absent): return [.requested(fact)]
        case (.request, _): throw .alreadyRequested
        case (_, .absent): throw .notRequested

        case (.recordDraft(let id, let generation), _): return try draft(id, generation)

        case (.recordActivated(let anchor), .draft): return [.activated(.init(anchor: anchor))]
        case (.recordActivated, .active), (.recordActivated, .paused): return []
        case (.recordActivated, .requested): throw .notDrafted
        case (.recordActivated, .abandoned): throw .abandoned
        case (.recordActivated, .cancelled), (.recordActivated, .ended): throw .over

        case (.abandon(let reason), .requested), (.abandon(let reason), .draft):
            return [.abandoned(.init(reason: reason))]
        case (.abandon, .abandoned): return []
        case (.abandon, .active), (.abandon, .paused): throw .active
        case (.abandon, .cancelled), (.abandon, .ended): throw .over

        case (.requestCancellation(let moment), .active), (.requestCancellation(let moment), .paused):
            guard cancellation == nil else { throw .cancellationRequested }
            return [.cancellationRequested(.init(effectiveAt: moment))]
        case (.withdrawCancellation(let reason, let now), .active),
            (.withdrawCancellation(let reason, let now), .paused):
            return try withdrawCancellation(reason, at: now)
        case (.requestPlanChange(let fact), .active): return try requestPlanChange(fact)
        case (.scheduleDowngrade(let fact), .active): return try scheduleDowngrade(fact)
        case (.recordPlanChanged(let fact), .active): return planChanged(fact)
        case (.requestPlanChange, .paused), (.scheduleDowngrade, .paused), (.recordPlanChanged, .paused):
            throw .notActive
        case (.cancelPlanChange(let reason), _):
            return change == nil && scheduled == nil ? [] : [.planChangeCancelled(.init(reason: reason))]
        case (.giveUpSchedule(let fact, let reason), _):
            return scheduled == fact ? [.planChangeCancelled(.init(reason: reason))] : []
        case (.cancelScheduledChange(let reason), _):
            guard scheduled != nil else { throw .nothingScheduled }
            return [.planChangeCancelled(.init(reason: reason))]

        case (.recordPaused, .active): return [.paused(.init())]
        case (.recordPaused, .paused): return []
        case (.recordResumed, .paused): return [.resumed(.init())]
        case (.recordResumed, .active): return []
        case (.recordCancelled, .active), (.recordCancelled, .paused): return [.cancelled(.init())]
        case (.recordCancelled, .cancelled), (.recordCancelled, .ended): return []
        case (.recordEnded, .cancelled): return [.ended(.init())]
        case (.recordEnded, .ended): return []
        case (.recordEnded, .active), (.recordEnded, .paused): throw .notCancelled

        case (_, .cancelled), (_, .ended): throw .over
        case (_, .requested), (_, .draft), (_, .abandoned): throw .notActive
        // Every command is answered for an active or paused subscription above; the compiler cannot see it.
        case (_, .active), (_, .paused): throw .over
        }
    }
}

extension Subscription {
    private func draft(_ id: String, _ generation: Int) throws(Refusal) -> [SubscriptionEvent] {
        switch stage {
        case .absent: throw .notRequested
        case .cancelled, .ended: throw .over
        case .active, .paused:
            guard id == billingID else { throw .active }
            return []
        case .requested, .draft, .abandoned:
            guard generation >= self.generation else { throw .staleGeneration }
            if stage == .draft, generation == self.generation {
                guard id == billingID else { throw .otherDraft }
                return []
            }
            guard stage != .abandoned || generation > self.generation else { throw .abandoned }
            return [.drafted(.init(billingID: id, generation: generation))]
        }
    }
}
