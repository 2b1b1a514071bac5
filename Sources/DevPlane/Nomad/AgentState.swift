internal import Kernel

/// One thing that became different.
enum Change: Codable, Sendable {
    case node(String)
    case spec(String, JSONValue)
    case job(JobRecord)
    case jobGone(String)
    case evaluation(EvaluationRecord)
    case allocation(AllocationRecord)
    case deployment(DeploymentRecord)
    case variable(VariableRecord)
    case variableGone(String)
    case service(ServiceRecord)
    case serviceGone(String)
}

/// What became different at one index; a line of the journal.
struct Commit: Codable, Sendable {
    var index: Int64
    /// What Nomad calls the kind of message that did it, like `JobRegistered`.
    var type: String
    var changes: [Change]

    /// The type of those that restore a state instead of changing one.
    static let snapshot = "Snapshot"
}

/// The tables that lists are read from, each with the index it last changed at.
enum Table: String, Codable, Sendable {
    case jobs, evals, allocs, deployment, variables, services, nodes
}

/// All that the agent knows.
struct AgentState: Sendable {
    private(set) var index: Int64 = 1
    private(set) var node = ""
    private(set) var specs: [String: JSONValue] = [:]
    private(set) var jobs: [String: JobRecord] = [:]
    private(set) var evaluations: [String: EvaluationRecord] = [:]
    private(set) var allocations: [String: AllocationRecord] = [:]
    private(set) var deployments: [String: DeploymentRecord] = [:]
    private(set) var variables: [String: VariableRecord] = [:]
    private(set) var services: [String: ServiceRecord] = [:]
    private var indexes: [Table: Int64] = [:]

    /// When a table last changed; never 0.
    func index(of table: Table) -> Int64 { indexes[table] ?? 1 }

    func spec(_ key: String) -> JobSpec { JobSpec(json: specs[key] ?? [:]) }

    func spec(of job: JobRecord) -> JobSpec { spec(job.current.spec) }

    /// All of a job's allocations, oldest first; those of an earlier job of the same name only when asked for.
    func allocations(of job: String, createIndex: Int64? = nil) -> [AllocationRecord] {
        allocations.values
            .filter { $0.job == job && (createIndex == nil || $0.jobCreateIndex == createIndex) }
            .sorted { ($0.createIndex, $0.number, $0.id) < ($1.createIndex, $1.number, $1.id) }
    }

    /// The newest deployment of a job as it is now.
    func deployment(of job: JobRecord) -> DeploymentRecord? {
        deployments.values.filter { $0.job == job.id && $0.jobCreateIndex == job.createIndex }
            .max { ($0.createIndex, $0.id) < ($1.createIndex, $1.id) }
    }

    /// Takes in a commit: records are stamped with its index, and jobs get the status that follows from the rest.
    ///
    /// - Returns: The changes as they were stored, for those who are told of them.
    mutating func apply(_ commit: Commit) -> [Change] {
        index = commit.index
        var stored = commit.changes.map { apply($0) }
        // A snapshot holds statuses as they were; what they follow from may come in a later line of it.
        guard commit.type != Commit.snapshot else { return stored }
        for id in Set(stored.compactMap(\.job)).sorted() {
            guard var job = jobs[id] else { continue }
            let status = status(of: job)
            guard status != job.status else { continue }
            job.status = status
            stored.append(apply(.job(job)))
        }
        return stored
    }

    private mutating func apply(_ change: Change) -> Change {
        switch change {
        case .node(let id):
            node = id
            indexes[.nodes] = index
            return change
        case .spec(let key, let json):
            specs[key] = json
            return change
        case .job(var job):
            if job.createIndex == 0 { job.createIndex = index }
            job.modifyIndex = index
            if job.versions[0].jobModifyIndex == 0 {
                job.versions[0].jobModifyIndex = index
                job.jobModifyIndex = index
            }
            job.versions[0].modifyIndex = index
            jobs[job.id] = job
            indexes[.jobs] = index
            return .job(job)
        case .jobGone(let id):
            jobs[id] = nil
            indexes[.jobs] = index
            return change
        case .evaluation(var evaluation):
            if evaluation.createIndex == 0 { evaluation.createIndex = index }
            evaluation.modifyIndex = index
            evaluations[evaluation.id] = evaluation
            indexes[.evals] = index
            return .evaluation(evaluation)
        case .allocation(var allocation):
            if allocation.createIndex == 0 { allocation.createIndex = index }
            allocation.modifyIndex = index
            allocations[allocation.id] = allocation
            indexes[.allocs] = index
            return .allocation(allocation)
        case .deployment(var deployment):
            if deployment.createIndex == 0 { deployment.createIndex = index }
            deployment.modifyIndex = index
            deployments[deployment.id] = deployment
            indexes[.deployment] = index
            return .deployment(deployment)
        case .variable(var variable):
            if variable.createIndex == 0 { variable.createIndex = index }
            variable.modifyIndex = index
            variables[variable.path] = variable
            indexes[.variables] = index
            return .variable(variable)
        case .variableGone(let path):
            variables[path] = nil
            indexes[.variables] = index
            return change
        case .service(var service):
            if service.createIndex == 0 { service.createIndex = index }
            service.modifyIndex = index
            services[service.id] = service
            indexes[.services] = index
            return .service(service)
        case .serviceGone(let id):
            services[id] = nil
            indexes[.services] = index
            return change
        }
    }

    /// Anything not over: running; something to be decided: pending; else dead.
    private func status(of job: JobRecord) -> String {
        let lives = allocations.values.contains { $0.job == job.id && !$0.isOver }
        if lives || deployments.values.contains(where: { $0.job == job.id && $0.isActive }) { return "running" }
        let waits = evaluations.values.contains { $0.job == job.id && ["pending", "blocked"].contains($0.status) }
        return waits ? "pending" : "dead"
    }

    /// The same state in as few commits as possible, without what nobody asks for any more.
    func compacted(keeping limit: Int = 10) -> [Commit] {
        var commits: [Commit] = []
        var changes: [(Int64, Change)] = [(1, .node(node))]
        var used: Set<String> = []
        for job in jobs.values {
            changes.append((job.modifyIndex, .job(job)))
            used.formUnion(job.versions.map(\.spec))
        }
        let grouped = Dictionary(grouping: allocations.values, by: \.job)
        for allocations in grouped.values {
            let newest = allocations.sorted { $0.modifyIndex > $1.modifyIndex }
            for (place, allocation) in newest.enumerated() where !allocation.isOver || place < limit {
                changes.append((allocation.modifyIndex, .allocation(allocation)))
                used.insert(allocation.spec)
            }
        }
        let looks = Dictionary(grouping: evaluations.values.filter { jobs[$0.job] != nil }, by: \.job)
        for evaluations in looks.values {
            let newest = evaluations.sorted { $0.modifyIndex > $1.modifyIndex }
            for (place, evaluation) in newest.enumerated()
            where place < limit || ["pending", "blocked"].contains(evaluation.status) {
                changes.append((evaluation.modifyIndex, .evaluation(evaluation)))
            }
        }
        for deployment in deployments.values where jobs[deployment.job] != nil {
            changes.append((deployment.modifyIndex, .deployment(deployment)))
        }
        changes += variables.values.map { ($0.modifyIndex, .variable($0)) }
        changes += services.values.map { ($0.modifyIndex, .service($0)) }
        changes += used.compactMap { key in specs[key].map { (1, .spec(key, $0)) } }
        for (index, changes) in Dictionary(grouping: changes, by: \.0).sorted(by: { $0.key < $1.key }) {
            commits.append(Commit(index: index, type: Commit.snapshot, changes: changes.map(\.1)))
        }
        if commits.last?.index != index { commits.append(Commit(index: index, type: Commit.snapshot, changes: [])) }
        return commits
    }
}

extension Change {
    /// Whose status may have changed with it.
    fileprivate var job: String? {
        switch self {
        case .job(let job): job.id
        case .evaluation(let evaluation): evaluation.job
        case .allocation(let allocation): allocation.job
        case .deployment(let deployment): deployment.job
        default: nil
        }
    }
}
