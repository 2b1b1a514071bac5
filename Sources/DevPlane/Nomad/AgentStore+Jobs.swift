internal import Kernel

/// A refusal in Nomad's words: the status is 500 for almost everything.
struct Refusal: Error, Equatable {
    var status = 500
    var text: String

    init(_ text: String, status: Int = 500) {
        self.text = text
        self.status = status
    }
}

extension AgentStore {
    /// `PUT /v1/jobs`, `PUT /v1/job/:id`.
    func register(_ call: Call, expecting id: String?) throws -> Answer {
        let (spec, body) = try submission(call, expecting: id)
        let existing = state.jobs[spec.id]
        try enforceIndex(body, existing)
        if let existing {
            let type = state.spec(of: existing).type
            guard type == spec.type else {
                throw Refusal("cannot update job from type \"\(type)\" to \"\(spec.type)\"")
            }
        }
        return try upsert(spec, existing)
    }

    /// Writes a specification if it differs from what there is, and has the scheduler look at the job in any case.
    func upsert(_ spec: JobSpec, _ existing: JobRecord?) throws -> Answer {
        let evaluation: EvaluationRecord
        let index: Int64
        if let existing, state.spec(of: existing) == spec {
            evaluation = self.evaluation(of: existing.id, spec, trigger: "job-register", existing.jobModifyIndex)
            index = try commit("EvaluationUpdated", [.evaluation(evaluation)])
            // Nomad answers with the job's ModifyIndex here, not with its JobModifyIndex.
            return registered(evaluation.id, index: index, job: existing.modifyIndex)
        }
        let job = renewed(existing, spec)
        evaluation = self.evaluation(of: spec.id, spec, trigger: "job-register", state.index + 1)
        let changes: [Change] = [.spec(job.current.spec, spec.json), .job(job), .evaluation(evaluation)]
        index = try commit("JobRegistered", changes)
        return registered(evaluation.id, index: index, job: index)
    }

    /// A job with one more version.
    private func renewed(_ existing: JobRecord?, _ spec: JobSpec) -> JobRecord {
        let version = JobVersion(
            number: existing.map { $0.current.number + 1 } ?? 0,
            spec: unique(),
            submitTime: now
        )
        guard var job = existing else { return JobRecord(id: spec.id, versions: [version]) }
        job.versions.insert(version, at: 0)
        job.versions = Array(job.versions.prefix(6))
        return job
    }

    /// `DELETE /v1/job/:id`.
    func deregister(_ id: String, _ call: Call) throws -> Answer {
        let purge = try flag("purge", call)
        let isHurried = try flag("no_shutdown_delay", call)
        guard let job = state.jobs[id] else {
            return deregistered("", index: state.index, evaluation: 0, job: 0)
        }
        let spec = state.spec(of: job)
        let evaluation = evaluation(of: id, spec, trigger: "job-deregister", state.index + 1)
        if isHurried { hurried.formUnion(state.allocations(of: id).map(\.id)) }
        let index: Int64
        if purge {
            let deployments = state.deployments.values.filter { $0.job == id && $0.isActive }.map {
                deployment -> Change in
                var deployment = deployment
                deployment.status = "cancelled"
                deployment.statusDescription = "Cancelled because job is stopped"
                return .deployment(deployment)
            }
            index = try commit("JobDeregistered", [.jobGone(id), .evaluation(evaluation)] + deployments)
        } else {
            let stopped = JobSpec(json: spec.json.replacing(["Stop": true]))
            let renewed = renewed(job, stopped)
            let changes: [Change] = [.spec(renewed.current.spec, stopped.json), .job(renewed), .evaluation(evaluation)]
            index = try commit("JobDeregistered", changes)
        }
        return deregistered(evaluation.id, index: index, evaluation: index, job: index)
    }

    /// `PUT /v1/job/:id/plan`.
    func plan(_ id: String, _ call: Call) throws -> Answer {
        let (spec, body) = try submission(call, expecting: id)
        let existing = state.jobs[spec.id]
        let before = existing.map { state.spec(of: $0) }
        let isChanged = before != spec
        var draft = state
        let job = isChanged ? renewed(existing, spec) : existing
        var planned: [Change] = []
        if let job {
            let evaluation = evaluation(of: spec.id, spec, trigger: "job-register", state.index + 1)
            var changes: [Change] = [.spec(job.current.spec, spec.json), .job(job)]
            if !isChanged { changes = [] }
            _ = draft.apply(Commit(index: state.index + 1, type: "Plan", changes: changes + [.evaluation(evaluation)]))
            var scheduler = scheduler(draft)
            planned = scheduler.process(evaluation)
        }
        return .json([
            "JobModifyIndex": .integer(existing?.jobModifyIndex ?? 0),
            "Diff": body["Diff"]?.bool == true ? JobUpdate.diff(from: before, to: spec, isChanged: isChanged) : nil,
            "Annotations": ["DesiredTGUpdates": desired(planned, spec)], "FailedTGAllocs": failures(planned),
            "CreatedEvals": nil, "NextPeriodicLaunch": "0001-01-01T00:00:00Z", "Warnings": .string(warnings(spec)),
            "Index": .integer(state.index),
        ])
    }

    private func desired(_ planned: [Change], _ spec: JobSpec) -> JSONValue {
        var groups: [String: JSONValue] = [:]
        for group in spec.groups {
            var (placed, stopped, updated, canaries) = (0, 0, 0, 0)
            for case .allocation(let allocation) in planned where allocation.group == group.name {
                let before = state.allocations[allocation.id]
                if before == nil {
                    allocation.isCanary ? (canaries += 1) : (placed += 1)
                } else if allocation.desired == "stop" {
                    stopped += 1
                } else if before?.spec != allocation.spec {
                    updated += 1
                }
            }
            let replaced = min(placed, stopped)
            let wanted = state.allocations(of: spec.id).filter { $0.group == group.name && $0.isWanted }.count
            var counts: [String: JSONValue] = [:]
            for name in ["Migrate", "Preemptions", "Disconnect", "Reconnect", "RescheduleNow", "RescheduleLater"] {
                counts[name] = 0
            }
            counts["Place"] = .integer(Int64(placed - replaced))
            counts["Stop"] = .integer(Int64(stopped - replaced))
            counts["DestructiveUpdate"] = .integer(Int64(replaced))
            counts["InPlaceUpdate"] = .integer(Int64(updated))
            counts["Canary"] = .integer(Int64(canaries))
            counts["Ignore"] = .integer(Int64(max(0, wanted - stopped - updated)))
            groups[group.name] = .object(counts)
        }
        return .object(groups)
    }

    private func failures(_ planned: [Change]) -> JSONValue {
        for case .evaluation(let evaluation) in planned where !evaluation.failed.isEmpty {
            return .object(evaluation.failed.mapValues(\.json))
        }
        return nil
    }

    /// `PUT /v1/validate/job`.
    func validate(_ call: Call) throws -> Answer {
        guard let job = call.json?["Job"], job != .null else { throw Refusal("Job must be specified", status: 400) }
        if let problem = JobShape.registration.problem(with: ["Job": job]) { throw Refusal(problem, status: 400) }
        let spec = JobDefaults.complete(job)
        let problems = JobValidation.problems(with: spec)
        return .json([
            "DriverConfigValidated": true,
            "ValidationErrors": problems.isEmpty ? nil : .array(problems.map { .string($0) }),
            "Error": .string(JobValidation.problem(with: spec) ?? ""), "Warnings": .string(warnings(spec)),
        ])
    }

    /// `PUT /v1/job/:id/revert`.
    func revert(_ id: String, _ call: Call) throws -> Answer {
        guard let body = call.json else { throw Refusal("Request body is empty", status: 400) }
        guard let job = state.jobs[id] else { throw Refusal("job \"\(id)\" not found") }
        let number = Int(body["JobVersion"]?.integer ?? 0)
        guard number != job.current.number else { throw Refusal("can't revert to current version") }
        guard let version = job.versions.first(where: { $0.number == number }) else {
            throw Refusal("job \"\(id)\" in namespace \"default\" at version \(number) not found")
        }
        if let prior = body["EnforcePriorVersion"]?.integer, prior != Int64(job.current.number) {
            throw Refusal("Current job has version \(job.current.number); enforcing version \(prior)")
        }
        let spec = JobSpec(json: state.spec(version.spec).json.replacing(["Stop": false]))
        return try upsert(spec, job)
    }

    /// `PUT /v1/job/:id/evaluate`.
    func evaluate(_ id: String) throws -> Answer {
        guard let job = state.jobs[id] else { throw Refusal("job not found") }
        let evaluation = evaluation(of: id, state.spec(of: job), trigger: "job-register", job.jobModifyIndex)
        let index = try commit("EvaluationUpdated", [.evaluation(evaluation)])
        return registered(evaluation.id, index: index, job: job.modifyIndex)
    }

    // MARK: - Parts

    /// The job of a request, completed and found valid.
    private func submission(_ call: Call, expecting id: String?) throws -> (JobSpec, JSONValue) {
        guard !call.body.isEmpty else { throw Refusal("Request body is empty", status: 400) }
        guard let body = call.json, body.object != nil else {
            throw Refusal("invalid character in request body", status: 400)
        }
        if let problem = JobShape.registration.problem(with: body) { throw Refusal(problem, status: 400) }
        guard let job = body["Job"], job != .null else { throw Refusal("Job must be specified", status: 400) }
        guard let given = job["ID"]?.string, !given.isEmpty else {
            throw Refusal("Job ID hasn't been provided", status: 400)
        }
        if let id, id != given { throw Refusal("Job ID does not match name", status: 400) }
        let namespace = call.parameter("namespace") ?? body["Namespace"]?.string ?? job["Namespace"]?.string ?? ""
        guard namespace.isEmpty || namespace == "default" else {
            throw Refusal("job \"\(given)\" is in nonexistent namespace \"\(namespace)\"")
        }
        let spec = JobDefaults.complete(job.replacing(["Namespace": "default", "Region": "global"]))
        if let problem = JobValidation.problem(with: spec) { throw Refusal(problem) }
        return (spec, body)
    }

    private func enforceIndex(_ body: JSONValue, _ existing: JobRecord?) throws {
        guard body["EnforceIndex"]?.bool == true else { return }
        let index = body["JobModifyIndex"]?.integer ?? 0
        switch (index, existing?.jobModifyIndex) {
        case (0, .some): throw Refusal("Enforcing job modify index 0: job already exists")
        case (0, nil): return
        case (_, nil): throw Refusal("Enforcing job modify index \(index): job does not exist")
        case (_, .some(let actual)) where actual != index:
            throw Refusal(
                "Enforcing job modify index \(index): job exists with conflicting job modify index: \(actual)"
            )
        default: return
        }
    }

    func evaluation(of job: String, _ spec: JobSpec, trigger: String, _ jobModifyIndex: Int64) -> EvaluationRecord {
        EvaluationRecord(
            id: unique(),
            job: job,
            priority: spec.priority,
            type: spec.type,
            trigger: trigger,
            jobModifyIndex: jobModifyIndex,
            createTime: now,
            modifyTime: now
        )
    }

    private func warnings(_ spec: JobSpec) -> String {
        let texts = spec.groups.filter { !$0.services.isEmpty && $0.shutdownDelay == .zero }.map { group in
            "group \"\(group.name)\" defines services, but neither the group nor any of its tasks have shutdown_delay set"
        }
        guard !texts.isEmpty else { return "" }
        let head = texts.count == 1 ? "1 warning:\n" : "\(texts.count) warnings:\n"
        return head + texts.map { "\n* \($0)" }.joined()
    }

    private func registered(_ evaluation: String, index: Int64, job: Int64) -> Answer {
        let warnings = state.evaluations[evaluation].flatMap { state.jobs[$0.job] }.map {
            self.warnings(state.spec(of: $0))
        }
        return .json(
            [
                "EvalID": .string(evaluation), "EvalCreateIndex": .integer(index), "JobModifyIndex": .integer(job),
                "Warnings": .string(warnings ?? ""), "Index": .integer(index), "LastContact": 0, "KnownLeader": false,
                "NextToken": "",
            ],
            headers: ["X-Nomad-Index": String(index)]
        )
    }

    private func deregistered(_ id: String, index: Int64, evaluation: Int64, job: Int64) -> Answer {
        .json(
            [
                "EvalID": .string(id), "EvalCreateIndex": .integer(evaluation), "JobModifyIndex": .integer(job),
                "VolumeEvalID": "", "VolumeEvalIndex": 0, "Index": .integer(id.isEmpty ? 0 : index), "LastContact": 0,
                "KnownLeader": false, "NextToken": "",
            ],
            headers: ["X-Nomad-Index": String(index)]
        )
    }

    /// A boolean parameter as Go reads it; absent is false.
    func flag(_ name: String, _ call: Call) throws -> Bool {
        guard let text = call.parameter(name), !text.isEmpty else { return false }
        if ["1", "t", "T", "TRUE", "true", "True"].contains(text) { return true }
        if ["0", "f", "F", "FALSE", "false", "False"].contains(text) { return false }
        throw Refusal(
            "Failed to parse value of \"\(name)\" (\"\(text)\") as a bool: strconv.ParseBool: parsing \"\(text)\": invalid syntax"
        )
    }
}
