internal import Kernel

/// What Nomad refuses to register (`Job.Validate` in `nomad/structs`), in its words.
enum JobValidation {
    /// The errors as Nomad joins them; `nil` when the job is fine.
    static func problem(with spec: JobSpec) -> String? {
        let problems = problems(with: spec)
        guard !problems.isEmpty else { return nil }
        return joined(problems)
    }

    /// Single problems, as `PUT /v1/validate/job` lists them.
    static func problems(with spec: JobSpec) -> [String] {
        var problems: [String] = []
        if spec.id.isEmpty { problems.append("Missing job ID") }
        if spec.id.contains(where: { $0.isWhitespace }) { problems.append("Job ID contains a space") }
        if spec.id.contains("\0") { problems.append("Job ID contains a null character") }
        if !["service", "batch", "system", "sysbatch"].contains(spec.type) {
            problems.append("Invalid job type: \"\(spec.type)\"")
        }
        if !(1...100).contains(spec.priority) { problems.append("job priority must be between [1, 100]") }
        if spec.datacenters.isEmpty { problems.append("Missing job datacenters") }
        if spec.groups.isEmpty { problems.append("Missing job task groups") }
        problems += constraints(spec.constraints)
        var names: Set<String> = []
        for (number, group) in spec.groups.enumerated() {
            if group.name.isEmpty {
                problems.append("Job task group \(number + 1) missing name")
            } else if !names.insert(group.name).inserted {
                problems.append("Job task group \(number + 1) redefines '\(group.name)' from group \(number)")
            }
            let own = self.group(group) + unfit(group, for: spec.type)
            if !own.isEmpty { problems.append("Task group \(group.name) validation failed: \(joined(own))") }
        }
        return problems
    }

    /// What only services have.
    private static func unfit(_ group: GroupSpec, for type: String) -> [String] {
        guard type == "batch" else { return [] }
        var problems: [String] = []
        if group.json["Update"] != nil { problems.append("Job type \"\(type)\" does not allow update block") }
        if group.json["Migrate"] != nil { problems.append("Job type \"\(type)\" does not allow migrate block") }
        return problems
    }

    private static func joined(_ problems: [String]) -> String {
        let head = problems.count == 1 ? "1 error occurred:" : "\(problems.count) errors occurred:"
        return head + problems.map { "\n\t* \($0)" }.joined() + "\n\n"
    }

    private static func group(_ group: GroupSpec) -> [String] {
        var problems = constraints(group.constraints)
        if group.count < 0 { problems.append("Task group count can't be negative") }
        if group.tasks.isEmpty { problems.append("Missing tasks for task group") }
        if let update = group.update, update.maxParallel > 0 { problems += self.update(update) }
        problems += restart(group.restart)
        let labels = Set(group.ports.map(\.label))
        for service in group.services { problems += self.service(service, ports: labels) }
        for task in group.tasks {
            let own = self.task(task, update: group.update)
            if !own.isEmpty { problems.append("Task \(task.name) validation failed: \(joined(own))") }
        }
        return problems
    }

    private static func update(_ update: UpdateSpec) -> [String] {
        var problems: [String] = []
        if !["checks", "task_states", "manual"].contains(update.healthCheck) {
            problems.append("Invalid health check given: \"\(update.healthCheck)\"")
        }
        if update.canary < 0 { problems.append("Canary count can not be less than zero: \(update.canary) < 0") }
        if update.canary == 0, update.promotesItself {
            problems.append("Auto Promote requires a Canary count greater than zero")
        }
        if update.minimumHealthy < .zero { problems.append("Minimum healthy time may not be less than zero") }
        if update.healthyDeadline <= .zero { problems.append("Healthy deadline must be greater than zero") }
        if update.minimumHealthy >= update.healthyDeadline {
            problems.append("Minimum healthy time must be less than healthy deadline")
        }
        if update.progressDeadline != .zero, update.healthyDeadline >= update.progressDeadline {
            problems.append("Healthy deadline must be less than progress deadline")
        }
        if update.json.duration("Stagger") <= .zero { problems.append("Stagger must be greater than zero") }
        return problems
    }

    private static func restart(_ restart: RestartSpec) -> [String] {
        var problems: [String] = []
        if !["fail", "delay"].contains(restart.mode) {
            problems.append("Unsupported restart mode: \"\(restart.mode)\"")
        }
        if restart.interval != .zero, restart.interval < .seconds(5) {
            problems.append("Interval can not be less than 5s (got \(restart.interval))")
        }
        if restart.delay * restart.attempts > restart.interval {
            problems.append(
                "Nomad can't restart the TaskGroup \(restart.attempts) times in an interval of "
                    + "\(restart.interval) with a delay of \(restart.delay)"
            )
        }
        return problems
    }

    private static func service(_ service: ServiceSpec, ports: Set<String>) -> [String] {
        var problems: [String] = []
        let letters = service.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        if service.name.isEmpty || !letters || service.name.utf8.count > 63 {
            problems.append(
                "Service \(service.name) validation failed: service name must be valid per RFC 1123 and can contain only "
                    + "alphanumeric characters or dashes and must be no longer than 63 characters"
            )
        }
        if !["consul", "nomad"].contains(service.provider) {
            problems.append("Service provider must be \"consul\" or \"nomad\": \"\(service.provider)\"")
        }
        if !service.portLabel.isEmpty, !ports.contains(service.portLabel), Int(service.portLabel) == nil {
            problems.append("port label \"\(service.portLabel)\" referenced by service \(service.name) does not exist")
        }
        for check in service.checks {
            if check.interval < .seconds(1) {
                problems.append("check \(check.name): interval (\(check.interval)) can not be lower than 1s")
            }
            if check.timeout < .seconds(1) {
                problems.append(
                    "check \(check.name): timeout (\(check.timeout)) is lower than required minimum timeout 1s"
                )
            }
            if check.type == "http", check.json["Path"]?.string ?? "" == "" {
                problems.append("check \(check.name): http type must have http path")
            }
            guard service.provider == "nomad" else { continue }
            if !["http", "tcp"].contains(check.type) {
                problems.append("check \(check.name): invalid check type (\"\(check.type)\"), must be one of tcp, http")
            }
            for field in ["SuccessBeforePassing", "FailuresBeforeCritical"] where check.json[field]?.integer ?? 0 != 0 {
                problems.append("check \(check.name): \(field) may only be set for Consul service checks")
            }
        }
        return problems
    }

    private static func task(_ task: TaskSpec, update: UpdateSpec?) -> [String] {
        var problems: [String] = []
        if task.name.isEmpty { problems.append("Missing task name") }
        if task.json["Driver"]?.string ?? "" == "" { problems.append("Missing task driver") }
        if task.cpu < 1 { problems.append("minimum CPU value is 1; got \(task.cpu)") }
        if task.memory < 10 { problems.append("minimum MemoryMB value is 10; got \(task.memory)") }
        if task.killTimeout < .zero { problems.append("KillTimeout must be a positive value") }
        if let update, update.progressDeadline > .zero, task.killTimeout > update.progressDeadline {
            problems.append(
                "KillTimout (\(task.killTimeout)) longer than the group's ProgressDeadline (\(update.progressDeadline))"
            )
        }
        for template in task.templates
        where template["ChangeMode"]?.string == "signal" && template["ChangeSignal"]?.string ?? "" == "" {
            problems.append("Must specify signal value when change mode is signal")
        }
        return problems
    }

    /// Only what the scheduler can resolve may be compared: since 1.11.2 anything else is refused here already.
    private static func constraints(_ constraints: [ConstraintSpec]) -> [String] {
        constraints.enumerated().compactMap { number, constraint in
            guard constraint.left.hasPrefix("${") else { return nil }
            let name = constraint.left.dropFirst(2).dropLast()
            let known = [
                "node.unique.id", "node.unique.name", "node.datacenter", "node.class", "node.pool", "node.region",
            ]
            if known.contains(String(name)) || name.hasPrefix("attr.") || name.hasPrefix("meta.") { return nil }
            return
                "Constraint \(number + 1) validation failed: 1 error occurred:\n\t* unsupported attribute \"\(constraint.left)\"\n\n"
        }
    }
}
