/// What a customer pays for; the order is the rank.
package enum Tier: String, Codable, Sendable, CaseIterable, Comparable {
    case freeTrial = "FREE_TRIAL"
    case starter = "STARTER"
    case pro = "PRO"
    case team = "TEAM"
    case enterprise = "ENTERPRISE"

    /// 0 is the smallest.
    package var rank: Int {
        switch self {
        case .freeTrial: 0
        case .starter: 1
        case .pro: 2
        case .team: 3
        case .enterprise: 4
        }
    }

    /// What `${meta.tier}` of a node says.
    package var label: String {
        switch self {
        case .freeTrial: "free-trial"
        case .starter: "starter"
        case .pro: "pro"
        case .team: "team"
        case .enterprise: "enterprise"
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// Whose machines an instance runs on: what `${meta.compute}` of a node says.
package enum ComputeEngine: String, Codable, Sendable, CaseIterable {
    case hetzner, digitalocean, gcp, aws
}

/// What a workload may use.
package struct Resources: Codable, Equatable, Sendable {
    /// MHz.
    package var cpu: Int
    /// MB.
    package var memory: Int
    /// 1…100, as Nomad counts.
    package var priority: Int

    package init(cpu: Int, memory: Int, priority: Int) {
        self.cpu = cpu
        self.memory = memory
        self.priority = priority
    }
}

/// How a new version of a workload takes over.
package struct UpdatePolicy: Codable, Equatable, Sendable {
    package var canary: Int
    package var autoRevert: Bool

    package init(canary: Int, autoRevert: Bool) {
        self.canary = canary
        self.autoRevert = autoRevert
    }
}

/// What was sold, as it was when it was sold: copied into the events, so that history keeps its meaning.
package struct PlanSnapshot: Codable, Equatable, Sendable {
    package var tier: Tier
    package var resources: Resources
    package var update: UpdatePolicy
    /// Environment variables of the tenant that carry its limits, by name (`QUOTA_ORG_CUSTOMER`, `USAGE_INGEST_ORG_RATE`, …).
    package var quotas: [String: String]
    /// What the customer is told the plan contains, by key (`billing.customers.max`, …).
    package var entitlements: [String: String]

    package init(
        tier: Tier,
        resources: Resources,
        update: UpdatePolicy,
        quotas: [String: String],
        entitlements: [String: String]
    ) {
        self.tier = tier
        self.resources = resources
        self.update = update
        self.quotas = quotas
        self.entitlements = entitlements
    }
}

/// A price as it was when it was agreed on.
package struct PriceSnapshot: Codable, Equatable, Sendable {
    /// The price's code, which is also its id here, such as `team-monthly`.
    package var code: String
    /// ISO 4217.
    package var currency: String
    /// Minor units (cents).
    package var amount: Int64
    /// `month`.
    package var interval: String

    package init(code: String, currency: String, amount: Int64, interval: String) {
        self.code = code
        self.currency = currency
        self.amount = amount
        self.interval = interval
    }
}
