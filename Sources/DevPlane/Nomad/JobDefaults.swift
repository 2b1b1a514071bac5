internal import Kernel

/// What Nomad adds to a job that does not say it (`Canonicalize` in `api/jobs.go` and `api/tasks.go`), and what the server
/// adds to every job (`nomad/job_endpoint_hooks.go`).
///
/// A specification is therefore never read back as it was sent; nobody should rely on that, and this keeps them honest.
enum JobDefaults {
    private static let second: Int64 = 1_000_000_000

    static func complete(_ job: JSONValue) -> JobSpec {
        let id = job["ID"] ?? ""
        let isService = (job["Type"]?.string ?? "service") == "service"
        var job = job.withoutNulls.defaulting([
            "Name": id, "Type": "service", "Priority": 50, "Region": "global", "Namespace": "default",
            "NodePool": "default",
            "Datacenters": ["*"], "AllAtOnce": false, "Stop": false, "VaultToken": "", "ConsulToken": "",
        ])
        if job["Datacenters"]?.array?.isEmpty == true { job = job.replacing(["Datacenters": ["*"]]) }
        // "global" means whatever region the agent is in, which here is called so too.
        let update = job["Update"]
        job = job.mappingEach("TaskGroups") { group($0, jobUpdate: update, isService: isService) }
        return JobSpec(json: job)
    }

    private static func group(_ group: JSONValue, jobUpdate: JSONValue?, isService: Bool) -> JSONValue {
        var group = group.defaulting(["Count": 1, "EphemeralDisk": [:], "RestartPolicy": [:], "Tasks": []])
        if isService {
            group = group.defaulting(["Update": jobUpdate ?? [:], "ReschedulePolicy": [:], "Migrate": [:]])
            group = group.mapping("Update") {
                $0.defaulting([
                    "Stagger": .integer(30 * second), "MaxParallel": 1, "HealthCheck": "checks",
                    "MinHealthyTime": .integer(10 * second), "HealthyDeadline": .integer(300 * second),
                    "ProgressDeadline": .integer(600 * second), "AutoRevert": false, "AutoPromote": false, "Canary": 0,
                ])
            }
            group = group.mapping("ReschedulePolicy") {
                $0.defaulting([
                    "Attempts": 0, "Interval": 0, "Delay": .integer(30 * second), "DelayFunction": "exponential",
                    "MaxDelay": .integer(3600 * second), "Unlimited": true,
                ])
            }
            group = group.mapping("Migrate") {
                $0.defaulting([
                    "MaxParallel": 1, "HealthCheck": "checks", "MinHealthyTime": .integer(10 * second),
                    "HealthyDeadline": .integer(300 * second),
                ])
            }
        }
        group = group.mapping("RestartPolicy") {
            $0.defaulting([
                "Attempts": isService ? 2 : 3, "Interval": .integer((isService ? 1800 : 86400) * second),
                "Delay": .integer(15 * second), "Mode": "fail", "RenderTemplates": false,
            ])
        }
        group = group.mapping("EphemeralDisk") { $0.defaulting(["Sticky": false, "SizeMB": 300, "Migrate": false]) }
        let services = GroupSpec(json: group).services
        group = group.mappingEach("Services", service).mappingEach("Tasks", task)
        return constrained(group, by: services)
    }

    /// Services of Nomad's own registry need a node that has one.
    private static func constrained(_ group: JSONValue, by services: [ServiceSpec]) -> JSONValue {
        var added: [JSONValue] = []
        let native = services.filter { $0.provider == "nomad" }
        if !native.isEmpty {
            added.append(["LTarget": "${attr.nomad.service_discovery}", "RTarget": "true", "Operand": "="])
            if native.contains(where: { !$0.checks.isEmpty }) {
                added.append(["LTarget": "${attr.nomad.version}", "RTarget": ">= 1.4.0", "Operand": "semver"])
            }
        }
        if native.count < services.count {
            added.append(["LTarget": "${attr.consul.version}", "RTarget": ">= 1.8.0", "Operand": "semver"])
        }
        let existing = group.list("Constraints")
        return added.isEmpty
            ? group : group.replacing(["Constraints": .array(existing + added.filter { !existing.contains($0) })])
    }

    private static func service(_ service: JSONValue) -> JSONValue {
        service.defaulting(["Provider": "consul", "AddressMode": "auto", "OnUpdate": "require_healthy", "TaskName": ""])
            .mappingEach("Checks") { check in
                check.defaulting(["OnUpdate": "require_healthy", "Method": "GET", "Protocol": "http"])
                    .mapping("CheckRestart") {
                        $0.defaulting(["Limit": 0, "Grace": .integer(second), "IgnoreWarnings": false])
                    }
            }
    }

    private static func task(_ task: JSONValue) -> JSONValue {
        task.defaulting([
            "Resources": [:], "KillTimeout": .integer(5 * second), "LogConfig": [:], "KillSignal": "", "Leader": false,
            "ShutdownDelay": 0,
        ])
        .mapping("Resources") { $0.defaulting(["CPU": 100, "MemoryMB": 300]) }
        .mapping("LogConfig") { $0.defaulting(["MaxFiles": 10, "MaxFileSizeMB": 10, "Disabled": false]) }
        .mappingEach("Services", service)
        .mappingEach("Templates") {
            $0.defaulting([
                "ChangeMode": "restart", "ChangeSignal": "", "Splay": .integer(5 * second), "Perms": "0644",
                "LeftDelim": "{{", "RightDelim": "}}", "Envvars": false, "ErrMissingKey": false, "SourcePath": "",
            ])
        }
    }
}
