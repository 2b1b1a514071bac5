internal import Kernel

extension JobRecord {
    /// The job as `GET /v1/job/:id` shows it.
    func json(in state: AgentState, version: JobVersion? = nil) -> JSONValue {
        let version = version ?? current
        let spec = state.specs[version.spec] ?? [:]
        return spec.defaulting([
            "ParentID": "", "Constraints": nil, "Affinities": nil, "Spreads": nil, "Multiregion": nil, "Periodic": nil,
            "ParameterizedJob": nil, "Payload": nil, "Meta": nil, "Dispatched": false, "DispatchIdempotencyToken": "",
            "NomadTokenID": "", "ConsulNamespace": "", "VaultNamespace": "", "Update": nil, "UI": nil,
            "VersionTag": nil,
        ])
        .replacing([
            "Status": .string(status), "StatusDescription": "", "Stable": .bool(version.isStable),
            "Version": .integer(Int64(version.number)), "SubmitTime": .integer(version.submitTime),
            "CreateIndex": .integer(createIndex),
            "ModifyIndex": .integer(version == current ? modifyIndex : version.modifyIndex),
            "JobModifyIndex": .integer(version.jobModifyIndex),
        ])
    }

    /// The job as lists show it.
    func stub(in state: AgentState, withMeta: Bool) -> JSONValue {
        let full = json(in: state)
        var stub: [String: JSONValue] = [:]
        let names = [
            "ID", "ParentID", "Name", "Namespace", "Datacenters", "NodePool", "Multiregion", "Type", "Priority", "Stop",
            "Status", "StatusDescription", "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime",
        ]
        for name in names { stub[name] = full[name] ?? .null }
        stub["Periodic"] = false
        stub["ParameterizedJob"] = false
        stub["JobSummary"] = summary(in: state)
        if withMeta { stub["Meta"] = full["Meta"] ?? .null }
        return .object(stub)
    }

    /// How many allocations of each group are in which state.
    func summary(in state: AgentState) -> JSONValue {
        let allocations = state.allocations(of: id, createIndex: createIndex)
        var groups: [String: JSONValue] = [:]
        for group in state.spec(of: self).groups {
            func count(_ statuses: String...) -> JSONValue {
                .integer(Int64(allocations.filter { $0.group == group.name && statuses.contains($0.client) }.count))
            }
            let queued = state.evaluations.values.filter { $0.job == id && $0.status == "blocked" }.first
            groups[group.name] = [
                "Queued": .integer(Int64(queued?.queued[group.name] ?? 0)), "Complete": count("complete"),
                "Failed": count("failed"), "Running": count("running"), "Starting": count("pending"),
                "Lost": count("lost"),
                "Unknown": count("unknown"),
            ]
        }
        return [
            "JobID": .string(id), "Namespace": "default", "Summary": .object(groups),
            "Children": ["Pending": 0, "Running": 0, "Dead": 0], "CreateIndex": .integer(createIndex),
            "ModifyIndex": .integer(state.index(of: .allocs)),
        ]
    }
}

extension EvaluationRecord {
    var json: JSONValue {
        [
            "ID": .string(id), "Namespace": "default", "Priority": .integer(priority), "Type": .string(type),
            "TriggeredBy": .string(trigger), "JobID": .string(job), "JobModifyIndex": .integer(jobModifyIndex),
            "NodeID": "", "NodeModifyIndex": 0, "DeploymentID": .string(deployment), "Status": .string(status),
            "StatusDescription": .string(statusDescription), "Wait": 0, "WaitUntil": .string(waitUntil.time),
            "NextEval": .string(next), "PreviousEval": .string(previous), "BlockedEval": .string(blocked),
            "FailedTGAllocs": failed.isEmpty ? nil : .object(failed.mapValues(\.json)), "ClassEligibility": nil,
            "EscapedComputedClass": false, "QuotaLimitReached": "", "AnnotatePlan": false, "RelatedEvals": nil,
            "QueuedAllocations": .object(queued.mapValues { .integer(Int64($0)) }),
            "SnapshotIndex": .integer(createIndex),
            "CreateIndex": .integer(createIndex), "ModifyIndex": .integer(modifyIndex),
            "CreateTime": .integer(createTime),
            "ModifyTime": .integer(modifyTime),
        ]
    }
}

extension PlacementFailure {
    var json: JSONValue {
        func counts(_ map: [String: Int]) -> JSONValue {
            map.isEmpty ? nil : .object(map.mapValues { .integer(Int64($0)) })
        }
        return [
            "NodesEvaluated": 1, "NodesFiltered": isFiltered ? 1 : 0, "NodesInPool": 1, "NodesAvailable": ["dc1": 1],
            "ClassFiltered": nil, "ConstraintFiltered": counts(constraintFiltered),
            "NodesExhausted": isFiltered ? 0 : 1, "ClassExhausted": nil,
            "DimensionExhausted": counts(dimensionExhausted),
            "QuotaExhausted": nil, "ResourcesExhausted": nil, "Scores": nil, "AllocationTime": 0,
            "CoalescedFailures": .integer(Int64(coalesced)), "ScoreMetaData": nil,
        ]
    }
}

extension AllocationRecord {
    /// The allocation as lists show it.
    var stub: JSONValue {
        var status: JSONValue = nil
        if isHealthy != nil || isCanary {
            status = [
                "Healthy": isHealthy.map { .bool($0) } ?? nil, "Timestamp": .string(healthTime.time),
                "Canary": .bool(isCanary), "ModifyIndex": .integer(modifyIndex),
            ]
        }
        return [
            "ID": .string(id), "EvalID": .string(evaluation), "Name": .string("\(job).\(group)[\(number)]"),
            "Namespace": "default", "NodeID": "", "NodeName": "", "JobID": .string(job), "JobType": "service",
            "JobVersion": .integer(Int64(jobVersion)), "TaskGroup": .string(group), "DesiredStatus": .string(desired),
            "DesiredDescription": .string(desiredDescription), "ClientStatus": .string(client),
            "ClientDescription": .string(clientDescription), "DesiredTransition": ["Migrate": nil, "Reschedule": nil],
            "TaskStates": tasks.isEmpty ? nil : .object(tasks.mapValues(\.json)), "DeploymentStatus": status,
            "FollowupEvalID": .string(followUp), "PreviousAllocation": .string(previous),
            "NextAllocation": .string(next),
            "RescheduleTracker": nil, "PreemptedAllocations": nil, "PreemptedByAllocation": "",
            "CreateIndex": .integer(createIndex), "ModifyIndex": .integer(modifyIndex),
            "CreateTime": .integer(createTime),
            "ModifyTime": .integer(modifyTime),
        ]
    }

    /// The allocation with its job, its deployment and what it holds of the node.
    func json(in state: AgentState) -> JSONValue {
        let spec = state.spec(self.spec)
        let group = spec.group(self.group)
        let ports = ports.sorted { $0.key < $1.key }.map { label, value -> JSONValue in
            let inside = group?.ports.first { $0.label == label }?.inside ?? 0
            return [
                "Label": .string(label), "Value": .integer(Int64(value)), "To": .integer(Int64(inside)),
                "HostIP": "127.0.0.1",
            ]
        }
        let job = state.jobs[self.job].flatMap { job in
            job.versions.first { $0.number == jobVersion }.map { job.json(in: state, version: $0) }
        }
        return stub.replacing([
            "NodeID": .string(state.node), "NodeName": "dev", "DeploymentID": .string(deployment),
            "Job": job ?? spec.json,
            "AllocatedResources": [
                "Shared": ["DiskMB": 300, "Networks": nil, "Ports": .array(ports)],
                "Tasks": .object(
                    Dictionary(
                        (group?.tasks ?? []).map { task -> (String, JSONValue) in
                            (
                                task.name,
                                [
                                    "Cpu": ["CpuShares": .integer(Int64(task.cpu))],
                                    "Memory": ["MemoryMB": .integer(Int64(task.memory))],
                                ]
                            )
                        },
                        uniquingKeysWith: { first, _ in first }
                    )
                ),
            ],
            "NetworkStatus": ["InterfaceName": "lo", "Address": "127.0.0.1", "DNS": nil], "Metrics": nil,
            "AllocModifyIndex": .integer(modifyIndex),
        ])
    }
}

extension TaskRecord {
    var json: JSONValue {
        [
            "State": .string(state), "Failed": .bool(hasFailed), "Restarts": .integer(Int64(restarts)),
            "LastRestart": .string((lastRestart?.nanoseconds ?? 0).time),
            "StartedAt": .string((started?.nanoseconds ?? 0).time),
            "FinishedAt": .string((finished?.nanoseconds ?? 0).time),
            "TaskHandle": nil,
            "Events": .array(
                events.map { event in
                    [
                        "Type": .string(event.type), "Time": .integer(event.time),
                        "DisplayMessage": .string(event.message),
                        "Message": .string(event.message), "Details": [:], "ExitCode": .integer(Int64(event.exitCode)),
                        "Signal": .integer(Int64(event.signal)), "FailsTask": .bool(event.failsTask),
                    ]
                }
            ),
        ]
    }
}

extension DeploymentRecord {
    var json: JSONValue {
        [
            "ID": .string(id), "Namespace": "default", "JobID": .string(job), "JobVersion": .integer(Int64(jobVersion)),
            "JobModifyIndex": .integer(jobModifyIndex), "JobSpecModifyIndex": .integer(jobSpecModifyIndex),
            "JobCreateIndex": .integer(jobCreateIndex), "IsMultiregion": false,
            "TaskGroups": .object(groups.mapValues(\.json)), "Status": .string(status),
            "StatusDescription": .string(statusDescription), "EvalPriority": .integer(priority),
            "CreateIndex": .integer(createIndex), "ModifyIndex": .integer(modifyIndex),
            "CreateTime": .integer(createTime),
            "ModifyTime": .integer(modifyTime),
        ]
    }
}

extension DeploymentRecord.Group {
    var json: JSONValue {
        [
            "PlacedCanaries": canaries.isEmpty ? nil : .array(canaries.map { .string($0) }),
            "AutoRevert": .bool(revertsItself),
            "AutoPromote": .bool(promotesItself), "ProgressDeadline": .integer(progressDeadline),
            "RequireProgressBy": .string(requireProgressBy.time), "Promoted": .bool(isPromoted),
            "DesiredCanaries": .integer(Int64(desiredCanaries)), "DesiredTotal": .integer(Int64(desired)),
            "PlacedAllocs": .integer(Int64(placed)), "HealthyAllocs": .integer(Int64(healthy)),
            "UnhealthyAllocs": .integer(Int64(unhealthy)),
        ]
    }
}

extension VariableRecord {
    /// Everything but what it holds.
    var metadata: JSONValue {
        [
            "Namespace": "default", "Path": .string(path), "CreateIndex": .integer(createIndex),
            "ModifyIndex": .integer(modifyIndex), "CreateTime": .integer(createTime),
            "ModifyTime": .integer(modifyTime),
        ]
    }

    var json: JSONValue { metadata.replacing(["Items": .object(items.mapValues { .string($0) })]) }
}

extension ServiceRecord {
    func json(node: String, datacenter: String) -> JSONValue {
        [
            "ID": .string(id), "ServiceName": .string(name), "Namespace": "default", "NodeID": .string(node),
            "Datacenter": .string(datacenter), "JobID": .string(job), "AllocID": .string(allocation),
            "Tags": .array(tags.map { .string($0) }), "Address": "127.0.0.1", "Port": .integer(Int64(port)),
            "CreateIndex": .integer(createIndex), "ModifyIndex": .integer(modifyIndex),
        ]
    }
}

extension Int64 {
    /// Nanoseconds since 1970 in RFC 3339; Go's zero time for 0.
    var time: String {
        self == 0 ? "0001-01-01T00:00:00Z" : Timestamp(microseconds: self / 1000).description
    }
}
