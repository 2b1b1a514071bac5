internal import Kernel

/// Decides what becomes of one job, given everything that is known: a pure function of its inputs.
///
/// The rules are those of Nomad's reconciler for service and batch jobs, on a single node: in-place and destructive updates,
/// rolling ones by `MaxParallel`, canaries, deployments, rescheduling of what failed, capacity.
struct Scheduler {
    let state: AgentState
    let node: Node
    let isPortFree: (Int) -> Bool
    let ports: ClosedRange<Int>
    let now: Int64
    let unique: () -> String

    private var changed: [String: AllocationRecord] = [:]
    private var deployment: DeploymentRecord?
    private var isDeploymentChanged = false
    private var extra: [Change] = []
    private var takenPorts: Set<Int> = []

    init(
        state: AgentState,
        node: Node,
        ports: ClosedRange<Int>,
        now: Int64,
        isPortFree: @escaping (Int) -> Bool,
        unique: @escaping () -> String
    ) {
        self.state = state
        self.node = node
        self.ports = ports
        self.now = now
        self.isPortFree = isPortFree
        self.unique = unique
    }

    /// - Returns: Everything that follows from the evaluation, itself included.
    mutating func process(_ evaluation: EvaluationRecord) -> [Change] {
        var evaluation = evaluation
        evaluation.status = "complete"
        evaluation.modifyTime = now
        takenPorts = Set(state.allocations.values.filter { !$0.isOver }.flatMap(\.ports.values))
        let job = state.jobs[evaluation.job]
        if let job, !state.spec(of: job).isStopped {
            deployment = state.deployment(of: job).flatMap { $0.jobVersion == job.current.number ? $0 : nil }
            cancelOlder(than: job)
            for other in state.allocations(of: job.id) where other.jobCreateIndex != job.createIndex {
                stop(other, because: "alloc not needed due to job update")
            }
            for group in state.spec(of: job).groups { place(group, of: job, for: &evaluation) }
            let groups = Set(state.spec(of: job).groups.map(\.name))
            for other in state.allocations(of: job.id) where !groups.contains(other.group) {
                stop(other, because: "alloc not needed due to job update")
            }
        } else {
            stopAll(evaluation.job)
        }
        if let deployment, isDeploymentChanged {
            evaluation.deployment = deployment.id
            extra.append(.deployment(deployment))
        } else if let deployment, deployment.isActive {
            evaluation.deployment = deployment.id
        }
        if !evaluation.failed.isEmpty { block(&evaluation) } else { unblock(evaluation.job, by: evaluation.id) }
        return changed.values.sorted { $0.id < $1.id }.map { .allocation($0) } + extra + [.evaluation(evaluation)]
    }

    // MARK: - One group

    private mutating func place(_ group: GroupSpec, of job: JobRecord, for evaluation: inout EvaluationRecord) {
        let all = state.allocations(of: job.id, createIndex: job.createIndex).filter { $0.group == group.name }
        var current: [AllocationRecord] = []
        var old: [AllocationRecord] = []
        var updated = 0
        for allocation in all where allocation.isWanted {
            if allocation.spec == job.current.spec {
                current.append(allocation)
            } else if JobUpdate.isInPlace(from: state.spec(allocation.spec), to: state.spec(of: job), group: group.name)
            {
                current.append(update(allocation, to: job))
                updated += 1
            } else {
                old.append(allocation)
            }
        }
        let update = group.update.flatMap { $0.maxParallel > 0 ? $0 : nil }
        let isNew = all.allSatisfy { $0.jobVersion != job.current.number }
        if update != nil, deployment == nil, isNew || !old.isEmpty || updated > 0 { deploy(job) }
        if let update { join(group, update: update, destructive: !old.isEmpty, updated: updated) }
        let lost = all.filter { $0.client == "failed" && $0.desired == "run" && $0.next.isEmpty }
        let waiting = reschedule(lost, of: group, job: job, for: evaluation)

        let isHalted = deployment.map { $0.status == "failed" || $0.status == "paused" } ?? false
        let isPromoted = deployment?.groups[group.name]?.isPromoted ?? true
        let canaries = deployment?.groups[group.name]?.desiredCanaries ?? 0
        if canaries > 0, !isPromoted {
            let placed = current.filter(\.isCanary).count
            if !isHalted {
                for _ in 0..<max(0, canaries - placed) { put(group, of: job, isCanary: true, for: &evaluation) }
            }
            return
        }
        var missing = group.count - current.count - waiting - ended(all, of: job)
        if !old.isEmpty {
            guard !isHalted else { return }
            // A promoted canary takes the place of what it was tried beside.
            let surplus = old.count + current.count - group.count
            var budget = max(surplus, (update?.maxParallel ?? old.count) - current.filter { $0.isHealthy == nil }.count)
            for allocation in old where budget > 0 {
                stop(allocation, because: "alloc is being updated due to job update")
                budget -= 1
            }
            missing -= old.filter { changed[$0.id]?.desired != "stop" }.count
        }
        if missing < 0 {
            for allocation in current.suffix(-missing) {
                stop(allocation, because: "alloc not needed due to job update")
            }
        }
        guard !(isHalted && all.contains { $0.jobVersion == job.current.number && $0.client == "failed" }) else {
            return
        }
        for _ in 0..<max(0, missing) { put(group, of: job, isCanary: false, for: &evaluation) }
    }

    /// How many came to their end, which is all that a batch job wants of them.
    private func ended(_ all: [AllocationRecord], of job: JobRecord) -> Int {
        guard state.spec(of: job).type == "batch" else { return 0 }
        return all.count { $0.client == "complete" && $0.desired == "run" && $0.spec == job.current.spec }
    }

    private mutating func put(
        _ group: GroupSpec,
        of job: JobRecord,
        isCanary: Bool,
        for evaluation: inout EvaluationRecord
    ) {
        if let failure = failure(to: group, of: state.spec(of: job)) {
            evaluation.failed[group.name, default: failure].coalesced += evaluation.failed[group.name] == nil ? 0 : 1
            evaluation.queued[group.name, default: 0] += 1
            return
        }
        let all = state.allocations(of: job.id, createIndex: job.createIndex).filter { $0.group == group.name }
        let used = Set(
            (all.filter(\.isWanted).filter { changed[$0.id]?.desired != "stop" } + newOnes(group.name)).map(\.number)
        )
        let number = (0...).first { !used.contains($0) } ?? 0
        var record = AllocationRecord(
            id: unique(),
            evaluation: evaluation.id,
            job: job.id,
            jobVersion: job.current.number,
            jobCreateIndex: job.createIndex,
            spec: job.current.spec,
            group: group.name,
            number: number,
            deployment: deployment.map { $0.isActive ? $0.id : "" } ?? "",
            isCanary: isCanary,
            ports: [:],
            createTime: now,
            modifyTime: now
        )
        for port in group.ports { record.ports[port.label] = freePort() }
        for task in group.tasks {
            record.tasks[task.name] = TaskRecord(
                events: [TaskEvent(type: "Received", message: "Task received by client", time: now)]
            )
        }
        if let failed = all.last(where: { $0.client == "failed" && (changed[$0.id] ?? $0).next.isEmpty }) {
            record.previous = failed.id
            record.reschedules = failed.reschedules + 1
            var failed = changed[failed.id] ?? failed
            failed.next = record.id
            failed.desired = "stop"
            failed.desiredDescription = "alloc was rescheduled because it failed"
            changed[failed.id] = failed
        }
        changed[record.id] = record
        guard deployment?.isActive == true else { return }
        deployment?.groups[group.name]?.placed += 1
        // The clock of a deployment starts with its first placement, not while it waits for capacity.
        if var joined = deployment?.groups[group.name], joined.requireProgressBy == 0 {
            joined.requireProgressBy = now + joined.progressDeadline
            deployment?.groups[group.name] = joined
        }
        if isCanary { deployment?.groups[group.name]?.canaries.append(record.id) }
        isDeploymentChanged = true
    }

    private func newOnes(_ group: String) -> [AllocationRecord] {
        changed.values.filter { $0.createIndex == 0 && $0.group == group }
    }

    private mutating func freePort() -> Int {
        // The range is far larger than what one machine runs; if it is full all the same, the task says so when it starts.
        let port = ports.first { !takenPorts.contains($0) && isPortFree($0) } ?? ports.upperBound
        takenPorts.insert(port)
        return port
    }

    /// Why a group does not fit on the node; `nil` when it does.
    private func failure(to group: GroupSpec, of spec: JobSpec) -> PlacementFailure? {
        let constraints =
            spec.constraints + group.constraints
            + group.tasks.flatMap { $0.json.list("Constraints").map(ConstraintSpec.init) }
        if let unmet = node.unmet(constraints) {
            return PlacementFailure(isFiltered: true, constraintFiltered: [unmet: 1])
        }
        if !spec.datacenters.contains("*"), !spec.datacenters.contains(node.datacenter) {
            return PlacementFailure(isFiltered: true)
        }
        var (cpu, memory) = (group.cpu, group.memory)
        let present =
            state.allocations.values.filter { !$0.isOver }.map { changed[$0.id] ?? $0 }
            + changed.values.filter { $0.createIndex == 0 }
        for allocation in present where allocation.desired == "run" {
            guard let other = state.spec(allocation.spec).group(allocation.group) else { continue }
            cpu += other.cpu
            memory += other.memory
        }
        if memory > node.memory { return PlacementFailure(isFiltered: false, dimensionExhausted: ["memory": 1]) }
        if cpu > node.cpu { return PlacementFailure(isFiltered: false, dimensionExhausted: ["cpu": 1]) }
        return nil
    }

    // MARK: - What failed, what is over

    /// - Returns: How many of the failed ones still wait for their time.
    private mutating func reschedule(
        _ failed: [AllocationRecord],
        of group: GroupSpec,
        job: JobRecord,
        for evaluation: EvaluationRecord
    ) -> Int {
        var waiting = 0
        for var allocation in failed where allocation.spec == job.current.spec {
            guard group.isRescheduled else {
                waiting += 1
                continue
            }
            if allocation.followUp == evaluation.id { continue }
            if state.evaluations[allocation.followUp]?.status == "pending" {
                waiting += 1
                continue
            }
            guard allocation.followUp.isEmpty else { continue }
            let doubled = (0..<min(allocation.reschedules, 12)).reduce(group.rescheduleDelay) { delay, _ in delay * 2 }
            var next = EvaluationRecord(
                id: unique(),
                job: job.id,
                priority: evaluation.priority,
                type: evaluation.type,
                trigger: "alloc-failure",
                previous: evaluation.id,
                waitUntil: now + min(doubled, group.rescheduleMaximum).nanoseconds,
                jobModifyIndex: job.jobModifyIndex,
                createTime: now,
                modifyTime: now
            )
            next.statusDescription = "created for delayed rescheduling"
            allocation.followUp = next.id
            changed[allocation.id] = allocation
            extra.append(.evaluation(next))
            waiting += 1
        }
        return waiting
    }

    private mutating func stop(_ allocation: AllocationRecord, because reason: String) {
        var allocation = changed[allocation.id] ?? allocation
        guard allocation.desired == "run" else { return }
        allocation.desired = "stop"
        allocation.desiredDescription = reason
        allocation.modifyTime = now
        changed[allocation.id] = allocation
    }

    private mutating func stopAll(_ job: String) {
        for allocation in state.allocations(of: job) { stop(allocation, because: "alloc not needed as job is stopped") }
        for var deployment in state.deployments.values where deployment.job == job && deployment.isActive {
            deployment.status = "cancelled"
            deployment.statusDescription = "Cancelled because job is stopped"
            deployment.modifyTime = now
            extra.append(.deployment(deployment))
        }
    }

    private mutating func update(_ allocation: AllocationRecord, to job: JobRecord) -> AllocationRecord {
        var allocation = changed[allocation.id] ?? allocation
        allocation.jobVersion = job.current.number
        allocation.spec = job.current.spec
        allocation.modifyTime = now
        allocation.isHealthy = nil
        allocation.isCanary = false
        changed[allocation.id] = allocation
        return allocation
    }

    // MARK: - Deployments

    private mutating func deploy(_ job: JobRecord) {
        deployment = DeploymentRecord(
            id: unique(),
            job: job.id,
            jobVersion: job.current.number,
            jobModifyIndex: job.modifyIndex,
            jobSpecModifyIndex: job.jobModifyIndex,
            jobCreateIndex: job.createIndex,
            groups: [:],
            priority: state.spec(of: job).priority,
            createTime: now,
            modifyTime: now
        )
        isDeploymentChanged = true
    }

    /// Makes a group part of the deployment, and its updated allocations with it.
    private mutating func join(_ group: GroupSpec, update: UpdateSpec, destructive: Bool, updated: Int) {
        guard var deployment, deployment.isActive else { return }
        if deployment.groups[group.name] == nil {
            let canaries = destructive ? update.canary : 0
            deployment.groups[group.name] = DeploymentRecord.Group(
                revertsItself: update.revertsItself,
                promotesItself: update.promotesItself,
                progressDeadline: update.progressDeadline.nanoseconds,
                requireProgressBy: updated > 0 ? now + update.progressDeadline.nanoseconds : 0,
                desiredCanaries: canaries,
                desired: group.count
            )
            if canaries > 0, !update.promotesItself {
                deployment.statusDescription = "Deployment is running but requires manual promotion"
            } else if canaries > 0 {
                deployment.statusDescription = "Deployment is running pending automatic promotion"
            }
            isDeploymentChanged = true
        }
        if updated > 0 {
            deployment.groups[group.name]?.placed += updated
            isDeploymentChanged = true
            for id in changed.keys where changed[id]?.group == group.name { changed[id]?.deployment = deployment.id }
        }
        self.deployment = deployment
    }

    private mutating func cancelOlder(than job: JobRecord) {
        for var other in state.deployments.values where other.job == job.id && other.isActive {
            guard other.jobVersion != job.current.number || other.jobCreateIndex != job.createIndex else { continue }
            other.status = "cancelled"
            other.statusDescription = "Cancelled due to newer version of job"
            other.modifyTime = now
            extra.append(.deployment(other))
        }
    }

    // MARK: - Capacity

    private mutating func block(_ evaluation: inout EvaluationRecord) {
        unblock(evaluation.job, by: "")
        var blocked = evaluation
        blocked.id = unique()
        blocked.trigger = "queued-allocs"
        blocked.status = "blocked"
        blocked.statusDescription = "created to place remaining allocations"
        blocked.previous = evaluation.id
        blocked.createIndex = 0
        evaluation.blocked = blocked.id
        extra.append(.evaluation(blocked))
    }

    private mutating func unblock(_ job: String, by other: String) {
        for var blocked in state.evaluations.values where blocked.job == job && blocked.status == "blocked" {
            guard blocked.id != other else { continue }
            blocked.status = "canceled"
            blocked.modifyTime = now
            extra.append(.evaluation(blocked))
        }
    }
}
