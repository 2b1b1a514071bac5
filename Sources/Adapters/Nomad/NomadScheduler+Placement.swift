internal import Kernel
package import Platform

/// Where things run, and what came of those that end by themselves.
extension NomadScheduler {
    /// A job that ends is judged by its allocations: it has no deployment.
    package func end(of registered: RegisteredWorkload) async throws(PortError) -> WorkloadEnd {
        guard let job = try await client.job(registered.job) else { return .failed(reason: "the job is gone") }
        if job.stopped { return .failed(reason: "the job was stopped") }
        guard job.version == registered.version else {
            return .failed(reason: "version \(job.version) of the job took the place of \(registered.version)")
        }
        let own = try await client.allocations(of: registered.job).filter { $0.jobVersion == registered.version }
        if own.contains(where: { $0.clientStatus == "complete" && !$0.hasFailed }) { return .succeeded }
        guard let last = own.max(by: { $0.modifyIndex < $1.modifyIndex }) else {
            return .running(reason: try await missingCapacity(registered.job) ?? "not placed yet")
        }
        switch last.clientStatus {
        case "failed", "complete": return .failed(reason: String(last.lastEvent.prefix(200)))
        // The node may come back, or the scheduler places it anew.
        default: return .running(reason: "it is \(last.clientStatus)")
        }
    }

    package func address(of registered: RegisteredWorkload) async throws(PortError) -> String? {
        let own = try await client.allocations(of: registered.job).filter {
            $0.wanted && $0.running && $0.jobVersion == registered.version
        }
        guard let newest = own.max(by: { $0.modifyIndex < $1.modifyIndex }) else { return nil }
        return try await client.address(ofAllocation: newest.id, port: JobSpecification.port.label).map {
            "http://" + $0
        }
    }
}
