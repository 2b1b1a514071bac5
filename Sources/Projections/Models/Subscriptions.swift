package import Domain
package import Kernel

/// The subscriptions as they are now.
package enum Subscriptions: Projection {
    package typealias Row = SubscriptionView

    package static let name = "subscriptions"
    package static let shape = 1
    package static let reads = SubscriptionEvent.types

    package static func key(of entry: Entry) -> String? { entry.subject }

    package static func fold(into row: inout SubscriptionView?, _ entry: Entry) throws {
        guard case .subscription(let event) = entry.event else { return }
        if case .requested(let fact) = event {
            guard let id = SubscriptionID(entry.subject) else { throw FoldError.missing(key: entry.subject) }
            row = SubscriptionView(
                id: id,
                organizationID: fact.organization,
                instanceID: fact.instance,
                status: .requested,
                price: fact.price,
                plan: fact.plan,
                createdAt: entry.at,
                updatedAt: entry.at,
                version: entry.version
            )
            return
        }
        guard var subscription = row else { throw FoldError.missing(key: entry.subject) }
        switch event {
        case .requested: break
        case .drafted: subscription.status = .draft
        case .activated(let fact):
            subscription.status = .active
            subscription.anchor = fact.anchor
        case .abandoned: subscription.status = .abandoned
        case .paused: subscription.status = .paused
        case .resumed: subscription.status = .active
        case .planChangeRequested(let fact):
            subscription.pendingChange = .init(price: fact.price, effectiveAt: nil)
        case .downgradeScheduled(let fact):
            subscription.pendingChange = .init(price: fact.price, effectiveAt: fact.effectiveAt)
        case .planChanged(let fact):
            subscription.price = fact.price
            subscription.plan = fact.plan
            subscription.pendingChange = nil
        case .planChangeCancelled: subscription.pendingChange = nil
        case .cancellationRequested(let fact): subscription.endsAt = fact.effectiveAt
        case .cancellationWithdrawn: subscription.endsAt = nil
        case .cancelled: subscription.status = .cancelled
        case .ended: subscription.status = .ended
        }
        subscription.updatedAt = entry.at
        subscription.version = entry.version
        row = subscription
    }
}

/// A subscription as the API shows it.
package struct SubscriptionView: Codable, Equatable, Sendable {
    package enum Status: String, Codable, Sendable {
        case requested, draft, active, paused, cancelled, ended, abandoned
    }

    /// A price that is agreed on but not yet in force.
    package struct PendingChange: Codable, Equatable, Sendable {
        package var price: PriceSnapshot
        /// `nil` means as soon as possible.
        @Nullable package var effectiveAt: Timestamp?

        package init(price: PriceSnapshot, effectiveAt: Timestamp?) {
            self.price = price
            self.effectiveAt = effectiveAt
        }
    }

    package var id: SubscriptionID
    package var organizationID: OrganizationID
    package var instanceID: InstanceID
    package var status: Status
    package var price: PriceSnapshot
    package var plan: PlanSnapshot
    @Nullable package var pendingChange: PendingChange?
    /// The moment whose day of the month ends every period.
    @Nullable package var anchor: Timestamp?
    /// When a requested cancellation takes effect.
    @Nullable package var endsAt: Timestamp?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// The version of its stream, which `If-Match` expects.
    package var version: Int64

    package init(
        id: SubscriptionID,
        organizationID: OrganizationID,
        instanceID: InstanceID,
        status: Status,
        price: PriceSnapshot,
        plan: PlanSnapshot,
        pendingChange: PendingChange? = nil,
        anchor: Timestamp? = nil,
        endsAt: Timestamp? = nil,
        createdAt: Timestamp,
        updatedAt: Timestamp,
        version: Int64
    ) {
        self.id = id
        self.organizationID = organizationID
        self.instanceID = instanceID
        self.status = status
        self.price = price
        self.plan = plan
        self.pendingChange = pendingChange
        self.anchor = anchor
        self.endsAt = endsAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.version = version
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case organizationID = "organizationId"
        case instanceID = "instanceId"
        case status, price, plan, pendingChange, anchor, endsAt, createdAt, updatedAt, version
    }
}
