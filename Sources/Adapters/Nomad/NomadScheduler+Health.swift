package import Platform

extension NomadScheduler {
    package func health(of registered: RegisteredWorkload, wait: Duration) async throws(PortError) -> WorkloadHealth {
        let clock = ContinuousClock()
        let end = clock.now + wait
        var index: Int64 = 0
        while true {
            let remaining = end - clock.now
            let began = clock.now
            let page = try await client.deployments(
                of: registered.job,
                after: index,
                wait: min(remaining, .seconds(55))
            )
            let verdict = try await judge(page.deployments, registered)
            switch verdict {
            case .healthy, .failed: return verdict
            case .deploying, .waitingForCapacity: break
            }
            if remaining <= .zero { return verdict }
            // An index that went backwards is that of another history: ask afresh.
            index = page.index < index ? 0 : max(1, page.index)
            // A server that does not block must not be asked in a tight loop; a placement that fails changes no deployment.
            if clock.now - began < .milliseconds(50) {
                do { try await Task.sleep(for: .milliseconds(50)) } catch { return verdict }
            }
        }
    }

    private func judge(
        _ deployments: [NomadDeployment],
        _ registered: RegisteredWorkload
    ) async throws(PortError) -> WorkloadHealth {
        guard let deployment = deployments.first(where: { $0.jobVersion == registered.version }) else {
            return try await withoutDeployment(registered)
        }
        switch deployment.status {
        case "successful":
            return .healthy
        case "failed", "cancelled":
            return .failed(reason: try await failure(deployment, registered))
        default:
            if let reason = try await missingCapacity(registered.job) { return .waitingForCapacity(reason: reason) }
            return .deploying(reason: "\(deployment.healthy) of \(deployment.desired) healthy")
        }
    }

    /// The scheduler has not come to it yet, or never will.
    private func withoutDeployment(_ registered: RegisteredWorkload) async throws(PortError) -> WorkloadHealth {
        guard let job = try await client.job(registered.job) else { return .failed(reason: "the job is gone") }
        if job.stopped { return .failed(reason: "the job was stopped") }
        if job.version != registered.version {
            return .failed(reason: "version \(job.version) of the job took the place of \(registered.version)")
        }
        if let reason = try await missingCapacity(registered.job) { return .waitingForCapacity(reason: reason) }
        return .deploying(reason: "not placed yet")
    }

    /// Why the newest evaluation could not place everything; `nil` when it could.
    func missingCapacity(_ job: String) async throws(PortError) -> String? {
        let evaluations = try await client.evaluations(of: job)
        if let blocked = evaluations.first(where: { $0.status == "blocked" }) {
            return blocked.failedPlacements.first ?? evaluations.compactMap(\.failedPlacements.first).first
                ?? "no node is free"
        }
        return evaluations.max { $0.createIndex < $1.createIndex }?.failedPlacements.first
    }

    private func failure(
        _ deployment: NomadDeployment,
        _ registered: RegisteredWorkload
    ) async throws(PortError) -> String {
        let allocations = try await client.allocations(of: registered.job)
        let last = allocations.filter { $0.jobVersion == registered.version }.max { $0.modifyIndex < $1.modifyIndex }
        guard let event = last?.lastEvent, !event.isEmpty else { return deployment.statusDescription }
        return "\(deployment.statusDescription) (\(event.prefix(200)))"
    }
}
