package import Domain

/// The write model of one instance.
package struct Instance: Decider {
    package static let stateVersion: Int16 = 4

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
        /// The same by a saga that has looked a moment ago, and looks again when it is refused.
        case offerChange(InstanceEvent.ChangeRequested)
        case recordChanged(InstanceEvent.Changed)
        /// What a change had done so far has been taken back.
        case rollBackChange(InstanceEvent.ChangeRolledBack)
        /// The next login of the database is in use, and the one before cannot be used any more.
        case recordRotation(InstanceEvent.CredentialsReserved)
        /// A release was put into a slot, where nobody comes yet.
        case deploySlot(InstanceEvent.SlotDeployed)
        case moveSlot(SlotStage, InstanceEvent.SlotMoved)
        case shiftTraffic(InstanceEvent.TrafficShifted)
        case recordLease(InstanceEvent.LeaseHandedOver)
        case requestStop(reason: String)
        case markStopped
        case requestStart(reason: String)
        case markStarted
        case requestTermination(reason: String)
        case markTerminated
        /// What was done so far towards it has been taken back.
        case rollBack(InstanceTransition, reason: String)
        case recordBackup(InstanceEvent.BackedUp)
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
        /// Only an instance that runs can be changed or stopped, and only one change at a time is made.
        case notRunning
        /// The instance is changed already.
        case changing
        /// Nobody asked for this change, or it is over.
        case notChanging
        /// Only a stopped instance can be started.
        case notStopped
        /// Nobody asked for this, or it is over.
        case notAsked
        /// A slot cannot come from where it is to where it is said to be.
        case slotMisplaced
        /// The epoch of a scheduler lease only grows.
        case staleEpoch
        /// The instance runs the wanted version already.
        case sameRelease
        case terminating
        case terminated
    }

    package private(set) var stage = Stage.absent
    /// The last stage in which nothing was under way; where it is again when what is asked for cannot be done.
    package private(set) var resting: Stage?
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
    package private(set) var backup: InstanceEvent.BackedUp?
    package private(set) var quarantine: InstanceEvent.DatabaseQuarantined?
    /// What earlier generations left and is put aside, by the name that it had.
    package private(set) var orphans: [String: InstanceEvent.DatabaseQuarantined] = [:]
    /// The change that is being made.
    package private(set) var change: InstanceEvent.ChangeRequested?
    /// The last change that was made.
    package private(set) var changed: InstanceEvent.Changed?
    /// Where each slot stands; the one that serves need not be listed.
    package internal(set) var slots: [String: Slot] = [:]
    /// The slot that the instance serves from.
    package internal(set) var serving = SlotName.first
    /// How the traffic is divided, while it is.
    package internal(set) var weights: InstanceEvent.TrafficShifted?
    /// Whose scheduler works; the first slot's when it was never handed over.
    package internal(set) var lease: InstanceEvent.LeaseHandedOver?
    /// The last of each kind, by condition.
    package private(set) var conditions: [String: InstanceEvent.Observed] = [:]

    package init() {}

    package mutating func evolve(_ event: InstanceEvent) {
        switch event {
        case .requested(let fact): (stage, requested, generation) = (.provisioning, fact, fact.generation)
        case .retryRequested(let fact):
            (stage, generation, failure) = (.provisioning, fact.generation, nil)
            (slots, serving, weights, lease) = ([:], SlotName.first, nil, nil)
        case .credentialsReserved(let fact), .credentialsRotated(let fact): credentials = fact
        case .databaseProvisioned(let fact): database = fact
        case .isolationApplied(let fact): isolation = fact
        case .workloadRegistered(let fact): workload = fact
        case .becameHealthy(let fact): healthy = fact
        case .routePublished(let fact): (route, weights) = (fact, nil)
        case .routeWithdrawn: (route, weights) = (nil, nil)
        case .running(let fact):
            running = fact
            settle(in: .running)
        case .provisioningFailed(let fact):
            failure = fact
            settle(in: .provisioningFailed)
            forget()
        case .stopRequested: stage = .stopping
        case .stopped: settle(in: .stopped)
        case .startRequested: stage = .starting
        case .started: settle(in: .running)
        case .changeRequested(let fact): (stage, change) = (.changing, fact)
        case .changed(let fact):
            (change, changed) = (nil, fact)
            settle(in: .running)
            if let plan = fact.plan { requested?.plan = plan }
            if let release = fact.release { requested?.release = release }
        case .changeRolledBack(let fact):
            change = nil
            if fact.change == InstanceTransition.termination.rawValue { stage = .stopping }
            settle(in: fact.back.flatMap { Stage(rawValue: $0) } ?? .running)
        case .slotDeployed(let fact): slots[fact.slot] = Slot(stage: .deployed, release: fact.release, job: fact.job)
        case .slotReady(let fact): move(fact, to: .ready)
        case .slotServing(let fact): move(fact, to: .serving)
        case .slotDraining(let fact): move(fact, to: .draining)
        case .slotRetired(let fact): move(fact, to: .retired)
        case .trafficShifted(let fact): weights = isUndivided(fact) ? nil : fact
        case .leaseHandedOver(let fact): lease = fact
        case .observed(let fact): conditions[fact.condition] = fact
        case .driftDetected, .driftRepaired: break
        case .terminationRequested: stage = .terminating
        case .backedUp(let fact): backup = fact
        case .databaseQuarantined(let fact) where fact.orphan != nil: orphans[fact.database] = fact
        case .databaseQuarantined(let fact): (database, quarantine) = (nil, fact)
        case .databaseDropped(let fact):
            // A quarantined database is dropped days later, when there may be another one.
            if database?.database == fact.database { database = nil }
            if quarantine?.database == fact.database { quarantine = nil }
            orphans[fact.database] = nil
        case .terminated: stage = .terminated
        }
    }

    /// Nothing is under way any more, except a termination, which nothing else ends.
    private mutating func settle(in stage: Stage) {
        resting = stage
        if self.stage != .terminating { self.stage = stage }
    }

    /// Forgets what a failed provisioning had made, because it is all taken back.
    private mutating func forget() {
        (credentials, database, isolation, workload, healthy, route) = (nil, nil, nil, nil, nil, nil)
    }
}
