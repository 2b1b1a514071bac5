internal import Kernel
package import Platform

extension NomadScheduler {
    package func starts(of workload: Workload) async throws(PortError) -> [String: String] {
        try await requireOurs(workload)
        let running = try await client.allocations(of: workload.job).filter { $0.wanted && !$0.started.isEmpty }
        return Dictionary(running.map { ($0.id, Self.start(of: $0)) }) { first, _ in first }
    }

    package func restart(_ workload: Workload, startedAt starts: [String: String]) async throws(PortError) {
        try await requireOurs(workload)
        for allocation in try await client.allocations(of: workload.job)
        where allocation.wanted && starts[allocation.id] == Self.start(of: allocation) {
            try await client.restart(allocation: allocation.id)
        }
    }

    package func condition(of workload: Workload) async throws(PortError) -> WorkloadHealth {
        guard let job = try await client.job(workload.job), !job.stopped else {
            return .failed(reason: "it is stopped")
        }
        guard Standing(of: job.meta, towards: workload.owner) == .ours else {
            return .failed(reason: "the job is not ours")
        }
        let wanted = try await client.allocations(of: workload.job).filter(\.wanted)
        guard !wanted.isEmpty else { return .deploying(reason: "not placed yet") }
        for allocation in wanted {
            guard allocation.running else { return .deploying(reason: "it is \(allocation.clientStatus)") }
            // Other providers' checks are not Nomad's to know.
            guard specification.provider == .nomad else { continue }
            let checks = try await client.checks(of: allocation.id)
            // What was said before the last start, or in the very second of it, was said of another process.
            let start = allocation.started.values.compactMap { Timestamp($0) }.max()
            let seconds = (start?.microseconds ?? 0) / 1_000_000
            let passing = checks.filter { $0.status == "success" && $0.timestamp > seconds }
            guard !checks.isEmpty, passing.count == checks.count else {
                return .deploying(reason: "\(passing.count) of \(max(1, checks.count)) checks pass")
            }
        }
        return .healthy
    }

    /// Only what we registered is looked at and restarted.
    private func requireOurs(_ workload: Workload) async throws(PortError) {
        guard let job = try await client.job(workload.job), !job.stopped,
            Standing(of: job.meta, towards: workload.owner) == .ours
        else { throw .conflict(code: "nomad.not-running", message: "the job \(workload.job) is not ours, or stopped") }
    }

    private static func start(of allocation: NomadAllocation) -> String {
        allocation.started.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
}
