extension InstanceEvent {
    package static let category = "instance"

    package var name: Name {
        switch self {
        case .requested: .requested
        case .retryRequested: .retryRequested
        case .credentialsReserved: .credentialsReserved
        case .databaseProvisioned: .databaseProvisioned
        case .isolationApplied: .isolationApplied
        case .workloadRegistered: .workloadRegistered
        case .becameHealthy: .becameHealthy
        case .routePublished: .routePublished
        case .routeWithdrawn: .routeWithdrawn
        case .running: .running
        case .provisioningFailed: .provisioningFailed
        case .stopRequested: .stopRequested
        case .stopped: .stopped
        case .startRequested: .startRequested
        case .started: .started
        case .changeRequested: .changeRequested
        case .changed: .changed
        case .changeRolledBack: .changeRolledBack
        case .slotDeployed: .slotDeployed
        case .slotReady: .slotReady
        case .slotServing: .slotServing
        case .slotDraining: .slotDraining
        case .slotRetired: .slotRetired
        case .trafficShifted: .trafficShifted
        case .leaseHandedOver: .leaseHandedOver
        case .credentialsRotated: .credentialsRotated
        case .observed: .observed
        case .driftDetected: .driftDetected
        case .driftRepaired: .driftRepaired
        case .terminationRequested: .terminationRequested
        case .backedUp: .backedUp
        case .databaseQuarantined: .databaseQuarantined
        case .databaseDropped: .databaseDropped
        case .terminated: .terminated
        }
    }

    package var fact: any Fact {
        switch self {
        case .requested(let fact): fact
        case .retryRequested(let fact): fact
        case .credentialsReserved(let fact): fact
        case .databaseProvisioned(let fact): fact
        case .isolationApplied(let fact): fact
        case .workloadRegistered(let fact): fact
        case .becameHealthy(let fact): fact
        case .routePublished(let fact): fact
        case .routeWithdrawn(let fact): fact
        case .running(let fact): fact
        case .provisioningFailed(let fact): fact
        case .stopRequested(let fact): fact
        case .stopped(let fact): fact
        case .startRequested(let fact): fact
        case .started(let fact): fact
        case .changeRequested(let fact): fact
        case .changed(let fact): fact
        case .changeRolledBack(let fact): fact
        case .slotDeployed(let fact): fact
        case .slotReady(let fact): fact
        case .slotServing(let fact): fact
        case .slotDraining(let fact): fact
        case .slotRetired(let fact): fact
        case .trafficShifted(let fact): fact
        case .leaseHandedOver(let fact): fact
        case .credentialsRotated(let fact): fact
        case .observed(let fact): fact
        case .driftDetected(let fact): fact
        case .driftRepaired(let fact): fact
        case .terminationRequested(let fact): fact
        case .backedUp(let fact): fact
        case .databaseQuarantined(let fact): fact
        case .databaseDropped(let fact): fact
        case .terminated(let fact): fact
        }
    }

    package static func schema(of name: Name) -> EventSchema<Self> {
        switch name {
        case .requested: .only(Self.requested)
        case .retryRequested: .only(Self.retryRequested)
        case .credentialsReserved: .only(Self.credentialsReserved)
        case .databaseProvisioned: .only(Self.databaseProvisioned)
        case .isolationApplied: .only(Self.isolationApplied)
        case .workloadRegistered: .only(Self.workloadRegistered)
        case .becameHealthy: .only(Self.becameHealthy)
        case .routePublished: .only(Self.routePublished)
        case .routeWithdrawn: .only(Self.routeWithdrawn)
        case .running: .only(Self.running)
        case .provisioningFailed: .only(Self.provisioningFailed)
        case .stopRequested: .only(Self.stopRequested)
        case .stopped: .only(Self.stopped)
        case .startRequested: .only(Self.startRequested)
        case .started: .only(Self.started)
        case .changeRequested: .only(Self.changeRequested)
        case .changed: .only(Self.changed)
        case .changeRolledBack: .only(Self.changeRolledBack)
        case .slotDeployed: .only(Self.slotDeployed)
        case .slotReady: .only(Self.slotReady)
        case .slotServing: .only(Self.slotServing)
        case .slotDraining: .only(Self.slotDraining)
        case .slotRetired: .only(Self.slotRetired)
        case .trafficShifted: .only(Self.trafficShifted)
        case .leaseHandedOver: .only(Self.leaseHandedOver)
        case .credentialsRotated: .only(Self.credentialsRotated)
        case .observed: .only(Self.observed)
        case .driftDetected: .only(Self.driftDetected)
        case .driftRepaired: .only(Self.driftRepaired)
        case .terminationRequested: .only(Self.terminationRequested)
        case .backedUp: .only(Self.backedUp)
        case .databaseQuarantined: .only(Self.databaseQuarantined)
        case .databaseDropped: .only(Self.databaseDropped)
        case .terminated: .only(Self.terminated)
        }
    }
}
