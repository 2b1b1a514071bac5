internal import Kernel

/// What a change of specification means for what runs (`tasksUpdated` in Nomad's `scheduler/util.go`).
enum JobUpdate {
    /// Whether an allocation of one version may simply go on as one of the other.
    static func isInPlace(from old: JobSpec, to new: JobSpec, group name: String) -> Bool {
        guard let before = old.group(name), let after = new.group(name) else { return false }
        return destructive(before, meta: old.meta) == destructive(after, meta: new.meta)
    }

    /// Everything whose change needs new processes.
    private static func destructive(_ group: GroupSpec, meta: [String: String]) -> JSONValue {
        let tasks = group.tasks.map { task -> JSONValue in
            var kept: [String: JSONValue] = [:]
            let names = [
                "Name", "Driver", "User", "Config", "Env", "Templates", "Artifacts", "Vault", "Consul", "Resources",
                "Identities", "VolumeMounts",
            ]
            for name in names { kept[name] = task.json[name] ?? .null }
            let merged = meta.merging(group.meta) { $1 }.merging(task.meta) { $1 }
            kept["Meta"] = .object(merged.mapValues { .string($0) })
            return .object(kept)
        }
        return [
            "Tasks": .array(tasks), "Networks": group.json["Networks"] ?? nil, "Volumes": group.json["Volumes"] ?? nil,
            "EphemeralDisk": group.json["EphemeralDisk"] ?? nil,
        ]
    }

    // MARK: - Diff, as `plan` shows it

    /// The `Diff` of a plan; `old` is `nil` when there is no such job.
    static func diff(from old: JobSpec?, to new: JobSpec, isChanged: Bool) -> JSONValue {
        guard isChanged else {
            return [
                "Type": "None", "ID": .string(new.id), "Fields": nil, "Objects": nil, "TaskGroups": groups(old, new),
            ]
        }
        let before = old?.json.replacing(["TaskGroups": nil])
        let object = objectDiff("", before, new.json.replacing(["TaskGroups": nil]))
        return [
            "Type": old == nil ? "Added" : "Edited", "ID": .string(new.id), "Fields": object?["Fields"] ?? nil,
            "Objects": object?["Objects"] ?? nil, "TaskGroups": groups(old, new),
        ]
    }

    private static func groups(_ old: JobSpec?, _ new: JobSpec) -> JSONValue {
        let names = new.groups.map(\.name) + (old?.groups ?? []).map(\.name).filter { new.group($0) == nil }
        return .array(
            names.map { name in
                let (before, after) = (old?.group(name), new.group(name))
                let object = objectDiff(
                    name,
                    before?.json.replacing(["Tasks": nil]),
                    after?.json.replacing(["Tasks": nil])
                )
                let count = JSONValue.integer(Int64(after?.count ?? before?.count ?? 0))
                let type: JSONValue
                var updates: JSONValue = nil
                if before == nil {
                    (type, updates) = ("Added", ["create": count])
                } else if after == nil {
                    (type, updates) = ("Deleted", ["destroy": count])
                } else if before == after, old?.meta == new.meta {
                    (type, updates) = ("None", ["ignore": count])
                } else if let old, isInPlace(from: old, to: new, group: name) {
                    (type, updates) = ("Edited", ["in-place update": count])
                } else if let canary = after?.update?.canary, canary > 0 {
                    (type, updates) = ("Edited", ["canary": .integer(Int64(canary)), "ignore": count])
                } else {
                    (type, updates) = ("Edited", ["create/destroy update": count])
                }
                return [
                    "Type": type, "Name": .string(name), "Fields": object?["Fields"] ?? nil,
                    "Objects": object?["Objects"] ?? nil, "Updates": updates,
                    "Tasks": tasks(before, after),
                ]
            }
        )
    }

    private static func tasks(_ before: GroupSpec?, _ after: GroupSpec?) -> JSONValue {
        let (old, new) = (before?.tasks ?? [], after?.tasks ?? [])
        let names = new.map(\.name) + old.map(\.name).filter { name in !new.contains { $0.name == name } }
        return .array(
            names.map { name in
                let (was, willBe) = (old.first { $0.name == name }, new.first { $0.name == name })
                let object = objectDiff(name, was?.json, willBe?.json)
                let type = object?["Type"] ?? "None"
                let annotations: JSONValue =
                    was == nil
                    ? ["forces create"]
                    : willBe == nil
                        ? ["forces destroy"]
                        : type == "None" ? nil : ["forces create/destroy update"]
                return [
                    "Type": type, "Name": .string(name), "Fields": object?["Fields"] ?? nil,
                    "Objects": object?["Objects"] ?? nil, "Annotations": annotations,
                ]
            }
        )
    }

    /// The differing fields and objects below; `nil` when there are none.
    private static func objectDiff(_ name: String, _ old: JSONValue?, _ new: JSONValue?) -> JSONValue? {
        let (old, new) = (old == .null ? nil : old, new == .null ? nil : new)
        guard old != new else { return nil }
        let type: JSONValue = old == nil ? "Added" : new == nil ? "Deleted" : "Edited"
        var fields: [JSONValue] = []
        var objects: [JSONValue] = []
        let members = Set((old?.members ?? [:]).keys).union((new?.members ?? [:]).keys).sorted()
        for key in members {
            let (before, after) = (old?.members[key] ?? .null, new?.members[key] ?? .null)
            guard before != after else { continue }
            if before.isScalar, after.isScalar {
                fields.append([
                    "Type": before == .null ? "Added" : after == .null ? "Deleted" : "Edited", "Name": .string(key),
                    "Old": .string(before.shown), "New": .string(after.shown), "Annotations": nil,
                ])
            } else if let object = objectDiff(key, before, after) {
                objects.append(object)
            }
        }
        return ["Type": type, "Name": .string(name), "Fields": .array(fields), "Objects": .array(objects)]
    }
}

extension JSONValue {
    /// The members of an object, or the elements of an array by their place.
    fileprivate var members: [String: JSONValue] {
        switch self {
        case .object(let members): members
        case .array(let elements):
            Dictionary(elements.enumerated().map { (String($0.offset), $0.element) }) { first, _ in first }
        default: [:]
        }
    }

    fileprivate var isScalar: Bool {
        switch self {
        case .object, .array: false
        default: true
        }
    }

    fileprivate var shown: String {
        switch self {
        case .string(let text): text
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .bool(let value): String(value)
        default: ""
        }
    }
}
