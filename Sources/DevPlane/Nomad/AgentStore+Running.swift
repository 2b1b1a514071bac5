internal import Kernel

/// What runs, reports.
extension AgentStore {
    /// What should run here and does not count as over.
    func runnable() -> [String] {
        state.allocations.values.filter { !$0.isOver }.sorted { $0.createIndex < $1.createIndex }.map(\.id)
    }

    func allocation(_ id: String) -> AllocationRecord? { state.allocations[id] }

    func spec(of allocation: AllocationRecord) -> JobSpec { state.spec(allocation.spec) }

    func variable(_ path: String) -> VariableRecord? { state.variables[path] }

    /// Gives an allocation other ports where somebody else has taken its own meanwhile.
    func movingFromTakenPorts(_ id: String) throws -> AllocationRecord? {
        guard let allocation = state.allocations[id] else { return nil }
        var taken = Set(state.allocations.values.filter { !$0.isOver }.flatMap(\.ports.values))
        var ports = allocation.ports
        for (label, port) in ports where !Port.isFree(port) {
            ports[label] = configuration.ports.first { !taken.contains($0) && Port.isFree($0) } ?? port
            taken.insert(ports[label] ?? port)
        }
        if ports != allocation.ports { try update(id) { $0.ports = ports } }
        return state.allocations[id]
    }

    /// Notes something about a task.
    func note(_ id: String, task: String, _ event: TaskEvent, change: (inout TaskRecord) -> Void = { _ in }) throws {
        try update(id) { allocation in
            var record = allocation.tasks[task] ?? TaskRecord()
            record.events = (record.events + [event]).suffix(10)
            change(&record)
            allocation.tasks[task] = record
        }
    }

    func event(_ type: String, _ message: String) -> TaskEvent {
        TaskEvent(type: type, message: message, time: now)
    }

    /// Its task runs: it can be found under its services' names.
    func running(_ id: String, task: String) throws {
        let moment = ids.now()
        try update(id, with: registrations(id)) { allocation in
            allocation.client = "running"
            allocation.clientDescription = "Tasks are running"
            var record = allocation.tasks[task] ?? TaskRecord()
            record.state = "running"
            record.started = moment
            record.finished = nil
            record.events = (record.events + [event("Started", "Task started by client")]).suffix(10)
            allocation.tasks[task] = record
        }
    }

    /// Its services, as the version it is now at describes them; brings tags up to date after an in-place update.
    func registrations(_ id: String) -> [Change] {
        guard let allocation = state.allocations[id], let group = spec(of: allocation).group(allocation.group) else {
            return []
        }
        return group.services.filter { $0.provider == "nomad" }.compactMap { service in
            let tags = allocation.isCanary && !service.canaryTags.isEmpty ? service.canaryTags : service.tags
            var record = ServiceRecord(
                id: "_nomad-task-\(id)-group-\(group.name)-\(service.name)-\(service.portLabel)",
                name: service.name,
                job: allocation.job,
                allocation: id,
                tags: tags,
                port: allocation.ports[service.portLabel] ?? 0
            )
            if let known = state.services[record.id] {
                record.createIndex = known.createIndex
                record.modifyIndex = known.modifyIndex
                if known == record { return nil }
            }
            return .service(record)
        }
    }

    /// Brings the services of a running allocation up to date.
    func refreshServices(_ id: String) throws {
        try commit("ServiceRegistration", registrations(id))
    }

    /// It can no longer be found.
    func withdraw(_ id: String) throws {
        let gone = state.services.values.filter { $0.allocation == id }.map { Change.serviceGone($0.id) }
        try commit("ServiceDeregistration", gone)
    }

    /// `PUT /v1/client/allocation/:id/restart`: the tasks that run are started anew, in place.
    func restart(_ id: String) throws -> Answer {
        guard let allocation = state.allocations[id] else { throw Refusal("Unknown allocation \"\(id)\"", status: 404) }
        let running = allocation.tasks.filter { $0.value.state == "running" }.keys.sorted()
        guard !allocation.isOver, !running.isEmpty else { throw Refusal("Task not running") }
        restartsAsked[id, default: 0] += 1
        for task in running { try note(id, task: task, event("Restart Signaled", "User requested task to restart")) }
        return .json(["Index": .integer(state.index)])
    }

    /// A task has ended and is to start again later.
    func restarting(_ id: String, task: String, _ event: TaskEvent) throws {
        let moment = ids.now()
        try note(id, task: task, event) {
            $0.state = "pending"
            $0.restarts += 1
            $0.lastRestart = moment
        }
    }

    /// It is over: `complete` when it was told to stop, `failed` when it gave up.
    func over(_ id: String, task: String, client: String, description: String, _ event: TaskEvent) throws {
        let moment = ids.now()
        guard let before = state.allocations[id], !before.isOver else { return }
        let gone = state.services.values.filter { $0.allocation == id }.map { Change.serviceGone($0.id) }
        checks[id] = nil
        hurried.remove(id)
        restartsAsked[id] = nil
        let isFailed = client == "failed"
        try update(id, with: gone) { allocation in
            allocation.client = client
            allocation.clientDescription = description
            for name in allocation.tasks.keys {
                allocation.tasks[name]?.state = "dead"
                allocation.tasks[name]?.hasFailed = isFailed
                allocation.tasks[name]?.finished = moment
            }
            allocation.tasks[task]?.events.append(event)
        }
        if isFailed, before.desired == "run" {
            if before.isHealthy != false, !before.deployment.isEmpty { try health(id, isHealthy: false) }
            try commit("AllocationUpdated", reconsider(before.job, trigger: "alloc-failure"))
        }
        try commit("EvaluationUpdated", unblocked())
    }

    /// Whether it is well, as its deployment counts it.
    func health(_ id: String, isHealthy: Bool) throws {
        guard var allocation = state.allocations[id], allocation.isHealthy != isHealthy else { return }
        let was = allocation.isHealthy
        allocation.isHealthy = isHealthy
        allocation.healthTime = now
        allocation.modifyTime = now
        var changes: [Change] = [.allocation(allocation)]
        if var deployment = state.deployments[allocation.deployment], deployment.isActive,
            var group = deployment.groups[allocation.group]
        {
            group.healthy += (isHealthy ? 1 : 0) - (was == true ? 1 : 0)
            group.unhealthy += (isHealthy ? 0 : 1) - (was == false ? 1 : 0)
            if isHealthy { group.requireProgressBy = now + group.progressDeadline }
            deployment.groups[allocation.group] = group
            deployment.modifyTime = now
            let isFinished = finished(deployment)
            changes.append(.deployment(isFinished))
            if isFinished.status == "successful", var job = state.jobs[deployment.job],
                let place = job.versions.firstIndex(where: { $0.number == deployment.jobVersion })
            {
                job.versions[place].isStable = true
                changes.append(.job(job))
            }
            changes += reconsider(deployment.job, trigger: "deployment-watcher")
            try commit("DeploymentAllocHealth", changes)
            if !isHealthy, group.progressDeadline == 0 {
                _ = try fail(deployment, because: "Failed due to unhealthy allocations")
            }
            if isHealthy, group.promotesItself, !group.isPromoted, group.desiredCanaries > 0,
                group.canaries.allSatisfy({ state.allocations[$0]?.isHealthy == true }),
                let current = state.deployments[deployment.id]
            {
                _ = try promote(current, groups: nil)
            }
        } else {
            try commit("AllocationUpdated", changes)
        }
    }

    /// What a check last said.
    func checked(_ id: String, check: CheckSpec, service: ServiceSpec, group: String, outcome: Probe.Outcome) {
        let status: JSONValue
        let output: String
        switch outcome {
        case .answered(let code, _):
            (status, output) = (.integer(Int64(code)), "nomad: http \(outcome.isPassing ? "ok" : "check failed")")
        case .failed(let reason):
            (status, output) = (0, "nomad: \(reason)")
        }
        let name = check.name.isEmpty ? "service: \"\(service.name)\" check" : check.name
        checks[id, default: [:]]["\(service.name)/\(name)"] = [
            "ID": .string("\(service.name)-\(name)"), "Check": .string(name), "Group": .string(group),
            "Mode": "healthiness",
            "Output": .string(output), "Service": .string(service.name),
            "Status": outcome.isPassing ? "success" : "failure",
            "StatusCode": status, "Task": "", "Timestamp": .integer(now / 1_000_000_000),
        ]
    }

    private func update(_ id: String, with others: [Change] = [], _ change: (inout AllocationRecord) -> Void) throws {
        guard var allocation = state.allocations[id] else { return }
        change(&allocation)
        allocation.modifyTime = now
        try commit("AllocationUpdated", [.allocation(allocation)] + others)
    }
}
