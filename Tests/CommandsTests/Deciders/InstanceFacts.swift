import Commands
import Domain
import Kernel
import SignalboxTestKit

/// Facts about one instance, as a saga records them.
enum InstanceFacts {
    static let ids = IDSource.system

    static let requested = InstanceEvent.Requested(
        organization: ids.identifier(),
        subscription: ids.identifier(),
        name: "main",
        slug: "acme",
        organizationName: "Acme",
        kind: .managedApp,
        plan: Samples.plan(),
        release: ReleaseSnapshot(application: "railzway", version: "v1", image: "railzway:v1"),
        computeEngine: .hetzner,
        generation: 1
    )
    static let credentials = InstanceEvent.CredentialsReserved(keyVersion: 1, rotation: 1, generation: 1)
    static let database = InstanceEvent.DatabaseProvisioned(
        database: "d",
        role: "r",
        host: "h",
        port: 5432,
        generation: 1
    )
    static let isolation = InstanceEvent.IsolationApplied(database: "d", connectionLimit: 60)
    static let workload = InstanceEvent.WorkloadRegistered(
        job: "j",
        jobVersion: 0,
        modifyIndex: 7,
        specHash: "f",
        generation: 1
    )
    static let healthy = InstanceEvent.BecameHealthy(job: "j", jobVersion: 0)
    static let route = InstanceEvent.RoutePublished(router: "org-1", host: "acme.test", service: "j", generation: 1)
    static let withdrawn = InstanceEvent.RouteWithdrawn(router: "org-1", generation: 1)
    static let running = InstanceEvent.Running(generation: 1, launchURL: "http://acme.test")
    static let failed = InstanceEvent.ProvisioningFailed(step: "s", failure: "permanent", reason: "full", generation: 1)
    static let observed = InstanceEvent.Observed(condition: "Ready", status: .yes, reason: "Checked", generation: 1)
    static let change = InstanceEvent.ChangeRequested(change: "plan", from: "PRO", to: "TEAM")
    static let changed = InstanceEvent.Changed(change: "plan", from: "PRO", to: "TEAM", plan: Samples.plan())
    static let rolledBack = InstanceEvent.ChangeRolledBack(change: "plan", reason: "full")
    static let rotated = InstanceEvent.CredentialsReserved(keyVersion: 1, rotation: 2, generation: 1)
    static let quarantined = InstanceEvent.DatabaseQuarantined(
        database: "d",
        renamed: "zz_d_1",
        until: Timestamp(microseconds: 0)
    )
    static let backup = InstanceEvent.BackedUp(database: "d", path: "/backups/d.dump", size: 7, sha256: "ab")
    static let dropped = InstanceEvent.DatabaseDropped(database: "d", role: "r")

    static let whole: [InstanceEvent] = [
        .requested(requested), .credentialsReserved(credentials), .databaseProvisioned(database),
        .isolationApplied(isolation), .workloadRegistered(workload), .becameHealthy(healthy), .routePublished(route),
    ]

    /// How each stage is reached, everything made on the way.
    static func history(of stage: Instance.Stage) -> [InstanceEvent] {
        let because = Because(reason: "asked")
        let running = whole + [.running(Self.running)]
        switch stage {
        case .absent: return []
        case .provisioning: return whole
        case .provisioningFailed:
            return whole + [.routeWithdrawn(withdrawn), .databaseDropped(dropped), .provisioningFailed(failed)]
        case .running: return running
        case .changing: return running + [.changeRequested(change)]
        case .stopping: return running + [.stopRequested(because)]
        case .stopped: return running + [.stopRequested(because), .stopped(.init())]
        case .starting:
            return running + [.stopRequested(because), .stopped(.init()), .startRequested(because)]
        case .terminating: return running + [.terminationRequested(because)]
        case .terminated: return running + [.terminationRequested(because), .terminated(.init())]
        }
    }
}
