package import Kernel

/// Everything that can have happened to one subscription.
package enum SubscriptionEvent: EventFamily {
    case requested(Requested)
    case drafted(Drafted)
    case activated(Activated)
    case abandoned(Because)
    case paused(Nothing)
    case resumed(Nothing)
    case planChangeRequested(PlanChangeRequested)
    case planChanged(PlanChanged)
    case planChangeCancelled(Because)
    case downgradeScheduled(DowngradeScheduled)
    case cancellationRequested(CancellationRequested)
    case cancellationWithdrawn(Because)
    case cancelled(Nothing)
    case ended(Nothing)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case requested = "subscription.requested"
        case drafted = "subscription.drafted"
        case activated = "subscription.activated"
        case abandoned = "subscription.abandoned"
        case paused = "subscription.paused"
        case resumed = "subscription.resumed"
        case planChangeRequested = "subscription.plan-change-requested"
        case planChanged = "subscription.plan-changed"
        case planChangeCancelled = "subscription.plan-change-cancelled"
        case downgradeScheduled = "subscription.downgrade-scheduled"
        case cancellationRequested = "subscription.cancellation-requested"
        case cancellationWithdrawn = "subscription.cancellation-withdrawn"
        case cancelled = "subscription.cancelled"
        case ended = "subscription.ended"
    }
}

extension SubscriptionEvent {
    package struct Requested: Fact {
        package var organization: OrganizationID
        package var instance: InstanceID
        package var price: PriceSnapshot
        package var plan: PlanSnapshot
        package init(organization: OrganizationID, instance: InstanceID, price: PriceSnapshot, plan: PlanSnapshot) {
            self.organization = organization
            self.instance = instance
            self.price = price
            self.plan = plan
        }
    }

    package struct Drafted: Fact {
        /// Billing's own id of the subscription.
        package var billingID: String
        /// The generation of the instance it was drafted for.
        package var generation: Int
        package init(billingID: String, generation: Int) {
            self.billingID = billingID
            self.generation = generation
        }
    }

    package struct Activated: Fact {
        /// The day of the month on which a period ends is that of this moment, in UTC.
        package var anchor: Timestamp
        package init(anchor: Timestamp) { self.anchor = anchor }
    }

    package struct PlanChangeRequested: Fact {
        package var price: PriceSnapshot
        package var plan: PlanSnapshot
        package var immediately: Bool
        package init(price: PriceSnapshot, plan: PlanSnapshot, immediately: Bool) {
            self.price = price
            self.plan = plan
            self.immediately = immediately
        }
    }

    package struct PlanChanged: Fact {
        package var price: PriceSnapshot
        package var plan: PlanSnapshot
        package var billingID: String
        package init(price: PriceSnapshot, plan: PlanSnapshot, billingID: String) {
            self.price = price
            self.plan = plan
            self.billingID = billingID
        }
    }

    package struct DowngradeScheduled: Fact {
        package var price: PriceSnapshot
        package var plan: PlanSnapshot
        package var effectiveAt: Timestamp
        package init(price: PriceSnapshot, plan: PlanSnapshot, effectiveAt: Timestamp) {
            self.price = price
            self.plan = plan
            self.effectiveAt = effectiveAt
        }
    }

    package struct CancellationRequested: Fact {
        package var effectiveAt: Timestamp
        package init(effectiveAt: Timestamp) { self.effectiveAt = effectiveAt }
    }
}

extension SubscriptionEvent {
    package static let category = "subscription"

    package var name: Name {
        switch self {
        case .requested: .requested
        case .drafted: .drafted
        case .activated: .activated
        case .abandoned: .abandoned
        case .paused: .paused
        case .resumed: .resumed
        case .planChangeRequested: .planChangeRequested
        case .planChanged: .planChanged
        case .planChangeCancelled: .planChangeCancelled
        case .downgradeScheduled: .downgradeScheduled
        case .cancellationRequested: .cancellationRequested
        case .cancellationWithdrawn: .cancellationWithdrawn
        case .cancelled: .cancelled
        case .ended: .ended
        }
    }

    package var fact: any Fact {
        switch self {
        case .requested(let fact): fact
        case .drafted(let fact): fact
        case .activated(let fact): fact
        case .abandoned(let fact): fact
        case .paused(let fact): fact
        case .resumed(let fact): fact
        case .planChangeRequested(let fact): fact
        case .planChanged(let fact): fact
        case .planChangeCancelled(let fact): fact
        case .downgradeScheduled(let fact): fact
        case .cancellationRequested(let fact): fact
        case .cancellationWithdrawn(let fact): fact
        case .cancelled(let fact): fact
        case .ended(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .requested: .only(Self.requested)
        case .drafted: .only(Self.drafted)
        case .activated: .only(Self.activated)
        case .abandoned: .only(Self.abandoned)
        case .paused: .only(Self.paused)
        case .resumed: .only(Self.resumed)
        case .planChangeRequested: .only(Self.planChangeRequested)
        case .planChanged: .only(Self.planChanged)
        case .planChangeCancelled: .only(Self.planChangeCancelled)
        case .downgradeScheduled: .only(Self.downgradeScheduled)
        case .cancellationRequested: .only(Self.cancellationRequested)
        case .cancellationWithdrawn: .only(Self.cancellationWithdrawn)
        case .cancelled: .only(Self.cancelled)
        case .ended: .only(Self.ended)
        }
    }
}
