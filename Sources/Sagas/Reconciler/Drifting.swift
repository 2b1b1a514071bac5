package import Commands
package import Domain
package import Kernel

/// The ways in which what is there can differ from what should be there.
package enum DriftKind: String, Sendable, CaseIterable, Codable {
    case jobGone = "job-gone"
    /// Somebody stopped it who is not us: that is told, and left to people.
    case jobStopped = "job-stopped"
    case jobDiffers = "job-differs"
    /// An alarm: it is never made again, because it would be empty.
    case databaseGone = "database-gone"
    /// The role is not there, or may not log in.
    case roleDrift = "role-drift"
    case orphanDatabase = "orphan-database"
    case orphanRole = "orphan-role"
    case orphanJob = "orphan-job"
    /// It is paid for, and there is no instance.
    case orphanSubscription = "orphan-subscription"
    /// There is an instance, and it is not paid for: that is told, and left to people.
    case billingMissing = "billing-missing"
    /// It is paid for twice, or while it is stopped: that is told, and left to people.
    case billingSurplus = "billing-surplus"
    /// A route leads to a generation that does not run.
    case routeStale = "route-stale"

    /// What is done about it, once it was seen twice.
    package enum Response: Sendable, Equatable {
        case repair
        /// The condition of the instance that tells it.
        case condition(String)
    }

    package var response: Response {
        switch self {
        case .jobStopped: .condition("WorkloadStopped")
        case .billingMissing: .condition("BillingMissing")
        case .billingSurplus: .condition("BillingSurplus")
        default: .repair
        }
    }

    /// Whether the repair takes something away.
    package var isDestructive: Bool {
        switch self {
        case .orphanDatabase, .orphanRole, .orphanJob, .orphanSubscription: true
        default: false
        }
    }
}

/// One difference at one thing of one instance.
package struct Finding: Sendable, Equatable {
    package var instance: InstanceID
    package var kind: DriftKind
    /// Of the thing, at its target.
    package var name: String
    package var expected: String
    package var observed: String
    /// What is written on the thing, where that is another than the instance's.
    package var generation: Int?

    /// By what it is found again at the next sweep.
    package var key: FindingKey { FindingKey(instance: instance, kind: kind, name: name) }

    package init(
        _ instance: InstanceID,
        _ kind: DriftKind,
        _ name: String,
        expected: String,
        observed: String,
        generation: Int? = nil
    ) {
        self.generation = generation
        self.instance = instance
        self.kind = kind
        self.name = name
        self.expected = expected
        self.observed = observed
    }
}

/// What makes a finding the same finding.
package struct FindingKey: Hashable, Sendable {
    package var instance: InstanceID
    package var kind: DriftKind
    package var name: String

    package init(instance: InstanceID, kind: DriftKind, name: String) {
        self.instance = instance
        self.kind = kind
        self.name = name
    }
}

/// What the plane wants of one instance, as far as it can be compared with what is there.
package struct DesiredInstance: Sendable, Equatable {
    package var id: InstanceID
    package var stage: Instance.Stage
    package var generation: Int
    package var database: String?
    /// The role that owns the database.
    package var role: String?
    /// The role that the tenant logs in as: another one once its credentials were rotated.
    package var login: String?
    /// What was put aside, which is no orphan.
    package var quarantined: String?
    package var job: String?
    package var modifyIndex: Int64?
    package var route: InstanceEvent.RoutePublished?
    package var subscription: SubscriptionID?
    package var conditions: [String: InstanceEvent.Observed]
    /// What was detected and not repaired yet, and when it was last detected.
    package var drifts: [FindingKey: KnownDrift]
    /// A saga is in its lane: what it is doing is not looked at.
    package var isBusy: Bool

    package init(
        id: InstanceID,
        stage: Instance.Stage,
        generation: Int = 1,
        database: String? = nil,
        role: String? = nil,
        login: String? = nil,
        quarantined: String? = nil,
        job: String? = nil,
        modifyIndex: Int64? = nil,
        route: InstanceEvent.RoutePublished? = nil,
        subscription: SubscriptionID? = nil,
        conditions: [String: InstanceEvent.Observed] = [:],
        drifts: [FindingKey: KnownDrift] = [:],
        isBusy: Bool = false
    ) {
        self.id = id
        self.stage = stage
        self.generation = generation
        self.database = database
        self.role = role
        self.login = login
        self.quarantined = quarantined
        self.job = job
        self.modifyIndex = modifyIndex
        self.route = route
        self.subscription = subscription
        self.conditions = conditions
        self.drifts = drifts
        self.isBusy = isBusy
    }
}

/// A drift that the log knows of.
package struct KnownDrift: Sendable, Equatable {
    package var fact: InstanceEvent.Drift
    package var at: Timestamp

    package init(fact: InstanceEvent.Drift, at: Timestamp) {
        self.fact = fact
        self.at = at
    }
}
