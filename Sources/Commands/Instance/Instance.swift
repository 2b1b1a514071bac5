package import Domain

/// The write model of one instance.
package struct Instance: Decider {
    package static let stateVersion: Int16 = 2

    /// Where an instance is in its life; the raw value is what people are shown.
    package enum Stage: String, Codable, Sendable, CaseIterable {
        case absent
        case provisioning
        case provisioningFailed = "provisioning-failed"
        case running
        case changing
        case stopping
        case stopped
        case starting
        case terminating
        case terminated
    }

    package enum Command: Sendable, Equatable {
        case request(InstanceEvent.Requested)
        /// Tries a failed provisioning once more, as the next generation.
        case retry
        case reserveCredentials(InstanceEvent.CredentialsReserved)
        case recordDatabase(InstanceEvent.DatabaseProvisioned)
        case recordIsolation(InstanceEvent.IsolationApplied)
        case recordWorkload(InstanceEvent.WorkloadRegistered)
        case recordHealthy(InstanceEvent.BecameHealthy)
        case publishRoute(InstanceEvent.RoutePublished)
        case withdrawRoute(InstanceEvent.RouteWithdrawn)
        case markRunning(InstanceEvent.Running)
        /// Everything that was made has been taken back.
        case failProvisioning(InstanceEvent.ProvisioningFailed)
        case observe(InstanceEvent.Observed)
        /// Asks for one of ``InstanceChange``, from what is to what is wanted.
        case requestChange(InstanceEvent.ChangeRequested)
        case recordChanged(InstanceEvent.Changed)
        /// What a change had done so far has been taken back.
        case rollBackChange(InstanceEvent.ChangeRolledBack)
        /// The next login of the database is in use, and the one before cannot be used any more.
        case recordRotation(InstanceEvent.CredentialsReserved)
        case recordDatabaseQuarantined(InstanceEvent.DatabaseQuarantined)
        case recordDatabaseDropped(InstanceEvent.DatabaseDropped)
    }

    package enum Refusal: Error, Equatable, Sendable, CaseIterable {
        case alreadyRequested
        case notRequested
        /// Not `^[a-z][a-z0-9]{0,15}$`.
        case nameMalformed
        /// The first generation is 1.
        case generationMalformed
        /// Only a failed provisioning can be tried again.
        case notFailed
        /// The fact belongs to a stage that the instance is not in.
        case notProvisioning
        /// The fact is about a generation that has been succeeded by another.
        case staleGeneration
        /// The key and rotation of a generation's credentials never change while it is provisioned.
        case otherCredentials
        /// Only an instance that runs can be changed, and only one change at a time is made.
        case notRunning
        /// The instance is changed already.
        case changing
        /// Nobody asked for this change, or it is over.
        case notChanging
        case terminated
    }

    package private(set) var stage = Stage.absent
    /// As it was asked for, with the plan and release it has now.
    package private(set) var requested: InstanceEvent.Requested?
    /// The one that is tried or runs now; 0 before the request.
    package private(set) var generation = 0
    package private(set) var credentials: InstanceEvent.CredentialsReserved?
    package private(set) var database: InstanceEvent.DatabaseProvisioned?
    package private(set) var isolation: InstanceEvent.IsolationApplied?
    package private(set) var workload: InstanceEvent.WorkloadRegistered?
    package private(set) var healthy: InstanceEvent.BecameHealthy?
    package private(set) var route: InstanceEvent.RoutePublished?
    package private(set) var running: InstanceEvent.Running?
    package private(set) var failure: InstanceEvent.ProvisioningFailed?
    package private(set) var quarantine: InstanceEvent.DatabaseQuarantined?
    /// The change that is being made.
    package private(set) var change: InstanceEvent.ChangeRequested?
    /// The last change that was made.
    package private(set) var changed: InstanceEvent.Changed?
    /// The last of each kind, by condition.
    package private(set) var conditions: [String: InstanceEvent.Observed] = [:]

    package init() {}

    package mutating func evolve(_ event: InstanceEvent) {
        switch event {
        case .requested(let fact): (stage, requested, generation) = (.provisioning, fact, fact.generation)
        case .retryRequested(let fact): (stage, generation, failure) = (.provisioning, fact.generation, nil)
        case .credentialsReserved(let fact), .credentialsRotated(let fact): credentials = fact
        case .databaseProvisioned(let fact): database = fact
        case .isolationApplied(let fact): isolation = fact
        case .workloadRegistered(let fact): workload = fact
        case .becameHealthy(let fact): healthy = fact
        case .routePublished(let fact): route = fact
        case .routeWithdrawn: route = nil
        case .running(let fact): (stage, running) = (.running, fact)
        case .provisioningFailed(let fact):
            (stage, failure) = (.provisioningFailed, fact)
            forget()
        case .stopRequested: stage = .stopping
        case .stopped: stage = .stopped
        case .startRequested: stage = .starting
        case .started: stage = .running
        case .changeRequested(let fact): (stage, change) = (.changing, fact)
        case .changed(let fact):
            (stage, change, changed) = (.running, nil, fact)
            if let plan = fact.plan { requested?.plan = plan }
            if let release = fact.release { requested?.release = release }
        case .changeRolledBack: (stage, change) = (.running, nil)
        case .observed(let fact): conditions[fact.condition] = fact
        case .driftDetected, .driftRepaired: break
        case .terminationRequested: stage = .terminating
        case .databaseQuarantined(let fact): (database, quarantine) = (nil, fact)
        case .databaseDropped: (database, quarantine) = (nil, nil)
        case .terminated: stage = .terminated
        }
    }

    /// Forgets what a failed provisioning had made, because it is all taken back.
    private mutating func forget() {
        (credentials, database, isolation, workload, healthy, route) = (nil, nil, nil, nil, nil, nil)
    }
}
