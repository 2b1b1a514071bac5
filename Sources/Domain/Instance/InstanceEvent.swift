package import Kernel

/// Everything that can have happened to one instance.
package enum InstanceEvent: EventFamily {
    case requested(Requested)
    case retryRequested(RetryRequested)
    case credentialsReserved(CredentialsReserved)
    case databaseProvisioned(DatabaseProvisioned)
    case isolationApplied(IsolationApplied)
    case workloadRegistered(WorkloadRegistered)
    case becameHealthy(BecameHealthy)
    case routePublished(RoutePublished)
    case routeWithdrawn(RouteWithdrawn)
    case running(Running)
    case provisioningFailed(ProvisioningFailed)
    case stopRequested(Because)
    case stopped(Nothing)
    case startRequested(Because)
    case started(Nothing)
    case changeRequested(ChangeRequested)
    case changed(Changed)
    case changeRolledBack(ChangeRolledBack)
    case slotDeployed(SlotDeployed)
    case slotReady(SlotMoved)
    case slotServing(SlotMoved)
    case slotDraining(SlotMoved)
    case slotRetired(SlotMoved)
    case trafficShifted(TrafficShifted)
    case leaseHandedOver(LeaseHandedOver)
    case credentialsRotated(CredentialsReserved)
    case observed(Observed)
    case driftDetected(Drift)
    case driftRepaired(Drift)
    case terminationRequested(Because)
    case backedUp(BackedUp)
    case databaseQuarantined(DatabaseQuarantined)
    case databaseDropped(DatabaseDropped)
    case terminated(Nothing)

    /// What the log calls each case.
    ///
    /// Add to this list; never rename or reuse an entry.
    package enum Name: String, CaseIterable, Sendable {
        case requested = "instance.requested"
        case retryRequested = "instance.retry-requested"
        case credentialsReserved = "instance.credentials-reserved"
        case databaseProvisioned = "instance.database-provisioned"
        case isolationApplied = "instance.isolation-applied"
        case workloadRegistered = "instance.workload-registered"
        case becameHealthy = "instance.became-healthy"
        case routePublished = "instance.route-published"
        case routeWithdrawn = "instance.route-withdrawn"
        case running = "instance.running"
        case provisioningFailed = "instance.provisioning-failed"
        case stopRequested = "instance.stop-requested"
        case stopped = "instance.stopped"
        case startRequested = "instance.start-requested"
        case started = "instance.started"
        case changeRequested = "instance.change-requested"
        case changed = "instance.changed"
        case changeRolledBack = "instance.change-rolled-back"
        case slotDeployed = "instance.slot-deployed"
        case slotReady = "instance.slot-ready"
        case slotServing = "instance.slot-serving"
        case slotDraining = "instance.slot-draining"
        case slotRetired = "instance.slot-retired"
        case trafficShifted = "instance.traffic-shifted"
        case leaseHandedOver = "instance.lease-handed-over"
        case credentialsRotated = "instance.credentials-rotated"
        case observed = "instance.observed"
        case driftDetected = "instance.drift-detected"
        case driftRepaired = "instance.drift-repaired"
        case terminationRequested = "instance.termination-requested"
        case backedUp = "instance.backed-up"
        case databaseQuarantined = "instance.database-quarantined"
        case databaseDropped = "instance.database-dropped"
        case terminated = "instance.terminated"
    }
}

/// What an instance is; more kinds come.
package enum InstanceKind: String, Codable, Sendable, CaseIterable {
    case managedApp = "managed-app"
    case service
    case edgeSite = "edge-site"
}

/// A released version of the application, as it was when it was asked for.
package struct ReleaseSnapshot: Fact {
    package var application: String
    package var version: String
    /// Image reference without digest.
    package var image: String
    /// `sha256:…`, when known; then the image is run by it.
    package var digest: String?
    package init(application: String, version: String, image: String, digest: String? = nil) {
        self.application = application
        self.version = version
        self.image = image
        self.digest = digest
    }
}

/// Something a person would want to know about an instance: true, false, or not known yet.
package enum ConditionStatus: String, Codable, Sendable, CaseIterable {
    case yes = "true"
    case no = "false"
    case unknown
}

extension InstanceEvent {
    package struct Requested: Fact {
        package var organization: OrganizationID
        package var subscription: SubscriptionID
        package var name: String
        /// The organization's, of which the host name is made.
        package var slug: String
        package var organizationName: String
        package var kind: InstanceKind
        package var plan: PlanSnapshot
        package var release: ReleaseSnapshot
        package var computeEngine: ComputeEngine
        package var generation: Int
        package init(
            organization: OrganizationID,
            subscription: SubscriptionID,
            name: String,
            slug: String,
            organizationName: String,
            kind: InstanceKind,
            plan: PlanSnapshot,
            release: ReleaseSnapshot,
            computeEngine: ComputeEngine,
            generation: Int
        ) {
            self.organization = organization
            self.subscription = subscription
            self.name = name
            self.slug = slug
            self.organizationName = organizationName
            self.kind = kind
            self.plan = plan
            self.release = release
            self.computeEngine = computeEngine
            self.generation = generation
        }
    }

    package struct RetryRequested: Fact {
        /// The one that is tried now; every outside name and key carries it.
        package var generation: Int
        package init(generation: Int) { self.generation = generation }
    }

    package struct CredentialsReserved: Fact {
        /// Which master key the secrets are derived from.
        package var keyVersion: Int
        package var rotation: Int
        package var generation: Int
        package init(keyVersion: Int, rotation: Int, generation: Int) {
            self.keyVersion = keyVersion
            self.rotation = rotation
            self.generation = generation
        }
    }

    package struct DatabaseProvisioned: Fact {
        package var database: String
        package var role: String
        package var host: String
        package var port: Int
        package var generation: Int
        package init(database: String, role: String, host: String, port: Int, generation: Int) {
            self.database = database
            self.role = role
            self.host = host
            self.port = port
            self.generation = generation
        }
    }

    package struct IsolationApplied: Fact {
        package var database: String
        package var connectionLimit: Int
        package init(database: String, connectionLimit: Int) {
            self.database = database
            self.connectionLimit = connectionLimit
        }
    }

    package struct WorkloadRegistered: Fact {
        package var job: String
        package var jobVersion: Int
        /// Nomad's JobModifyIndex, read again after the write.
        package var modifyIndex: Int64
        /// Hex SHA-256 of the job specification as it was sent.
        package var specHash: String
        package var generation: Int
        /// The id that the workload has at the identity service, if it has one.
        package var oauthClient: String?
        package init(
            job: String,
            jobVersion: Int,
            modifyIndex: Int64,
            specHash: String,
            generation: Int,
            oauthClient: String? = nil
        ) {
            self.job = job
            self.jobVersion = jobVersion
            self.modifyIndex = modifyIndex
            self.specHash = specHash
            self.generation = generation
            self.oauthClient = oauthClient
        }
    }

    package struct BecameHealthy: Fact {
        package var job: String
        package var jobVersion: Int
        package init(job: String, jobVersion: Int) {
            self.job = job
            self.jobVersion = jobVersion
        }
    }

    package struct RoutePublished: Fact {
        /// `org-{id}`.
        package var router: String
        package var host: String
        /// The name in the service catalogue that traffic goes to.
        package var service: String
        package var generation: Int
        package init(router: String, host: String, service: String, generation: Int) {
            self.router = router
            self.host = host
            self.service = service
            self.generation = generation
        }
    }

    package struct RouteWithdrawn: Fact {
        package var router: String
        package var generation: Int
        package init(router: String, generation: Int) {
            self.router = router
            self.generation = generation
        }
    }

    package struct Running: Fact {
        package var generation: Int
        package var launchURL: String
        package init(generation: Int, launchURL: String) {
            self.generation = generation
            self.launchURL = launchURL
        }
    }

    package struct ProvisioningFailed: Fact {
        package var step: String
        /// The class of the failure: `permanent`, `timed-out`, `cancelled`.
        package var failure: String
        /// Safe to show to the tenant.
        package var reason: String
        package var generation: Int
        package init(step: String, failure: String, reason: String, generation: Int) {
            self.step = step
            self.failure = failure
            self.reason = reason
            self.generation = generation
        }
    }

    package struct ChangeRequested: Fact {
        /// One of ``InstanceChange``.
        package var change: String
        package var from: String
        package var to: String
        /// What is wanted, when the plan is to change.
        package var plan: PlanSnapshot?
        /// What it costs.
        package var price: PriceSnapshot?
        /// What is wanted, when the version is to change.
        package var release: ReleaseSnapshot?
        /// How the version is to change; without interruption when it is not said.
        package var strategy: ReleaseStrategy?
        package init(
            change: String,
            from: String,
            to: String,
            plan: PlanSnapshot? = nil,
            price: PriceSnapshot? = nil,
            release: ReleaseSnapshot? = nil,
            strategy: ReleaseStrategy? = nil
        ) {
            self.change = change
            self.from = from
            self.to = to
            self.plan = plan
            self.price = price
            self.release = release
            self.strategy = strategy
        }
    }

    package struct Changed: Fact {
        package var change: String
        package var from: String
        package var to: String
        package var plan: PlanSnapshot?
        package var release: ReleaseSnapshot?
        package init(
            change: String,
            from: String,
            to: String,
            plan: PlanSnapshot? = nil,
            release: ReleaseSnapshot? = nil
        ) {
            self.change = change
            self.from = from
            self.to = to
            self.plan = plan
            self.release = release
        }
    }

    package struct ChangeRolledBack: Fact {
        /// What was asked for: a change of the instance, or one of ``InstanceTransition``.
        package var change: String
        package var reason: String
        /// The stage that the instance is in again; `running` when it is not said.
        package var back: String?
        package init(change: String, reason: String, back: String? = nil) {
            self.change = change
            self.reason = reason
            self.back = back
        }
    }
}
