internal import Kernel
package import Platform

/// Changing what runs: looking before, taking over, and going back.
extension NomadScheduler {
    package func preview(_ workload: Workload) async throws(PortError) -> String? {
        let plan = try await client.plan(try specification.job(for: workload), id: workload.job)
        return plan.failedPlacements.isEmpty ? nil : plan.failedPlacements.joined(separator: ", ")
    }

    /// When nothing has to change, the index has to all the same: what is on its way compares with the one there was.
    ///
    /// An unchanged registration leaves the index alone, so the job is registered with a longer time to end first, which
    /// touches nothing that runs.
    package func restore(_ workload: Workload) async throws(PortError) -> RegisteredWorkload {
        let job = try specification.job(for: workload)
        guard let current = try await client.job(workload.job),
            Standing(of: current.meta, towards: workload.owner) == .ours, !current.stopped
        else { return try await register(workload) }
        guard try await client.plan(job, id: workload.job).unchanged else { return try await register(workload) }
        try await client.register(specification.nudged(job), ifIndexIs: current.modifyIndex)
        return try await register(workload)
    }

    package func promote(_ registered: RegisteredWorkload) async throws(PortError) -> Bool {
        let page = try await client.deployments(of: registered.job)
        guard let deployment = page.deployments.first(where: { $0.jobVersion == registered.version }) else {
            return false
        }
        if ["failed", "cancelled"].contains(deployment.status) {
            throw .permanent(code: "nomad.deployment-failed", message: deployment.statusDescription)
        }
        guard deployment.needsPromotion else { return true }
        do throws(PortError) {
            try await client.promote(deployment: deployment.id)
            return true
        } catch .pending(code: "nomad.not-yet", message: _, retryAfter: _) {
            return false
        }
    }
}
