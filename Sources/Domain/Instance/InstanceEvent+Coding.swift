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
        case .credentialsRotated: .credentialsRotated
        case .observed: .observed
        case .driftDetected: .driftDetected
        case .driftRepaired: .driftRepaired
        case .terminationRequested: .terminationRequested
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
        case .credentialsRotated(let fact): fact
        case .observed(let fact): fact
        case .driftDetected(let fact): fact
        case .driftRepaired(let fact): fact
        case .terminationRequested(let fact): fact
        case .databaseQuarantined(let fact): fact
        case .databaseDropped(let fact): fact
        case .terminated(let fact): fact
        }
    }

    package static func decode(_ name: Name, from payload: [UInt8]) throws -> Self {
        switch name {
        case .requested: try read(payload, as: Self.requested)
        case .retryRequested: try read(payload, as: Self.retryRequested)
        case .credentialsReserved: try read(payload, as: Self.credentialsReserved)
        case .databaseProvisioned: try read(payload, as: Self.databaseProvisioned)
        case .isolationApplied: try read(payload, as: Self.isolationApplied)
        case .workloadRegistered: try read(payload, as: Self.workloadRegistered)
        case .becameHealthy: try read(payload, as: Self.becameHealthy)
        case .routePublished: try read(payload, as: Self.routePublished)
        case .routeWithdrawn: try read(payload, as: Self.routeWithdrawn)
        case .running: try read(payload, as: Self.running)
        case .provisioningFailed: try read(payload, as: Self.provisioningFailed)
        case .stopRequested: try read(payload, as: Self.stopRequested)
        case .stopped: try read(payload, as: Self.stopped)
        case .startRequested: try read(payload, as: Self.startRequested)
        case .started: try read(payload, as: Self.started)
        case .changeRequested: try read(payload, as: Self.changeRequested)
        case .changed: try read(payload, as: Self.changed)
        case .changeRolledBack: try read(payload, as: Self.changeRolledBack)
        case .credentialsRotated: try read(payload, as: Self.credentialsRotated)
        case .observed: try read(payload, as: Self.observed)
        case .driftDetected: try read(payload, as: Self.driftDetected)
        case .driftRepaired: try read(payload, as: Self.driftRepaired)
        case .terminationRequested: try read(payload, as: Self.terminationRequested)
        case .databaseQuarantined: try read(payload, as: Self.databaseQuarantined)
        case .databaseDropped: try read(payload, as: Self.databaseDropped)
        case .terminated: try read(payload, as: Self.terminated)
        }
    }
}
