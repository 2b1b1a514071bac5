internal import Kernel

/// Who answers what, by path and method.
extension AgentStore {
    /// - Throws: ``Refusal``, ``JournalFailure``.
    func answer(_ call: Call) throws -> Answer {
        let isRead = call.method == "GET"
        let isWrite = call.method == "PUT" || call.method == "POST"
        let path = Array(call.segments.dropFirst())
        // There is one namespace; what is asked of another is not there.
        let isElsewhere = ![nil, "", "default", "*"].contains(call.parameter("namespace"))
        switch (path[0], path.count) {
        case ("jobs", 1) where isRead:
            return try list(.jobs, call, isElsewhere ? [] : jobStubs(call))
        case ("jobs", 1) where isWrite:
            return try register(call, expecting: nil)
        case ("jobs", 2) where path[1] == "parse" && isWrite:
            throw Refusal("jobs are parsed by nobody here: send JSON", status: 501)
        case ("jobs", 2) where path[1] == "statuses" && (isRead || isWrite):
            return try jobStatuses(call)
        case ("job", 2...):
            return try job(path[1], Array(path.dropFirst(2)), call, isElsewhere: isElsewhere)
        case ("validate", 2) where path[1] == "job" && isWrite:
            return try validate(call)
        case ("evaluations", 1) where isRead:
            return try list(
                .evals,
                call,
                state.evaluations.values.sorted { $0.createIndex < $1.createIndex }.map(\.json)
            )
        case ("evaluation", 2...) where isRead:
            return try evaluation(path, call)
        case ("allocations", 1) where isRead:
            let all = state.allocations.values.sorted { ($0.createIndex, $0.id) < ($1.createIndex, $1.id) }
            return try list(.allocs, call, all.map(located))
        case ("allocation", 2...):
            return try allocation(path, call, isRead: isRead, isWrite: isWrite)
        case ("client", 4) where isRead && path[1] == "allocation" && path[3] == "checks":
            guard state.allocations[path[2]] != nil else { throw Refusal("alloc not found", status: 404) }
            return .json(.object(checks[path[2]] ?? [:]))
        case ("client", 4) where isWrite && path[1] == "allocation" && path[3] == "restart":
            return try restart(path[2])
        case ("deployments", 1) where isRead:
            let all = state.deployments.values.sorted { $0.createIndex > $1.createIndex }
            return try list(.deployment, call, all.map(\.json))
        case ("deployment", 2...):
            return try deployment(path, call, isRead: isRead, isWrite: isWrite)
        case ("vars", 1) where isRead:
            let all = state.variables.values.sorted { $0.path < $1.path }
            return try list(.variables, call, isElsewhere ? [] : all.map(\.metadata), key: "Path")
        case ("var", 2...):
            return try variable(path.dropFirst().joined(separator: "/"), call)
        case ("services", 1) where isRead:
            return services(call)
        case ("service", 2...):
            return try service(path, call, isRead: isRead)
        default:
            return try cluster(path, call, isRead: isRead)
        }
    }

    /// A list, filtered and cut as the query says.
    ///
    /// - Parameters:
    ///   - table: Where they come from.
    ///   - call: The request.
    ///   - elements: What is shown.
    ///   - full: What filters look at, when it is more than what is shown.
    ///   - key: What `prefix` is about.
    /// - Returns: The answer, with the table's index.
    /// - Throws: ``Refusal``.
    func list(
        _ table: Table,
        _ call: Call,
        _ elements: [JSONValue],
        full: [JSONValue]? = nil,
        key: String = "ID"
    ) throws -> Answer {
        var pairs = Array(zip(elements, full ?? elements))
        if let prefix = call.parameter("prefix"), !prefix.isEmpty {
            pairs = pairs.filter { $0.0[key]?.string?.hasPrefix(prefix) ?? false }
        }
        if let text = call.parameter("filter"), !text.isEmpty {
            let filter: Filter
            do { filter = try Filter(text) } catch {
                throw Refusal(
                    "failed to create result paginator: failed to read filter expression: \(error.message)",
                    status: 400
                )
            }
            pairs = pairs.filter { filter.accepts($0.1) }
        }
        if call.parameter("reverse") == "true" { pairs.reverse() }
        var headers = index(table)
        if let text = call.parameter("per_page"), !text.isEmpty {
            guard let size = Int(text) else {
                throw Refusal("Expect a number for `per_page` query string parameter", status: 400)
            }
            let start = Int(call.parameter("next_token") ?? "") ?? 0
            if size > 0, start + size < pairs.count { headers["X-Nomad-NextToken"] = String(start + size) }
            pairs = Array(pairs.dropFirst(start).prefix(size > 0 ? size : pairs.count))
        }
        return .json(.array(pairs.map(\.0)), headers: headers)
    }

    /// The header that tells when a table last changed.
    func index(_ tables: Table...) -> [String: String] {
        ["X-Nomad-Index": String(tables.map { state.index(of: $0) }.max() ?? 1)]
    }

    func index(_ value: Int64) -> [String: String] { ["X-Nomad-Index": String(max(1, value))] }

    func located(_ allocation: AllocationRecord) -> JSONValue {
        allocation.stub.replacing(["NodeID": .string(state.node), "NodeName": "dev"])
    }

    // MARK: - Jobs

    private func jobStubs(_ call: Call) -> [JSONValue] {
        let withMeta =
            call.parameter("meta") == "true" || call.parameter("meta") == "True"
            || call.parameter("filter")?.contains("Meta") == true
        return state.jobs.values.sorted { $0.id < $1.id }.map { $0.stub(in: state, withMeta: withMeta) }
    }

    private func job(_ id: String, _ rest: [String], _ call: Call, isElsewhere: Bool) throws -> Answer {
        let job = isElsewhere ? nil : state.jobs[id]
        let isWrite = call.method == "PUT" || call.method == "POST"
        let missing = Answer.text("job not found", status: 404, headers: index(.jobs))
        switch (rest.first, call.method) {
        case (nil, "GET"):
            guard let job else { return missing }
            return .json(job.json(in: state), headers: index(job.modifyIndex))
        case (nil, "DELETE"):
            return try deregister(id, call)
        case (nil, _) where isWrite:
            return try register(call, expecting: id)
        case ("plan", _) where isWrite:
            return try plan(id, call)
        case ("revert", _) where isWrite:
            return try revert(id, call)
        case ("evaluate", _) where isWrite:
            return try evaluate(id)
        case ("allocations", "GET"):
            let isAll = try flag("all", call)
            let all = state.allocations(of: id, createIndex: isAll ? nil : job?.createIndex)
            return .json(.array(isElsewhere ? [] : all.map(located)), headers: index(.allocs))
        case ("evaluations", "GET"):
            let all = state.evaluations.values.filter { $0.job == id }.sorted { $0.createIndex > $1.createIndex }
            return .json(.array(all.map(\.json)), headers: index(.evals))
        case ("deployments", "GET"):
            let all = state.deployments.values.filter { $0.job == id }.sorted { $0.createIndex > $1.createIndex }
            return .json(.array(all.map(\.json)), headers: index(.deployment))
        case ("deployment", "GET"):
            return .json(job.flatMap { state.deployment(of: $0)?.json } ?? nil, headers: index(.deployment))
        case ("versions", "GET"):
            guard let job else { return .text("job versions not found", status: 404, headers: index(.jobs)) }
            let versions = job.versions.map { job.json(in: state, version: $0) }
            return .json(
                [
                    "Versions": .array(versions), "Diffs": nil, "Index": .integer(job.modifyIndex), "LastContact": 0,
                    "KnownLeader": true, "NextToken": "",
                ],
                headers: index(job.modifyIndex)
            )
        case ("summary", "GET"):
            guard let job else { return missing }
            return .json(job.summary(in: state), headers: index(.jobs, .allocs))
        case ("services", "GET"):
            let all = state.services.values.filter { $0.job == id }.sorted { $0.id < $1.id }
            return .json(.array(all.map(shown)), headers: index(.services))
        default:
            return .text("Invalid method", status: 405)
        }
    }

    private func jobStatuses(_ call: Call) throws -> Answer {
        var wanted: Set<String>?
        if call.method != "GET" {
            let list = call.json?.list("Jobs") ?? []
            guard !list.isEmpty else { throw Refusal("no jobs in request", status: 400) }
            wanted = Set(list.compactMap { $0["ID"]?.string })
        }
        let jobs = state.jobs.values.filter { wanted?.contains($0.id) ?? true }.sorted { $0.id < $1.id }
        return .json(.array(jobs.map(status)), headers: index(.jobs, .allocs, .deployment))
    }

    private func status(_ job: JobRecord) -> JSONValue {
        let spec = state.spec(of: job)
        let stub = job.stub(in: state, withMeta: false)
        let allocations = state.allocations(of: job.id, createIndex: job.createIndex).filter { !$0.isOver }
        var latest: JSONValue = nil
        if let deployment = state.deployment(of: job) {
            latest = [
                "ID": .string(deployment.id), "IsActive": .bool(deployment.isActive),
                "JobVersion": .integer(Int64(deployment.jobVersion)), "Status": .string(deployment.status),
                "StatusDescription": .string(deployment.statusDescription),
                "AllAutoPromote": .bool(deployment.groups.values.allSatisfy(\.promotesItself)),
                "RequiresPromotion": .bool(deployment.needsPromotion),
            ]
        }
        var status: [String: JSONValue] = [:]
        for name in [
            "ID", "Namespace", "Name", "Type", "NodePool", "Datacenters", "Priority", "SubmitTime", "ModifyIndex",
            "ParentID", "Stop", "Status",
        ] {
            status[name] = stub[name] ?? .null
        }
        status["Version"] = .integer(Int64(job.current.number))
        status["GroupCountSum"] = .integer(Int64(spec.groups.reduce(0) { $0 + $1.count }))
        status["ChildStatuses"] = .null
        status["LatestDeployment"] = latest
        status["IsPack"] = false
        status["Allocs"] = .array(
            allocations.map { allocation in
                let shown = allocation.stub
                return [
                    "ID": .string(allocation.id), "Group": .string(allocation.group),
                    "ClientStatus": .string(allocation.client), "NodeID": .string(state.node),
                    "DeploymentStatus": shown["DeploymentStatus"] ?? nil,
                    "JobVersion": .integer(Int64(allocation.jobVersion)),
                    "FollowupEvalID": .string(allocation.followUp),
                    "HasPausedTask": false,
                ]
            }
        )
        return .object(status)
    }

    // MARK: - Evaluations, allocations, deployments

    private func evaluation(_ path: [String], _ call: Call) throws -> Answer {
        let id = path[1]
        if path.count == 3, path[2] == "allocations" {
            let all = state.allocations.values.filter { $0.evaluation == id }
            return .json(.array(all.map(located)), headers: index(.allocs))
        }
        guard path.count == 2, let evaluation = state.evaluations[id] else {
            return .text("eval not found", status: 404, headers: index(.evals))
        }
        return .json(evaluation.json, headers: index(evaluation.modifyIndex))
    }

    private func allocation(_ path: [String], _ call: Call, isRead: Bool, isWrite: Bool) throws -> Answer {
        guard var allocation = state.allocations[path[1]] else {
            return .text("alloc not found", status: 404, headers: index(.allocs))
        }
        if path.count == 2, isRead {
            return .json(allocation.json(in: state), headers: index(allocation.modifyIndex))
        }
        if path.count == 3, path[2] == "services", isRead {
            let all = state.services.values.filter { $0.allocation == allocation.id }
            return .json(.array(all.map(shown)), headers: index(.services))
        }
        guard path.count == 3, path[2] == "stop", isWrite else { return .text("Invalid method", status: 405) }
        allocation.desired = "stop"
        allocation.desiredDescription = "alloc was stopped by a user"
        let evaluations = reconsider(allocation.job, trigger: "alloc-stop")
        let index = try commit("AllocationUpdateDesiredStatus", [.allocation(allocation)] + evaluations)
        guard case .evaluation(let evaluation) = evaluations.first else {
            return .json(["EvalID": "", "Index": .integer(index)])
        }
        return .json(["EvalID": .string(evaluation.id), "Index": .integer(index)], headers: self.index(index))
    }

    private func deployment(_ path: [String], _ call: Call, isRead: Bool, isWrite: Bool) throws -> Answer {
        if path.count == 2, isRead {
            guard let deployment = state.deployments[path[1]] else {
                return .text("deployment not found", status: 404, headers: index(.deployment))
            }
            return .json(deployment.json, headers: index(deployment.modifyIndex))
        }
        if path.count == 3, path[1] == "allocations", isRead {
            let all = state.allocations.values.filter { $0.deployment == path[2] }
            return .json(.array(all.map(located)), headers: index(.allocs))
        }
        guard path.count == 3, isWrite else { return .text("Invalid method", status: 405) }
        if let named = call.json?["DeploymentID"]?.string, named != path[2] {
            throw Refusal("Deployment ID does not match", status: 400)
        }
        guard let deployment = state.deployments[path[2]] else { throw Refusal("deployment not found") }
        var reverted: Int?
        var evaluation = ""
        switch path[1] {
        case "promote":
            let groups = call.json?.strings("Groups") ?? []
            evaluation = try promote(deployment, groups: call.json?["All"]?.bool == true ? nil : Set(groups))
        case "fail":
            guard deployment.isActive else { throw Refusal("can't fail terminal deployment") }
            (reverted, evaluation) = try fail(deployment, because: "Deployment marked as failed")
        case "pause":
            guard deployment.isActive else { throw Refusal("can't pause terminal deployment") }
            evaluation = try pause(deployment, call.json?["Pause"]?.bool ?? true)
        case "allocation-health":
            for id in call.json?.strings("HealthyAllocationIDs") ?? [] { try health(id, isHealthy: true) }
            for id in call.json?.strings("UnhealthyAllocationIDs") ?? [] { try health(id, isHealthy: false) }
        default:
            return .empty(404)
        }
        return .json(
            [
                "EvalID": .string(evaluation), "EvalCreateIndex": .integer(state.index),
                "DeploymentModifyIndex": .integer(state.deployments[path[2]]?.modifyIndex ?? 0),
                "RevertedJobVersion": reverted.map { .integer(Int64($0)) } ?? nil, "Index": .integer(state.index),
            ],
            headers: index(state.index)
        )
    }

    private func pause(_ deployment: DeploymentRecord, _ isPaused: Bool) throws -> String {
        var deployment = deployment
        deployment.status = isPaused ? "paused" : "running"
        deployment.statusDescription = isPaused ? "Deployment is paused" : "Deployment is running"
        let evaluations = reconsider(deployment.job, trigger: "deployment-watcher")
        try commit("DeploymentStatusUpdate", [.deployment(deployment)] + evaluations)
        guard case .evaluation(let evaluation) = evaluations.first else { return "" }
        return evaluation.id
    }

    // MARK: - Services

    private func shown(_ service: ServiceRecord) -> JSONValue {
        service.json(node: state.node, datacenter: configuration.datacenter)
    }

    private func services(_ call: Call) -> Answer {
        let grouped = Dictionary(grouping: state.services.values, by: \.name).sorted { $0.key < $1.key }
        guard !grouped.isEmpty else { return .json([], headers: index(.services)) }
        let services = grouped.map { name, records -> JSONValue in
            let tags = Set(records.flatMap(\.tags)).sorted().map { JSONValue.string($0) }
            return ["ServiceName": .string(name), "Tags": .array(tags)]
        }
        return .json([["Namespace": "default", "Services": .array(services)]], headers: index(.services))
    }

    private func service(_ path: [String], _ call: Call, isRead: Bool) throws -> Answer {
        if path.count == 2, isRead {
            let all = state.services.values.filter { $0.name == path[1] }.sorted { $0.createIndex < $1.createIndex }
            return try list(.services, call, all.map(shown))
        }
        guard path.count == 3, call.method == "DELETE" else { return .text("Invalid method", status: 405) }
        guard state.services[path[2]] != nil else { throw Refusal("service registration not found", status: 404) }
        try commit("ServiceDeregistration", [.serviceGone(path[2])])
        return .empty(200, headers: index(state.index))
    }

    // MARK: - The cluster

    private func cluster(_ path: [String], _ call: Call, isRead: Bool) throws -> Answer {
        switch path {
        case ["nodes"] where isRead:
            return try list(.nodes, call, [node.stub], full: [node.json])
        case ["status", "leader"] where isRead:
            return .json("127.0.0.1:4647")
        case ["status", "peers"] where isRead:
            return .json(["127.0.0.1:4647"])
        case ["agent", "self"] where isRead:
            return .json([
                "config": [
                    "Datacenter": .string(configuration.datacenter), "Region": "global", "NodeName": "dev",
                    "Version": ["Version": "2.0.0", "VersionPrerelease": "", "VersionMetadata": "signalbox"],
                ],
                "member": ["Name": "dev.global", "Addr": "127.0.0.1", "Status": "alive", "Tags": ["build": "2.0.0"]],
                "stats": ["nomad": ["leader": "true", "server": "true"]],
            ])
        case ["agent", "health"] where isRead:
            return .json(["server": ["ok": true, "message": "ok"], "client": ["ok": true, "message": "ok"]])
        case ["agent", "members"] where isRead:
            return .json([
                "ServerName": "dev", "ServerRegion": "global", "ServerDC": .string(configuration.datacenter),
                "Members": [],
            ])
        case ["regions"] where isRead:
            return .json(["global"])
        case ["namespaces"] where isRead:
            return .json(
                [["Name": "default", "Description": "Default shared namespace", "Meta": nil]],
                headers: index(1)
            )
        case ["namespace", "default"] where isRead:
            return .json(
                ["Name": "default", "Description": "Default shared namespace", "Meta": nil],
                headers: index(1)
            )
        default:
            if path.count == 2, path[0] == "node", isRead {
                guard path[1] == state.node else { return .text("node not found", status: 404) }
                return .json(node.json, headers: index(.nodes))
            }
            if path.count == 3, path[0] == "node", path[2] == "allocations", isRead {
                return .json(.array(state.allocations.values.map { $0.json(in: state) }), headers: index(.allocs))
            }
            let known = ["jobs", "nodes", "services", "vars", "deployments", "allocations", "evaluations", "validate"]
            return known.contains(path[0]) ? .text("Invalid method", status: 405) : .empty(404)
        }
    }
}
