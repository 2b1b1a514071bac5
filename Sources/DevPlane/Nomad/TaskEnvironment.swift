internal import Kernel

/// The variables Nomad gives every task.
enum TaskEnvironment {
    static func variables(
        _ allocation: AllocationRecord,
        _ spec: JobSpec,
        _ group: GroupSpec,
        _ task: TaskSpec,
        _ configuration: NomadAgent.Configuration,
        _ directory: String
    ) -> [String: String] {
        var variables = [
            "NOMAD_ALLOC_ID": allocation.id, "NOMAD_SHORT_ALLOC_ID": String(allocation.id.prefix(8)),
            "NOMAD_ALLOC_NAME": "\(allocation.job).\(allocation.group)[\(allocation.number)]",
            "NOMAD_ALLOC_INDEX": String(allocation.number), "NOMAD_JOB_ID": allocation.job,
            "NOMAD_JOB_NAME": spec.json["Name"]?.string ?? allocation.job, "NOMAD_GROUP_NAME": allocation.group,
            "NOMAD_TASK_NAME": task.name, "NOMAD_NAMESPACE": "default", "NOMAD_REGION": "global",
            "NOMAD_DC": configuration.datacenter, "NOMAD_CPU_LIMIT": String(task.cpu),
            "NOMAD_MEMORY_LIMIT": String(task.memory), "NOMAD_ALLOC_DIR": directory, "NOMAD_TASK_DIR": directory,
            "NOMAD_SECRETS_DIR": directory, "SIGNALBOX_IMAGE": task.image,
        ]
        for port in group.ports {
            let host = allocation.ports[port.label] ?? 0
            // There is no network of its own to map into: what a task must listen on is the host's port.
            variables["NOMAD_PORT_\(port.label)"] = String(port.inside == 0 ? host : port.inside)
            variables["NOMAD_HOST_PORT_\(port.label)"] = String(host)
            variables["NOMAD_IP_\(port.label)"] = "127.0.0.1"
            variables["NOMAD_HOST_IP_\(port.label)"] = "127.0.0.1"
            variables["NOMAD_ADDR_\(port.label)"] = "127.0.0.1:\(host)"
            variables["NOMAD_HOST_ADDR_\(port.label)"] = "127.0.0.1:\(host)"
        }
        for (name, value) in spec.meta.merging(group.meta, uniquingKeysWith: { $1 }).merging(
            task.meta,
            uniquingKeysWith: { $1 }
        ) {
            variables["NOMAD_META_\(name)"] = value
            variables["NOMAD_META_\(name.uppercased())"] = value
        }
        return variables
    }
}
