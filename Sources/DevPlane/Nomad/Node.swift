internal import Kernel

/// The one node of the machine.
struct Node: Sendable {
    var id: String
    var datacenter: String
    var meta: [String: String]
    /// MHz.
    var cpu: Int
    /// MB.
    var memory: Int

    /// What constraints may ask about.
    var attributes: [String: String] {
        [
            "nomad.service_discovery": "true", "nomad.version": "2.0.0", "consul.version": "1.18.0",
            "kernel.name": "linux",
            "driver.docker": "1", "unique.hostname": "dev",
        ]
    }

    /// The first constraint it does not meet, as metrics name it.
    func unmet(_ constraints: [ConstraintSpec]) -> String? {
        constraints.first { !meets($0) }.map { "\($0.left) \($0.operand) \($0.right)" }
    }

    private func meets(_ constraint: ConstraintSpec) -> Bool {
        let left = resolve(constraint.left)
        let right = resolve(constraint.right)
        switch constraint.operand {
        case "=", "==", "is": return left != nil && left == right
        case "!=", "not": return left != right
        case "is_set": return left != nil
        case "is_not_set": return left == nil
        case "set_contains", "set_contains_all":
            let members = Set((left ?? "").split(separator: ",").map { $0.trimmed })
            return (right ?? "").split(separator: ",").allSatisfy { members.contains($0.trimmed) }
        // The versions that are asked for are the ones this node claims to be beyond.
        case "semver", "version": return left != nil
        case "distinct_hosts", "distinct_property": return true
        default: return false
        }
    }

    private func resolve(_ target: String) -> String? {
        guard target.hasPrefix("${"), target.hasSuffix("}") else { return target }
        let name = target.dropFirst(2).dropLast()
        switch name {
        case "node.unique.id": return id
        case "node.unique.name": return "dev"
        case "node.datacenter": return datacenter
        case "node.class": return ""
        case "node.pool": return "default"
        default:
            if name.hasPrefix("attr.") { return attributes[String(name.dropFirst(5))] }
            if name.hasPrefix("meta.") { return meta[String(name.dropFirst(5))] }
            return nil
        }
    }

    /// The node as `GET /v1/nodes` lists it.
    var stub: JSONValue {
        let driver: JSONValue = ["Detected": true, "Healthy": true, "HealthDescription": "Healthy", "Attributes": nil]
        return [
            "ID": .string(id), "Name": "dev", "Address": "127.0.0.1", "Datacenter": .string(datacenter),
            "NodeClass": "",
            "NodePool": "default", "Version": "2.0.0", "Drain": false, "SchedulingEligibility": "eligible",
            "Status": "ready", "StatusDescription": "", "Drivers": ["docker": driver, "raw_exec": driver],
            "HostVolumes": nil, "GCVolumesOnNode": nil, "LastDrain": nil, "CreateIndex": 2, "ModifyIndex": 2,
            "NodeResources": [
                "Cpu": ["CpuShares": .integer(Int64(cpu))], "Memory": ["MemoryMB": .integer(Int64(memory))],
            ],
            "ReservedResources": ["Cpu": ["CpuShares": 0], "Memory": ["MemoryMB": 0]],
        ]
    }

    /// The node as `GET /v1/node/:id` shows it, and as filters see it.
    var json: JSONValue {
        stub.replacing([
            "Meta": .object(meta.mapValues { .string($0) }),
            "Attributes": .object(attributes.mapValues { .string($0) }),
            "HTTPAddr": "127.0.0.1",
        ])
    }
}

extension StringProtocol {
    /// Without the spaces at both ends.
    fileprivate var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
