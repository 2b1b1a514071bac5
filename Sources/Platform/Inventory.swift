/// What a target has, as far as it said.
package struct Listing<Item: Sendable & Equatable>: Sendable, Equatable {
    package var items: [Item]
    /// Whether it is everything; what is missing from a part of a list may still be there.
    package var isComplete: Bool

    package init(_ items: [Item], isComplete: Bool = true) {
        self.items = items
        self.isComplete = isComplete
    }

    /// Nothing is known.
    package static var unknown: Self { Self([], isComplete: false) }
}

/// A tenant's database as the cluster lists it.
package struct ListedDatabase: Sendable, Equatable {
    package var name: String
    /// The role that owns it.
    package var role: String
    /// What is written on it; `nil` for one that is not ours.
    package var owner: Ownership?

    package init(name: String, role: String, owner: Ownership?) {
        self.name = name
        self.role = role
        self.owner = owner
    }
}

/// A tenant's role as the cluster lists it.
package struct ListedRole: Sendable, Equatable {
    package var name: String
    package var owner: Ownership?
    package var mayLogIn: Bool

    package init(name: String, owner: Ownership?, mayLogIn: Bool) {
        self.name = name
        self.owner = owner
        self.mayLogIn = mayLogIn
    }
}

/// A tenant's job as the scheduler lists it.
package struct ListedJob: Sendable, Equatable {
    package var job: String
    /// `nil` for one that is not ours.
    package var owner: Ownership?
    package var isStopped: Bool
    /// Whether one of our sagas stopped it.
    package var isStoppedByUs: Bool
    /// Changes whenever somebody registers another specification.
    package var modifyIndex: Int64

    package init(job: String, owner: Ownership?, isStopped: Bool, isStoppedByUs: Bool, modifyIndex: Int64) {
        self.job = job
        self.owner = owner
        self.isStopped = isStopped
        self.isStoppedByUs = isStoppedByUs
        self.modifyIndex = modifyIndex
    }
}

/// A subscription as billing lists it.
package struct ListedSubscription: Sendable, Equatable {
    package var id: String
    package var status: BillingStatus
    /// By which it was asked for; `nil` for one that we did not ask for.
    package var key: String?

    package init(id: String, status: BillingStatus, key: String?) {
        self.id = id
        self.status = status
        self.key = key
    }
}

/// Lists what there is at the targets, for who compares it with what should be there.
package protocol Inventory: Sendable {
    /// The databases with a tenant's name.
    func databases() async throws(PortError) -> Listing<ListedDatabase>
    /// The roles with a tenant's name.
    func roles() async throws(PortError) -> Listing<ListedRole>
    /// The jobs with a tenant's name.
    func jobs() async throws(PortError) -> Listing<ListedJob>
    /// Every subscription there is.
    func subscriptions() async throws(PortError) -> Listing<ListedSubscription>
}
