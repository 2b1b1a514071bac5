internal import Kernel

extension AgentStore {
    /// Does everything that is due, and says when to look again.
    ///
    /// - Returns: How long nothing will be due unless something changes.
    func schedule() throws -> Duration {
        while let evaluation = due() {
            var scheduler = scheduler(state)
            try commit("PlanResult", scheduler.process(evaluation))
        }
        try failLateDeployments()
        let moments =
            state.evaluations.values.filter { $0.status == "pending" }.map(\.waitUntil)
            + state.deployments.values.filter { $0.status == "running" }.flatMap {
                $0.groups.values.map(\.requireProgressBy)
            }
        let next = moments.filter { $0 > 0 }.min() ?? Int64.max
        return .nanoseconds(min(max(next - now, 1_000_000), 60_000_000_000))
    }

    func scheduler(_ state: AgentState) -> Scheduler {
        Scheduler(
            state: state,
            node: node,
            ports: configuration.ports,
            now: now,
            isPortFree: Port.isFree,
            unique: unique
        )
    }

    var node: Node {
        Node(
            id: state.node,
            datacenter: configuration.datacenter,
            meta: configuration.nodeMeta,
            cpu: configuration.cpu,
            memory: configuration.memory
        )
    }

    private func due() -> EvaluationRecord? {
        state.evaluations.values.filter { $0.status == "pending" && $0.waitUntil <= now }
            .min { ($0.createIndex, $0.id) < ($1.createIndex, $1.id) }
    }

    /// Has the scheduler look at a job again.
    func reconsider(_ job: String, trigger: String) -> [Change] {
        guard let record = state.jobs[job] else { return [] }
        return [.evaluation(evaluation(of: job, state.spec(of: record), trigger: trigger, record.jobModifyIndex))]
    }

    /// Room has become free: those who wait for it are looked at again.
    func unblocked() -> [Change] {
        state.evaluations.values.filter { $0.status == "blocked" }.sorted { $0.createIndex < $1.createIndex }
            .map { evaluation in
                var evaluation = evaluation
                evaluation.status = "pending"
                return .evaluation(evaluation)
            }
    }

    // MARK: - Deployments

    private func failLateDeployments() throws {
        for deployment in state.deployments.values where deployment.status == "running" {
            let isLate = deployment.groups.values.contains { group in
                let isDone = group.healthy >= group.desired && (group.desiredCanaries == 0 || group.isPromoted)
                return !isDone && group.requireProgressBy > 0 && group.requireProgressBy <= now
            }
            if isLate { _ = try fail(deployment, because: "Failed due to progress deadline") }
        }
    }

    /// Ends a deployment, and goes back to the last version that was stable where that is wanted.
    ///
    /// - Returns: The version gone back to, if any, and the evaluation.
    func fail(_ deployment: DeploymentRecord, because reason: String) throws -> (reverted: Int?, evaluation: String) {
        var deployment = deployment
        deployment.status = "failed"
        deployment.statusDescription = reason
        deployment.modifyTime = now
        var changes: [Change] = []
        var reverted: Int?
        if let job = state.jobs[deployment.job], deployment.groups.values.contains(where: \.revertsItself) {
            let stable = job.versions.first { $0.isStable && $0.number < deployment.jobVersion }
            if let stable, state.spec(stable.spec) != state.spec(of: job) {
                reverted = stable.number
                deployment.statusDescription += " - rolling back to job version \(stable.number)"
                let version = JobVersion(number: job.current.number + 1, spec: unique(), submitTime: now)
                var renewed = job
                renewed.versions = Array(([version] + job.versions).prefix(6))
                changes += [.spec(version.spec, state.spec(stable.spec).json), .job(renewed)]
            } else if let stable {
                deployment.statusDescription +=
                    " - not rolling back to stable job version \(stable.number) as current job has same specification"
            } else {
                deployment.statusDescription += " - no stable job version to auto revert to"
            }
        }
        let evaluations = reconsider(deployment.job, trigger: "deployment-watcher")
        try commit("DeploymentStatusUpdate", [.deployment(deployment)] + changes + evaluations)
        guard case .evaluation(let evaluation) = evaluations.first else { return (reverted, "") }
        return (reverted, evaluation.id)
    }

    /// Lets the canaries of a deployment take over.
    ///
    /// - Parameters:
    ///   - deployment: An active one.
    ///   - groups: `nil` for all.
    /// - Returns: The evaluation that follows.
    /// - Throws: ``Refusal`` when they are not healthy yet.
    func promote(_ deployment: DeploymentRecord, groups: Set<String>?) throws -> String {
        guard deployment.isActive else { throw Refusal("can't promote terminal deployment") }
        var deployment = deployment
        for (name, group) in deployment.groups where group.desiredCanaries > 0 && !group.isPromoted {
            guard groups?.contains(name) ?? true else { continue }
            let healthy = group.canaries.filter { state.allocations[$0]?.isHealthy == true }.count
            guard healthy >= group.desiredCanaries else {
                throw Refusal(
                    "1 error occurred:\n\t* Task group \"\(name)\" has \(healthy)/\(group.desiredCanaries) healthy allocations\n\n"
                )
            }
            deployment.groups[name]?.isPromoted = true
            deployment.groups[name]?.requireProgressBy = now + group.progressDeadline
        }
        deployment.statusDescription = "Deployment is running"
        deployment.modifyTime = now
        let evaluations = reconsider(deployment.job, trigger: "deployment-watcher")
        let canaries = deployment.groups.values.flatMap(\.canaries).compactMap { state.allocations[$0] }
        let promoted = canaries.filter(\.isWanted).map { canary -> Change in
            var canary = canary
            canary.isCanary = false
            return .allocation(canary)
        }
        try commit("DeploymentPromotion", [.deployment(finished(deployment))] + promoted + evaluations)
        guard case .evaluation(let evaluation) = evaluations.first else { return "" }
        return evaluation.id
    }

    /// The deployment, successful if nothing is missing from it any more.
    func finished(_ deployment: DeploymentRecord) -> DeploymentRecord {
        var deployment = deployment
        let isDone = deployment.groups.values.allSatisfy { group in
            group.healthy >= group.desired && (group.desiredCanaries == 0 || group.isPromoted)
        }
        guard deployment.status == "running", isDone else { return deployment }
        deployment.status = "successful"
        deployment.statusDescription = "Deployment completed successfully"
        return deployment
    }
}
