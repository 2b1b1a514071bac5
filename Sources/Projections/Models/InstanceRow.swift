package import Domain
package import Kernel

/// What the instances read model keeps of one instance.
package struct InstanceRow: Codable, Equatable, Sendable {
    /// As in the state picture of the domain.
    package enum Status: String, Codable, Sendable {
        case provisioning
        case provisioningFailed = "provisioning-failed"
        case running, changing, stopping, stopped, starting, terminating, terminated
    }

    /// Something a person would want to know: true, false, or not known yet.
    package struct Condition: Codable, Equatable, Sendable {
        package var type: String
        package var status: ConditionStatus
        package var reason: String
        package var message: String
        /// When the status last changed.
        package var since: Timestamp
        package var generation: Int
    }

    /// One of the places in which a release of the instance runs.
    package struct Slot: Codable, Equatable, Sendable {
        package enum Status: String, Codable, Sendable {
            case pending, ready, migrating, serving, draining, terminated
        }

        package var name: String
        package var status: Status
        package var release: String
        package var job: String
        /// Share of the traffic in percent.
        package var weight: Int
        /// Share of what only looks, while that is another.
        package var readWeight: Int?
    }

    /// Why the last thing that was tried did not work; safe to show to the tenant.
    package struct Failure: Codable, Equatable, Sendable {
        package var step: String
        package var failure: String
        package var reason: String
        package var at: Timestamp

        private enum CodingKeys: String, CodingKey {
            case step
            case failure = "class"
            case reason, at
        }
    }

    package var id: InstanceID
    package var organizationID: OrganizationID
    package var subscriptionID: SubscriptionID
    package var name: String
    package var kind: InstanceKind
    package var status: Status
    package var plan: PlanSnapshot
    package var release: ReleaseSnapshot
    /// The version that is asked for; differs from the release's only while it is changed.
    package var desiredRelease: String
    package var computeEngine: ComputeEngine
    package var generation: Int
    package var launchURL: String?
    package var conditions: [Condition]
    package var slots: [Slot]
    package var lastError: Failure?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// The version of its stream.
    package var version: Int64

    /// A fresh one, as it was asked for.
    package init(id: InstanceID, _ fact: InstanceEvent.Requested, at moment: Timestamp) {
        self.id = id
        self.organizationID = fact.organization
        self.subscriptionID = fact.subscription
        self.name = fact.name
        self.kind = fact.kind
        self.status = .provisioning
        self.plan = fact.plan
        self.release = fact.release
        self.desiredRelease = fact.release.version
        self.computeEngine = fact.computeEngine
        self.generation = fact.generation
        self.conditions = []
        self.slots = []
        self.createdAt = moment
        self.updatedAt = moment
        self.version = 1
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case organizationID = "organizationId"
        case subscriptionID = "subscriptionId"
        case name, kind, status, plan, release, desiredRelease, computeEngine, generation
        case launchURL = "launchUrl"
        case conditions, slots, lastError, createdAt, updatedAt, version
    }
}

/// An instance as the API shows it, with the state of its subscription.
package struct InstanceView: Codable, Equatable, Sendable {
    /// The subscription that pays for it.
    package struct Subscription: Codable, Equatable, Sendable {
        package var id: SubscriptionID
        /// `requested` until the subscriptions read model has it.
        package var status: SubscriptionView.Status

        package init(id: SubscriptionID, status: SubscriptionView.Status) {
            self.id = id
            self.status = status
        }
    }

    package var id: InstanceID
    package var organizationID: OrganizationID
    package var name: String
    package var kind: InstanceKind
    package var status: InstanceRow.Status
    package var plan: PlanSnapshot
    package var release: ReleaseSnapshot
    package var desiredRelease: String
    package var computeEngine: ComputeEngine
    package var subscription: Subscription
    package var generation: Int
    @Nullable package var launchURL: String?
    package var conditions: [InstanceRow.Condition]
    package var slots: [InstanceRow.Slot]
    @Nullable package var lastError: InstanceRow.Failure?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// The version of its stream, which `If-Match` expects.
    package var version: Int64

    package init(_ row: InstanceRow, subscription status: SubscriptionView.Status?) {
        self.id = row.id
        self.organizationID = row.organizationID
        self.name = row.name
        self.kind = row.kind
        self.status = row.status
        self.plan = row.plan
        self.release = row.release
        self.desiredRelease = row.desiredRelease
        self.computeEngine = row.computeEngine
        self.subscription = Subscription(id: row.subscriptionID, status: status ?? .requested)
        self.generation = row.generation
        self.launchURL = row.launchURL
        self.conditions = row.conditions
        self.slots = row.slots
        self.lastError = row.lastError
        self.createdAt = row.createdAt
        self.updatedAt = row.updatedAt
        self.version = row.version
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case organizationID = "organizationId"
        case name, kind, status, plan, release, desiredRelease, computeEngine, subscription, generation
        case launchURL = "launchUrl"
        case conditions, slots, lastError, createdAt, updatedAt, version
    }
}
